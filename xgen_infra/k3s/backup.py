"""PostgreSQL's dumps into the object store: a CronJob that makes them, and a suspended one that restores one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xgen_infra import catalog, versions
from xgen_infra.k3s import objects, postgres
from xgen_infra.k3s.manifests import checksum
from xgen_infra.k3s.workload import (
    CONFIG_MOUNT,
    GENERATION,
    Manifest,
    Mirror,
    client,
    container_security,
    from_secret,
    labels,
    metadata,
    plain,
    pod_base,
    resources,
    scratch_volumes,
    script,
)

NAME = "postgres-backup"
RESTORE = "postgres-restore"
PREFIX = "postgres"
WORK = "/work"
NEVER = "0 0 31 2 *"
"""A CronJob needs a schedule; this one is suspended, and February has no 31st."""
SCRIPTS = ("backup-dump.sh", "backup-store.sh", "restore-fetch.sh", "restore-load.sh")


@dataclass(frozen=True)
class Dumps:
    """What the CronJobs need to know: database, target, schedule (five cron fields), retention (days).

    `store_secret` is the Secret of the object store's keys.
    """

    database: str
    user: str
    port: int
    endpoint: str
    bucket: str
    store_secret: str
    schedule: str
    keep_days: int
    mirror: Mirror
    generation: int


def scripts() -> dict[str, str]:
    """Return the files of the ConfigMap."""
    return {name: script(name) for name in SCRIPTS}


def config_map() -> Manifest:
    """Return the ConfigMap of the scripts."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(f"{NAME}-scripts"),
        "data": scripts(),
    }


def store_secret(dumps: Dumps, access_key: Any, secret_key: Any) -> Manifest:
    """Return the Secret of the keys of an object store outside the cluster."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(dumps.store_secret, NAME),
        "type": "Opaque",
        "stringData": {objects.ACCESS_KEY: access_key, objects.SECRET_KEY: secret_key},
    }


def backup(dumps: Dumps) -> Manifest:
    """Return the CronJob: dump, read back, store, read back, and only then delete what is older than keep_days."""
    store = {"KEEP_DAYS": str(dumps.keep_days)}
    return _cron_job(
        NAME,
        {"schedule": dumps.schedule, "concurrencyPolicy": "Forbid", "startingDeadlineSeconds": 3600},
        dumps,
        first=_database(dumps, "dump", "backup-dump.sh"),
        then=_store(dumps, "store", "backup-store.sh", store),
    )


def restore(dumps: Dumps) -> Manifest:
    """Return the suspended CronJob from which a restore is started by hand (docs/tasks/restore-a-database.md)."""
    return _cron_job(
        RESTORE,
        {"schedule": NEVER, "suspend": True, "concurrencyPolicy": "Forbid"},
        dumps,
        first=_store(dumps, "fetch", "restore-fetch.sh", {"BACKUP": "latest"}),
        then=_database(dumps, "load", "restore-load.sh"),
        retries=0,
    )


def _cron_job(
    name: str, spec: Mapping[str, Any], dumps: Dumps, *, first: Manifest, then: Manifest, retries: int = 2
) -> Manifest:
    scratch, scratch_mounts = scratch_volumes(["/tmp", WORK])  # noqa: S108
    mounts = [*scratch_mounts, {"name": "scripts", "mountPath": CONFIG_MOUNT, "readOnly": True}]
    pod = {
        "restartPolicy": "Never",
        **pod_base(postgres.USER, dumps.mirror),
        "initContainers": [{**first, "volumeMounts": mounts}],
        "containers": [{**then, "volumeMounts": mounts}],
        "volumes": [*scratch, {"name": "scripts", "configMap": {"name": f"{NAME}-scripts"}}],
    }
    template = {
        "metadata": {
            "labels": {
                **labels(name, "client"),
                client(postgres.NAME): "true",
                client(objects.NAME): "true",
            },
            "annotations": {
                GENERATION: str(dumps.generation),
                "xgen/config-checksum": checksum(scripts()),
            },
        },
        "spec": pod,
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": metadata(name),
        "spec": {
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 3,
            **spec,
            "jobTemplate": {
                "metadata": {"labels": labels(name, "client")},
                "spec": {"backoffLimit": retries, "activeDeadlineSeconds": 6 * 3600, "template": template},
            },
        },
    }


def _database(dumps: Dumps, name: str, file: str) -> Manifest:
    connection = {
        "PGHOST": f"{postgres.NAME}-headless",
        "PGPORT": str(dumps.port),
        "PGDATABASE": dumps.database,
        "PGUSER": dumps.user,
        "WORK": WORK,
    }
    password = from_secret("PGPASSWORD", f"{postgres.NAME}-credentials", postgres.PASSWORD)
    return _container(name, versions.POSTGRES, file, [*plain(connection), password], dumps.mirror)


def _store(dumps: Dumps, name: str, file: str, extra: Mapping[str, str]) -> Manifest:
    target = {"BACKUP_BUCKET": dumps.bucket, "BACKUP_PREFIX": PREFIX, "WORK": WORK, **extra}
    env = [*plain(target), *objects.remote(dumps.endpoint, dumps.store_secret)]
    return _container(name, versions.S3_CLIENT, file, env, dumps.mirror)


def _container(name: str, image: versions.Image, file: str, env: list[Manifest], mirror: Mirror) -> Manifest:
    return {
        "name": name,
        "image": mirror.name_of(image),
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/sh", f"{CONFIG_MOUNT}/{file}"],
        "env": env,
        "resources": resources(catalog.Size("100m", "128Mi"), catalog.Size("1000m", "512Mi")),
        "securityContext": container_security(),
    }
