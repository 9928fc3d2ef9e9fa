"""The stack of a rotation: its state, by the engine, and the key's user, by IAM."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from xgen_infra.engine import Engine
from xgen_infra.rotation.errors import RotationError

_KEY_TYPE = "aws:iam/accessKey:AccessKey"
_KEY_NAME = "keys-generation-"
_ACCEPTED_SECONDS = 120.0
_REFUSED = (ClientError, BotoCoreError)


@dataclass(frozen=True)
class EngineStack:
    """A stack by its engine. AWS is reached with the caller's own credentials, as `pulumi up` does."""

    engine: Engine
    name: str
    region: str
    accepted_seconds: float = _ACCEPTED_SECONDS

    def generations(self) -> frozenset[int]:
        """Return the generations of the keys in the stack's state."""
        return frozenset(_keys(self.engine.export(self.name)))

    def up(self) -> None:
        """Bring the stack to what the file says."""
        self.engine.up(self.name)

    def make_key(self, generation: int) -> None:
        """Make one key, unless it is there, and nothing else; return when AWS accepts it.

        A new key may be refused for some seconds (IAM User Guide, "Troubleshoot IAM", eventual consistency):
        pods get it only afterwards. Raises RotationError where AWS still refuses it after `accepted_seconds`.
        """
        if generation not in self.generations():
            self._remove_orphans(generation)
            self.engine.up(self.name, "--target", f"**::{_KEY_NAME}{generation}")
        exported = json.loads(self.engine.run("stack", "export", "--show-secrets", "--stack", self.name))
        made = _keys(exported).get(generation)
        if made is None:
            raise RotationError(f"{self.name}: the engine made no key of generation {generation}")
        self._try(made["id"], _plain(made["outputs"]["secret"]))

    def _try(self, key: str, secret: str) -> None:
        client = boto3.client(
            "sts", region_name=self.region, aws_access_key_id=key, aws_secret_access_key=secret
        )
        tries = Retrying(
            stop=stop_after_delay(self.accepted_seconds),
            wait=wait_fixed(1),
            retry=retry_if_exception_type(_REFUSED),
        )
        try:
            tries(client.get_caller_identity)
        except RetryError as error:
            raise RotationError(
                f"{self.name}: AWS does not accept the new key {key} after {self.accepted_seconds:g} s "
                f"({error.last_attempt.exception()}). Pods still carry the old one. Run this again to go on"
            ) from None

    def _remove_orphans(self, generation: int) -> None:
        """Delete a key that an `up` was making when it was killed: nobody was ever given its secret.

        An IAM user has two keys at most (IAM User Guide, "IAM and AWS STS quotas"), so it is in the way.
        """
        state = self.engine.export(self.name)
        pending = state["deployment"].get("pending_operations") or []
        urns = [found["resource"]["urn"] for found in pending if found.get("type") == "creating"]
        if not any(urn.endswith(f"::{_KEY_NAME}{generation}") for urn in urns):
            return
        user = next(key["outputs"]["user"] for key in _keys(state).values())
        known = {key["id"] for key in _keys(state).values()}
        iam = boto3.client("iam", region_name=self.region)
        try:
            for listed in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]:
                if listed["AccessKeyId"] not in known:
                    iam.delete_access_key(UserName=user, AccessKeyId=listed["AccessKeyId"])
        except _REFUSED as error:
            raise RotationError(
                f"{self.name}: an interrupted run left a key of user {user} that is not in the state, and it cannot "
                f"be removed ({error}). Delete it by hand: the state knows {', '.join(sorted(known))}"
            ) from None


def _keys(state: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """Return the key resources of an exported state by generation; those that wait for deletion are left out."""
    found = state["deployment"].get("resources") or []
    names = {
        resource["urn"].rpartition("::")[2]: resource
        for resource in found
        if resource["type"] == _KEY_TYPE and not resource.get("delete")
    }
    return {
        int(name.removeprefix(_KEY_NAME)): resource
        for name, resource in names.items()
        if name.startswith(_KEY_NAME)
    }


def _plain(value: Any) -> str:
    """Return a value of a state that was exported with its secrets shown."""
    return str(json.loads(value["plaintext"])) if isinstance(value, dict) else str(value)
