"""Pod identities at the emulator's port: moto lacks them, the stand-ins' store has them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from xgen_infra.rehearsal.standins.aws.eks.common import IDENTITIES
from xgen_infra.rehearsal.standins.aws.store import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PATH = re.compile(r"^/clusters/([^/]+)/pod-identity-associations/?$")


def with_identities(app: WSGIApplication, stores: Path) -> WSGIApplication:
    """Answer ListPodIdentityAssociations (Amazon EKS API Reference) from the stores of a folder; the rest is `app`'s."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        matched = _PATH.match(environ["PATH_INFO"])
        if not matched or environ["REQUEST_METHOD"] != "GET":
            return app(environ, start_response)
        asked = {key: values[0] for key, values in parse_qs(environ["QUERY_STRING"]).items()}
        listed = list(_listed(stores, {**asked, "clusterName": matched[1]}))
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({"associations": listed}).encode()]

    return answer


def _listed(stores: Path, asked: dict[str, str]) -> Iterator[dict[str, Any]]:
    names = ("clusterName", "namespace", "serviceAccount")
    for file in sorted(stores.glob("*.json")):
        for ident, item in Store(file).all(IDENTITIES).items():
            if all(item[name] == asked[name] for name in names if name in asked):
                yield {"associationId": ident, **{name: item[name] for name in names}}
