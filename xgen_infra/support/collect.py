"""What goes into a support bundle, part by part; a part that fails is named in the manifest, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kubernetes import client

from xgen_infra.engine import Engine, EngineError
from xgen_infra.health.access import UnreachableError, cluster
from xgen_infra.site import Site
from xgen_infra.stackfile import StackFile
from xgen_infra.support import inside, local
from xgen_infra.support.bundle import Bundle


@dataclass(frozen=True)
class Source:
    """Where a site's parts come from. `kubeconfig` names another file than the stack's own."""

    file: StackFile
    site: Site
    engine: Engine
    kubeconfig: Path | None = None
    preview: bool = True


PARTS: tuple[tuple[str, Callable[[Bundle, Source], None]], ...] = (
    ("versions", lambda bundle, source: local.versions(bundle, source.engine)),
    ("the customer's file", lambda bundle, source: local.file(bundle, source.file)),
    ("the stack's secrets", lambda bundle, source: local.secrets(bundle, source.engine)),
    ("state", lambda bundle, source: local.state(bundle, source.engine)),
    ("outputs", lambda bundle, source: local.outputs(bundle, source.engine)),
    ("history", lambda bundle, source: local.history(bundle, source.engine)),
)


def collect(source: Source, bundle: Bundle, tell: Callable[[str], None]) -> None:
    """Collect all parts. Nothing is changed, neither in the state nor in the cluster."""
    for name, part in PARTS:
        tell(name)
        try:
            part(bundle, source)
        except (EngineError, OSError) as error:
            bundle.lack(name, error)
    if source.preview:
        tell("preview")
        local.preview(bundle, source.engine)
    else:
        bundle.lack("preview", "--no-preview")
    tell("cluster")
    _cluster(source, bundle, tell)


def _cluster(source: Source, bundle: Bundle, tell: Callable[[str], None]) -> None:
    try:
        with cluster(source.site, source.kubeconfig, source.engine) as api:
            inside.look(bundle, source.site, api, tell)
    except (UnreachableError, client.exceptions.ApiException) as error:
        bundle.lack("what else the cluster would show", error)
