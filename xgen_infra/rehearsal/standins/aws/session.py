"""What one provider instance sees of AWS: its region, its account, its default tags, and the clients for them."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from xgen_infra.rehearsal.standins.aws.store import Store
from xgen_infra.rehearsal.standins.aws.world import ROOT_KEY_ID, World

_ROOT_KEY = (ROOT_KEY_ID, "not-a-secret")
_RETRIES = Config(
    retries={"max_attempts": 1}, s3={"addressing_style": "path"}, request_checksum_calculation="when_required"
)
_ACCOUNT_FIELD = 4
_CLIENTS: dict[tuple[object, ...], Any] = {}
_LOCK = threading.Lock()
Tags = dict[str, str]


class AwsError(Exception):
    """AWS refused. `code` is its error code, such as `DependencyViolation`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class ProviderConfigError(Exception):
    """The provider instance's configuration cannot be used; the message says which field and why."""


@dataclass(frozen=True)
class Aws:
    """One provider instance at work in one region and account."""

    world: World
    region: str
    account: str
    default_tags: Tags = field(default_factory=dict)
    key: tuple[str, str] = _ROOT_KEY

    @property
    def partition(self) -> str:
        """The ARN partition of the region."""
        return "aws-cn" if self.region.startswith("cn-") else "aws"

    def client(self, service: str) -> Any:
        """Give the boto3 client of a service; clients are shared by every instance with the same view."""
        which = (self.world.moto_url, service, self.region, self.account, self.key)
        with _LOCK:
            if which not in _CLIENTS:
                _CLIENTS[which] = self._connect(service)
            return _CLIENTS[which]

    def in_region(self, region: str | None) -> Aws:
        """Give the same instance at work in another region (the `region` input of a resource)."""
        return self if region in {None, self.region} else replace(self, region=str(region))

    @cached_property
    def store(self) -> Store:
        """What the emulator does not hold, for this account and region."""
        return Store(self.world.root / "aws-store" / f"{self.account}-{self.region}.json")

    def arn(self, service: str, resource: str, *, regional: bool = True) -> str:
        """Compose an ARN of this account; a global service (IAM) leaves the region out."""
        return f"arn:{self.partition}:{service}:{self.region if regional else ''}:{self.account}:{resource}"

    def _connect(self, service: str) -> Any:
        client = _session().create_client(
            service,
            region_name=self.region,
            endpoint_url=self.world.moto_url,
            aws_access_key_id=self.key[0],
            aws_secret_access_key=self.key[1],
            config=_RETRIES,
        )
        if self.key == _ROOT_KEY:
            client.meta.events.register("before-sign.*.*", self._name_account)
        if self.world.answer:
            client.meta.events.register("before-send.*.*", self.world.answer)
        return client

    def _name_account(self, request: Any, **_: Any) -> None:
        request.headers["x-moto-account-id"] = self.account


@cache
def _session() -> Any:
    """Give the one botocore session: it keeps the services' models, and knows nothing of the user's own AWS."""
    nothing = {"profile": None, "config_file": os.devnull, "credentials_file": os.devnull}
    return botocore.session.Session({name: (None, None, value, None) for name, value in nothing.items()})


class Sessions:
    """Resolves each provider configuration once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._open: dict[str, Aws] = {}

    def get(self, config: Mapping[str, Any]) -> Aws:
        """Give the session of a configuration. Raises as `open_session`."""
        text = json.dumps(dict(config), sort_keys=True, default=str)
        if text not in self._open:
            self._open[text] = open_session(self._world, config)
        return self._open[text]


def open_session(world: World, config: Mapping[str, Any]) -> Aws:
    """Resolve a provider configuration. Raises ProviderConfigError and AwsError.

    Nested fields may be JSON text, as the SDK sends them. Credentials in the configuration are used as they
    are (and may be refused); those of the environment are the rehearsal's own. Roles are assumed in turn.
    """
    region = _plain(config, "region")
    if not region:
        raise ProviderConfigError("`region` is not set on the aws provider: give it the site's region")
    tags = (_plain(config, "defaultTags") or {}).get("tags") or {}
    aws = Aws(world, str(region), world.account, dict(tags))
    if _plain(config, "accessKey"):
        aws = _with_key(aws, str(_plain(config, "accessKey")), str(_plain(config, "secretKey") or ""))
    for role in _plain(config, "assumeRoles") or []:
        aws = _assume(aws, role)
    _check_account(aws.account, config)
    return aws


def _with_key(aws: Aws, key_id: str, secret: str) -> Aws:
    signed = replace(aws, key=(key_id, secret))
    try:
        found = signed.client("sts").get_caller_identity()
    except ClientError as refused:
        raise AwsError(refused.response["Error"]["Code"], refused.response["Error"]["Message"]) from refused
    return replace(signed, account=str(found["Account"]))


def _assume(aws: Aws, role: Mapping[str, Any]) -> Aws:
    arn = str(role.get("roleArn") or "")
    fields = arn.split(":")
    if len(fields) <= _ACCOUNT_FIELD or not fields[_ACCOUNT_FIELD].isdigit():
        raise ProviderConfigError(f"`assumeRoles` names {arn!r}, which is not the ARN of a role")
    extra = {"ExternalId": role["externalId"]} if role.get("externalId") else {}
    aws.client("sts").assume_role(
        RoleArn=arn, RoleSessionName=role.get("sessionName") or "rehearsal", **extra
    )
    return replace(aws, account=fields[_ACCOUNT_FIELD], key=_ROOT_KEY)


def _check_account(account: str, config: Mapping[str, Any]) -> None:
    allowed, forbidden = _plain(config, "allowedAccountIds"), _plain(config, "forbiddenAccountIds")
    if (allowed and account not in allowed) or (forbidden and account in forbidden):
        raise ProviderConfigError(
            f"AWS account ID not allowed: {account}; the provider's credentials belong to that account, "
            f"`allowedAccountIds` says {allowed or 'any'}, `forbiddenAccountIds` says {forbidden or 'none'}"
        )


def _plain(config: Mapping[str, Any], name: str) -> Any:
    value = config.get(name)
    if isinstance(value, str) and value[:1] in {"[", "{"}:
        return json.loads(value)
    return value
