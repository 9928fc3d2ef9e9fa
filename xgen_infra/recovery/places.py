"""AWS as a provider of the stack sees it: its region, its role, its default tags."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3

_SESSION = "xgen-recover"


@dataclass
class Place:
    """One AWS provider of a state: `inputs` are its own. AWS is reached with the caller's credentials."""

    inputs: Mapping[str, Any] = field(repr=False)
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def default_tags(self) -> dict[str, str]:
        """The tags that the provider puts on everything it makes."""
        found: dict[str, str] = (_parsed(self.inputs.get("defaultTags")) or {}).get("tags") or {}
        return found

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service, the same each time."""
        if service not in self._clients:
            self._clients[service] = self._session.client(service)
        return self._clients[service]

    @cached_property
    def _session(self) -> boto3.Session:
        region = self.inputs.get("region")
        roles: list[dict[str, Any]] = _parsed(self.inputs.get("assumeRoles")) or []
        role = roles[0].get("roleArn") if roles else None
        if not role:
            return boto3.Session(region_name=region)
        sts = boto3.client("sts", region_name=region)
        made = sts.assume_role(RoleArn=role, RoleSessionName=_SESSION)["Credentials"]
        return boto3.Session(
            aws_access_key_id=made["AccessKeyId"],
            aws_secret_access_key=made["SecretAccessKey"],
            aws_session_token=made["SessionToken"],
            region_name=region,
        )


def _parsed(value: Any) -> Any:
    """Return a nested input of a provider, which the engine keeps as JSON text."""
    return json.loads(value) if isinstance(value, str) else value
