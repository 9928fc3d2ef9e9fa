"""The emulator as a WSGI application: behind a port (`python -m` this package) or called within a process."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.loaders import JSONFileLoader

from xgen_infra.rehearsal.standins.aws.emulator import networks

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def application(existing: Path | None = None, *, enforce_iam: bool = True) -> WSGIApplication:
    """Return moto with what it lacks, set up once in this process; `existing` lists what was there before."""
    os.environ.update(
        MOTO_IAM_LOAD_MANAGED_POLICIES="true",
        MOTO_EC2_LOAD_DEFAULT_AMIS="false",
        INITIAL_NO_AUTH_ACTION_COUNT="0" if enforce_iam else "inf",
    )
    _share_models()
    # moto reads its settings from the environment when it is imported
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415

    from xgen_infra.rehearsal.standins.aws.emulator import boundaries, guard, quotas, simulation, tags  # noqa: PLC0415

    boundaries.install()
    quotas.install()
    simulation.install()
    tags.install()
    if enforce_iam:
        guard.install()
    lay(existing)
    return one_at_a_time(DomainDispatcherApplication(create_backend_app))


def _share_models() -> None:
    """Let all sessions of this process have what one has read of botocore's models: moto makes one after the other."""
    read = cache(partial(JSONFileLoader.load_file, JSONFileLoader()))
    JSONFileLoader.load_file = lambda _self, path: read(path)


def lay(listed: Path | None) -> None:
    """Make the networks that a file lists, where there is one."""
    from xgen_infra.rehearsal.standins.aws.emulator import laying  # noqa: PLC0415

    if listed:
        laying.lay(networks.load(listed))


def one_at_a_time(app: WSGIApplication) -> WSGIApplication:
    """Answer requests one after the other: moto changes its tables while other threads walk over them."""
    lock = threading.Lock()

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with lock:
            return list(app(environ, start_response))

    return answer
