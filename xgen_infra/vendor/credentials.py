"""With what to enter a site's registry: from the environment, from Docker's configuration, or by an AWS role."""

from __future__ import annotations

import binascii
import json
import os
import re
import subprocess
import tempfile
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

from xgen_infra.registry import Credential, Endpoint, Problem, RegistryClient, RegistryError
from xgen_infra.vendor.plan import PASSWORD, USERNAME
from xgen_infra.vendor.targets import Ecr, Registry

_SECONDS = 60


def endpoint(registry: Registry) -> Endpoint:
    """Return where a site's registry is."""
    return Endpoint(registry.host, registry.plain_http, registry.ca_certificate)


def credential(registry: Registry) -> Credential | None:
    """Return the credential for a registry; None where there is none to be found, or none is needed.

    Sources, the first that has one: for ECR, AWS; XGEN_REGISTRY_USERNAME with XGEN_REGISTRY_PASSWORD; Docker's
    configuration (DOCKER_CONFIG, else ~/.docker). Raises RegistryError where a source is there and unusable.
    """
    if registry.ecr:
        return _from_aws(registry.ecr)
    username, password = os.environ.get(USERNAME), os.environ.get(PASSWORD)
    if username and password:
        return Credential(username, password, f"{USERNAME} and {PASSWORD}")
    if username or password:
        missing = PASSWORD if username else USERNAME
        raise RegistryError(
            Problem.NO_CREDENTIALS, f"{missing} is not set, its sibling is", "set both or neither"
        )
    return _from_docker(registry.host)


def log_in(registry: Registry) -> Path | None:
    """Check a registry's credential and write it where Docker finds it; return that file, None where none is needed."""
    found = credential(registry)
    with RegistryClient(endpoint(registry), found) as client:
        client.check()
    return None if found is None else _write(registry.host, found)


def docker_config() -> Path:
    """Return Docker's configuration file (Docker CLI reference, "Configuration files")."""
    folder = os.environ.get("DOCKER_CONFIG")
    return (Path(folder) if folder else Path.home() / ".docker") / "config.json"


def _from_docker(host: str) -> Credential | None:
    path = docker_config()
    config = _read(path)
    helper = _object(config, "credHelpers").get(host) or config.get("credsStore")
    for name in (host, f"https://{host}", f"http://{host}", f"https://{host}/v2/", f"https://{host}/v1/"):
        auth = _object(_object(config, "auths"), name).get("auth")
        if isinstance(auth, str) and auth:
            return _decoded(auth, path, host)
    return _from_helper(str(helper), host) if helper else None


def _decoded(auth: str, path: Path, host: str) -> Credential:
    try:
        username, _, password = b64decode(auth, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise RegistryError(
            Problem.NO_CREDENTIALS,
            f"the login for {host} in {path} cannot be read",
            f"run: docker login {host}",
        ) from None
    return Credential(username, password, str(path))


def _from_helper(helper: str, host: str) -> Credential | None:
    """Ask a credential helper (Docker CLI reference, "docker login", credential helper protocol)."""
    if not re.fullmatch(r"[\w.-]+", helper):
        raise RegistryError(
            Problem.NO_CREDENTIALS, f"a credential helper named {helper!r}", "correct its name"
        )
    program = f"docker-credential-{helper}"
    try:
        outcome = subprocess.run(
            [program, "get"], input=host, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = getattr(error, "strerror", None) or "no answer"
        raise RegistryError(
            Problem.NO_CREDENTIALS, f"{program} cannot be asked ({reason})", f"install it, or set {USERNAME}"
        ) from None
    if outcome.returncode:
        return None
    try:
        answer = json.loads(outcome.stdout)
        return Credential(str(answer["Username"]), str(answer["Secret"]), program)
    except (ValueError, KeyError, TypeError):
        raise RegistryError(
            Problem.NO_CREDENTIALS, f"{program} gave no login", f"run: docker login {host}"
        ) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        config = None
    if not isinstance(config, dict):
        raise RegistryError(
            Problem.NO_CREDENTIALS,
            f"{path} is no Docker configuration",
            "mend it, or set DOCKER_CONFIG to another folder",
        )
    return config


def _object(config: dict[str, Any], key: str) -> dict[str, Any]:
    value = config.get(key)
    return value if isinstance(value, dict) else {}


def _write(host: str, login: Credential) -> Path:
    path = docker_config()
    config = _read(path)
    keeper = _object(config, "credHelpers").get(host) or config.get("credsStore")
    if keeper:
        raise RegistryError(
            Problem.CREDENTIALS,
            f"{path} keeps its logins in {keeper}",
            "run docker login instead, or set DOCKER_CONFIG to a folder of its own",
        )
    auth = b64encode(f"{login.username}:{login.password}".encode()).decode()
    config["auths"] = {**_object(config, "auths"), host: {"auth": auth}}
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".config.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(config, stream, indent=2)
    Path(name).replace(path)
    return path


def _from_aws(ecr: Ecr) -> Credential:
    """Return ECR's password of twelve hours (Amazon ECR API, GetAuthorizationToken), as the push principal."""
    import boto3  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        session = boto3.Session(region_name=ecr.region)
        if ecr.push_principal:
            session = _assumed(session, ecr.push_principal, ecr.region)
        answer = session.client("ecr").get_authorization_token()
        token = answer["authorizationData"][0]["authorizationToken"]
    except (BotoCoreError, ClientError) as error:
        who = ecr.push_principal or f"a principal of account {ecr.account}"
        raise RegistryError(
            Problem.NO_CREDENTIALS,
            f"AWS gives no login for ECR in {ecr.account}, {ecr.region} ({error})",
            f"set AWS credentials that are, or may assume, {who}",
        ) from None
    username, _, password = b64decode(token).decode().partition(":")
    return Credential(username, password, f"AWS, as {ecr.push_principal or 'the caller'}")


def _assumed(session: Any, principal: str, region: str) -> Any:
    """Return a session of a role; the given one where the principal is a user, or is the caller already."""
    import boto3  # noqa: PLC0415

    account, resource = principal.split(":")[4:6]
    kind, name = resource.split("/")[0], resource.rpartition("/")[2]
    if kind != "role":
        return session
    sts = session.client("sts")
    if f"::{account}:assumed-role/{name}/" in sts.get_caller_identity()["Arn"]:
        return session
    keys = sts.assume_role(RoleArn=principal, RoleSessionName="xgen-build")["Credentials"]
    return boto3.Session(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        region_name=region,
    )
