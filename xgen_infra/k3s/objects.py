"""The S3-compatible store of documents in the cluster (docs/adr/0003-object-store-on-prem.md)."""

from __future__ import annotations

import pulumi

from xgen_infra import catalog, versions
from xgen_infra.k3s.workload import (
    GENERATION,
    Manifest,
    Mirror,
    Port,
    Workload,
    client,
    container_security,
    from_secret,
    labels,
    metadata,
    plain,
    pod_base,
    resources,
    scratch_volumes,
)

NAME = "object-store"
PORT = 9000
USER = 10001
"""Any will do; no user of a node has this number, whose files on a local volume would then be theirs too."""
REGION = "us-east-1"
ACCESS_KEY = "access-key"
SECRET_KEY = "secret-key"  # noqa: S105
HEALTH = "/_/health"
"""No bucket can have this name."""


def workload(
    access_key: pulumi.Input[str], secret_key: pulumi.Input[str], *, size: str, mirror: Mirror
) -> Workload:
    """Return the Versity S3 Gateway over a folder of its volume, with the site's access key as its one identity."""
    return Workload(
        name=NAME,
        image=mirror.name_of(versions.OBJECT_STORE),
        mirror=mirror,
        user=USER,
        ports=(Port("s3", PORT),),
        size=size,
        requests=catalog.Size("100m", "128Mi"),
        limits=catalog.Size("1000m", "1Gi"),
        secret={ACCESS_KEY: access_key, SECRET_KEY: secret_key},
        init=({"name": "prepare", "command": ["mkdir", "-p", "/data/objects"]},),
        container={
            "env": [
                *plain(
                    {
                        "VGW_BACKEND": "posix",
                        "VGW_BACKEND_ARG": "/data/objects",
                        "VGW_PORT": f":{PORT}",
                        "VGW_REGION": REGION,
                        "VGW_HEALTH": HEALTH,
                        "VGW_QUIET": "true",
                    }
                ),
                from_secret("ROOT_ACCESS_KEY_ID", f"{NAME}-credentials", ACCESS_KEY),
                from_secret("ROOT_SECRET_ACCESS_KEY", f"{NAME}-credentials", SECRET_KEY),
            ],
            "startupProbe": _probe(period=2, failures=60),
            "readinessProbe": _probe(period=10, failures=3),
            "livenessProbe": _probe(period=20, failures=6),
        },
    )


def _probe(*, period: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": HEALTH, "port": "s3"},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }


def remote(endpoint: str, secret: str) -> list[Manifest]:
    """Return the environment that gives rclone the remote `store` (rclone documentation, "Environment Variables")."""
    settings = {
        "TYPE": "s3",
        "PROVIDER": "Other",
        "ENDPOINT": endpoint,
        "REGION": REGION,
        "FORCE_PATH_STYLE": "true",
    }
    return [
        *plain({f"RCLONE_CONFIG_STORE_{name}": value for name, value in settings.items()}),
        *plain({"RCLONE_CONFIG": "/notfound", "RCLONE_CACHE_DIR": "/tmp/cache"}),  # noqa: S108
        from_secret("RCLONE_CONFIG_STORE_ACCESS_KEY_ID", secret, ACCESS_KEY),
        from_secret("RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY", secret, SECRET_KEY),
    ]


def bucket_job(bucket: str, endpoint: str, generation: int, mirror: Mirror) -> Manifest:
    """Return the Job that makes the document bucket; one that exists is left as it is."""
    volumes, mounts = scratch_volumes(["/tmp"])  # noqa: S108
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata(f"{NAME}-bucket"),
        "spec": {
            "backoffLimit": 10,
            "activeDeadlineSeconds": 900,
            "template": {
                "metadata": {
                    "labels": {**labels(f"{NAME}-bucket", "client"), client(NAME): "true"},
                    "annotations": {GENERATION: str(generation)},
                },
                "spec": {
                    "restartPolicy": "OnFailure",
                    **pod_base(USER, mirror),
                    "containers": [
                        {
                            "name": "bucket",
                            "image": mirror.name_of(versions.S3_CLIENT),
                            "imagePullPolicy": "IfNotPresent",
                            "args": ["mkdir", f"store:{bucket}"],
                            "env": remote(endpoint, f"{NAME}-credentials"),
                            "resources": resources(
                                catalog.Size("50m", "64Mi"), catalog.Size("500m", "256Mi")
                            ),
                            "securityContext": container_security(),
                            "volumeMounts": mounts,
                        }
                    ],
                    "volumes": volumes,
                },
            },
        },
    }
