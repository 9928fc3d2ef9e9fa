"""PostgreSQL, Redis and Qdrant where the file names them: there, and taking the site's own credentials."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import psycopg
import redis as redis_client

from xgen_infra.preflight.check import Result, StopError, fine, refuse, warn
from xgen_infra.preflight.reach import FROM_INSIDE, closed
from xgen_infra.preflight.scene import Scene


def _reach(what: str, host: str, port: int, seconds: float) -> None:
    """End the check where this machine cannot tell."""
    if why := closed(host, port, seconds):
        raise StopError(warn(f"{what} at {host}:{port} cannot be reached from here ({why})", FROM_INSIDE))


def _renew(scene: Scene, key: str) -> str:
    return f"write the right one: pulumi config set --secret xgen-infra:{key} --stack {scene.site.stack}"


def postgres(scene: Scene) -> Iterator[Result]:
    """Log in as the services will, read-only, and look whether they may make their tables."""
    spec = scene.site.infra.postgres
    assert spec.host  # noqa: S101
    password = scene.secrets.need("postgresPassword")
    _reach("PostgreSQL", spec.host, spec.port, scene.seconds)
    where = f"{spec.host}:{spec.port}/{spec.database}"
    try:
        with psycopg.connect(
            host=spec.host,
            port=spec.port,
            dbname=spec.database,
            user=spec.user,
            password=password,
            connect_timeout=max(2, int(scene.seconds)),
            options="-c default_transaction_read_only=on -c statement_timeout=5000",
        ) as connection:
            row = connection.execute(
                "SELECT current_setting('server_version'), has_schema_privilege('public', 'CREATE'),"
                " pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()"
            ).fetchone()
    except psycopg.Error as error:
        # The port is open: what comes now is the server's own refusal, in whatever language it speaks.
        told = " ".join(str(error).split())
        yield refuse(
            f"PostgreSQL at {where} does not let {spec.user} in ({told})",
            f"make the user and its database there, or {_renew(scene, 'postgresPassword')}",
        )
        return
    assert row  # noqa: S101
    version, creates, encoding = row
    yield fine(f"PostgreSQL {version} at {where} lets {spec.user} in")
    if not creates:
        yield refuse(
            f"{spec.user} may make no table in {spec.database}",
            f'as its owner: ALTER DATABASE "{spec.database}" OWNER TO "{spec.user}"; GRANT CREATE ON SCHEMA public '
            f'TO "{spec.user}"',
        )
    if encoding != "UTF8":
        yield warn(f"{spec.database} is encoded in {encoding}", "make it with ENCODING 'UTF8'")


def redis(scene: Scene) -> Iterator[Result]:
    """Log in as the services will, and look whether anybody else could."""
    spec = scene.site.infra.redis
    assert spec.host  # noqa: S101
    password = scene.secrets.need("redisPassword")
    _reach("Redis", spec.host, spec.port, scene.seconds)
    where = f"Redis at {spec.host}:{spec.port}"
    try:
        if _version(scene, spec.host, None) is not None:
            yield refuse(
                f"{where} asks for no password, and the services send one",
                "set requirepass to the site's own redisPassword there",
            )
            return
        version = _version(scene, spec.host, password)
    except redis_client.RedisError as error:
        yield refuse(f"{where} does not answer as Redis ({' '.join(str(error).split())})")
        return
    if version is None:
        yield refuse(f"{where} does not take the password", _renew(scene, "redisPassword"))
    else:
        yield fine(f"{where} takes the password ({version})")


def _version(scene: Scene, host: str, password: str | None) -> str | None:
    """Return the server's version; None where it does not let this password, or nobody's, in."""
    with redis_client.Redis(
        host,
        scene.site.infra.redis.port,
        password=password,
        socket_connect_timeout=scene.seconds,
        socket_timeout=scene.seconds,
    ) as store:
        try:
            return str(store.info("server").get("redis_version", "unknown"))
        except redis_client.AuthenticationError:
            return None


def qdrant(scene: Scene) -> Iterator[Result]:
    """Ask Qdrant for its collections as the services will, and without the key (Qdrant documentation, "Security")."""
    spec = scene.site.infra.qdrant
    assert spec.host  # noqa: S101
    key = scene.secrets.need("qdrantApiKey")
    _reach("Qdrant", spec.host, spec.port, scene.seconds)
    where = f"Qdrant at {spec.host}:{spec.port}"
    url = f"http://{spec.host}:{spec.port}/collections"
    try:
        with httpx.Client(timeout=scene.seconds) as client:
            answer = client.get(url, headers={"api-key": key})
            anybody = client.get(url)
    except httpx.HTTPError as error:
        yield refuse(f"{where} does not answer over HTTP ({str(error) or type(error).__name__})")
        return
    if answer.status_code in {401, 403}:
        yield refuse(f"{where} does not take the key", _renew(scene, "qdrantApiKey"))
    elif not answer.is_success or '"result"' not in answer.text:
        yield refuse(f"{where} answered with status {answer.status_code}, not as Qdrant does")
    else:
        yield fine(f"{where} takes the key")
        if anybody.is_success:
            yield warn(f"{where} answers without any key too", "set service.api_key in its configuration")
    if why := closed(spec.host, spec.grpc_port, scene.seconds):
        yield warn(
            f"Qdrant's gRPC port {spec.host}:{spec.grpc_port} cannot be reached from here ({why})",
            f"publish that port beside {spec.port}; or {FROM_INSIDE}",
        )
