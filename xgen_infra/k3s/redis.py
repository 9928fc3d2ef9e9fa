"""Redis in the cluster: Valkey, which speaks its protocol (docs/adr/0004-valkey-on-prem.md)."""

from __future__ import annotations

import pulumi

from xgen_infra import catalog, versions
from xgen_infra.k3s.workload import CONFIG_MOUNT, Manifest, Mirror, Port, Workload, from_secret, script
from xgen_infra.site.parts import Redis

NAME = "redis"
USER = 10001
"""Any will do; no user of a node has this number, whose files on a local volume would then be theirs too."""
PASSWORD = "password"  # noqa: S105
AUTH = "auth.conf"


def workload(infra: Redis, password: pulumi.Output[str], *, size: str, mirror: Mirror) -> Workload:
    """Return Valkey with a password, its data in an append-only file.

    The password reaches the server by a file of the Secret that its configuration includes, so that it is in
    no argument and no ConfigMap. Memory is bounded below the container's limit: a full store refuses writes
    rather than being killed.
    """
    ping = ["/bin/sh", "-c", f'test "$(valkey-cli -h 127.0.0.1 -p {infra.port} ping)" = PONG']
    return Workload(
        name=NAME,
        image=mirror.name_of(versions.VALKEY),
        mirror=mirror,
        user=USER,
        ports=(Port("redis", infra.port),),
        size=size,
        requests=catalog.Size("100m", "256Mi"),
        limits=catalog.Size("1000m", "1Gi"),
        secret={PASSWORD: password, AUTH: password.apply(auth_file)},
        config={"valkey.conf": script("valkey.conf")},
        container={
            "command": [
                "valkey-server",
                f"{CONFIG_MOUNT}/valkey.conf",
                "--port",
                str(infra.port),
                "--maxmemory",
                "768mb",
            ],
            "env": [from_secret("REDISCLI_AUTH", f"{NAME}-credentials", PASSWORD)],
            "startupProbe": _probe(ping, period=5, failures=120),
            "readinessProbe": _probe(ping, period=10, failures=3),
            "livenessProbe": _probe(ping, period=20, failures=6),
        },
        volumes=(
            {
                "name": "auth",
                "secret": {
                    "secretName": f"{NAME}-credentials",
                    "items": [{"key": AUTH, "path": AUTH}],
                    "defaultMode": 0o440,
                },
            },
        ),
        mounts=({"name": "auth", "mountPath": "/run/secrets/valkey", "readOnly": True},),
    )


def auth_file(password: str) -> str:
    """Return the configuration line that sets a password.

    In double quotes a byte may be written as a backslash, x and two hexadecimal digits (valkey.conf).
    """
    quoted = "".join(
        chr(b) if chr(b).isascii() and chr(b).isalnum() else f"\\x{b:02x}" for b in password.encode()
    )
    return f'requirepass "{quoted}"\n'


def _probe(command: list[str], *, period: int, failures: int) -> Manifest:
    return {
        "exec": {"command": command},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
