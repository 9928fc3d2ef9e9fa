"""Qdrant in the cluster."""

from __future__ import annotations

import pulumi

from xgen_infra import catalog, versions
from xgen_infra.k3s.workload import Manifest, Mirror, Port, Workload, from_secret, plain
from xgen_infra.site.parts import Qdrant

NAME = "qdrant"
USER = 1000
"""The user of the image's unprivileged variant."""
API_KEY = "api-key"


def workload(infra: Qdrant, api_key: pulumi.Input[str], *, size: str, mirror: Mirror) -> Workload:
    """Return Qdrant with an API key; every path that it writes is on its volume.

    Each setting is `QDRANT__<section>__<key>` (Qdrant documentation, "Configuration"); /readyz and /livez need
    no key (Qdrant documentation, "Monitoring").
    """
    return Workload(
        name=NAME,
        image=mirror.name_of(versions.QDRANT),
        mirror=mirror,
        user=USER,
        ports=(Port("http", infra.port), Port("grpc", infra.grpc_port)),
        size=size,
        requests=catalog.Size("250m", "1Gi"),
        limits=catalog.Size("2000m", "4Gi"),
        secret={API_KEY: api_key},
        container={
            "env": [
                *plain(
                    {
                        "QDRANT_INIT_FILE_PATH": "/data/.initialized",
                        "QDRANT__STORAGE__STORAGE_PATH": "/data/storage",
                        "QDRANT__STORAGE__SNAPSHOTS_PATH": "/data/snapshots",
                        "QDRANT__STORAGE__TEMP_PATH": "/data/temporary",
                        "QDRANT__SERVICE__HTTP_PORT": str(infra.port),
                        "QDRANT__SERVICE__GRPC_PORT": str(infra.grpc_port),
                        "QDRANT__TELEMETRY_DISABLED": "true",
                    }
                ),
                from_secret("QDRANT__SERVICE__API_KEY", f"{NAME}-credentials", API_KEY),
            ],
            "startupProbe": _probe("/readyz", period=5, failures=360),
            "readinessProbe": _probe("/readyz", period=10, failures=3),
            "livenessProbe": _probe("/livez", period=20, failures=6),
        },
    )


def _probe(path: str, *, period: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
