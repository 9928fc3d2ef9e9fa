"""PostgreSQL in the cluster."""

from __future__ import annotations

import pulumi

from xgen_infra import catalog, versions
from xgen_infra.k3s.workload import CONFIG_MOUNT, Manifest, Mirror, Port, Workload, from_secret, plain, script
from xgen_infra.site.parts import Postgres

NAME = "postgres"
USER = 999
"""The user postgres of the image."""
PASSWORD = "password"  # noqa: S105


def workload(infra: Postgres, password: pulumi.Input[str], *, size: str, mirror: Mirror) -> Workload:
    """Return PostgreSQL with the site's database and role.

    An init container makes the database on an empty volume, and on every start gives the role the Secret's
    password: a replaced password holds for data that exists. The role owns its database and may make others
    (restores do), and is no superuser; the superuser postgres has no password and is reached from inside the
    pod alone.
    """
    names = plain({"PGDATA": "/data/postgres", "POSTGRES_DB": infra.database, "POSTGRES_USER": infra.user})
    ready = [
        "pg_isready",
        "--quiet",
        "--host=127.0.0.1",
        f"--port={infra.port}",
        f"--dbname={infra.database}",
        f"--username={infra.user}",
    ]
    return Workload(
        name=NAME,
        image=mirror.name_of(versions.POSTGRES),
        mirror=mirror,
        user=USER,
        ports=(Port("postgres", infra.port),),
        size=size,
        requests=catalog.Size("250m", "512Mi"),
        limits=catalog.Size("2000m", "2Gi"),
        secret={PASSWORD: password},
        config={
            "prepare.sh": script("postgres-prepare.sh"),
            "prepare.sql": script("postgres-prepare.sql"),
            "pg_hba.conf": script("pg_hba.conf"),
        },
        init=(
            {
                "name": "prepare",
                "command": ["/bin/sh", f"{CONFIG_MOUNT}/prepare.sh"],
                "env": [
                    *names,
                    *plain({"SCRIPTS": CONFIG_MOUNT}),
                    from_secret("POSTGRES_PASSWORD", f"{NAME}-credentials", PASSWORD),
                ],
            },
        ),
        container={
            "command": ["postgres"],
            "args": [f"--{key}={value}" for key, value in _settings(infra.port).items()],
            "env": names,
            "startupProbe": _probe(ready, period=10, failures=360),
            "readinessProbe": _probe(ready, period=10, failures=3),
            "livenessProbe": _probe(ready, period=20, failures=6),
        },
        volumes=({"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": "256Mi"}},),
        mounts=({"name": "shared-memory", "mountPath": "/dev/shm"},),  # noqa: S108
        scratch=("/tmp", "/var/run/postgresql"),  # noqa: S108
        grace_seconds=120,
    )


def _settings(port: int) -> dict[str, str]:
    return {
        "port": str(port),
        "listen_addresses": "*",
        "hba_file": f"{CONFIG_MOUNT}/pg_hba.conf",
        "password_encryption": "scram-sha-256",
        "max_connections": "200",
        "shared_buffers": "512MB",
    }


def _probe(command: list[str], *, period: int, failures: int) -> Manifest:
    return {
        "exec": {"command": command},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
