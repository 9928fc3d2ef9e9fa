"""What checks may look at: the cluster, AWS and the stack's state, each reached when the first check asks for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from kubernetes import client

from xgen_infra.engine import Engine, EngineError
from xgen_infra.health.access import UnreachableError, kubeconfig_of, reached
from xgen_infra.runbook.facts import Facts
from xgen_infra.runbook.step import NotRunError, on_eks

SECONDS = 15
_CONNECT_SECONDS = 4
_PATIENCE = Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 2})


@dataclass
class Scene:
    """One run of checks. `kubeconfig` names another one than the stack's; `text` is the stack's, where it is known."""

    facts: Facts
    engine: Engine | None
    kubeconfig: Path | None = None
    text: str | None = field(default=None, repr=False)
    closing: ExitStack = field(default_factory=ExitStack, repr=False)
    _unreachable: UnreachableError | None = field(default=None, init=False)

    @property
    def api(self) -> client.ApiClient:
        """A client of the cluster, which has answered once. Raises UnreachableError, every time the same."""
        if self._unreachable:
            raise self._unreachable
        try:
            return self._api
        except UnreachableError as error:
            self._unreachable = error
            raise

    @cached_property
    def _api(self) -> client.ApiClient:
        context = self.facts.get("cluster", "context") or None
        text = None
        if self.kubeconfig:
            context = None
        elif on_eks(self.facts):
            context, text = self._of_eks()
        name = self.facts.text("stack")
        with reached(name, self.kubeconfig, context, text) as api:
            client.VersionApi(api).get_code(_request_timeout=(_CONNECT_SECONDS, SECONDS))
        return self.closing.enter_context(reached(name, self.kubeconfig, context, text))

    def _of_eks(self) -> tuple[str | None, str | None]:
        """Return (context, kubeconfig): the stack's own, else the context that `aws eks update-kubeconfig` makes."""
        if self.text:
            return None, self.text
        if self.engine:
            try:
                return None, kubeconfig_of(self.facts.text("stack"), self.engine)
            except UnreachableError:
                pass
        return self.facts.text("clusterName"), None

    def aws(self, service: str) -> Any:
        """Return a client of an AWS service in the site's region. Raises NotRunError without its account's credentials."""
        self._right_account  # noqa: B018 - asked for once
        return boto3.client(service, region_name=self._region, config=_PATIENCE)

    @cached_property
    def _right_account(self) -> None:
        account = self.facts.text("cluster", "account")
        try:
            found = boto3.client("sts", region_name=self._region, config=_PATIENCE).get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            raise NotRunError(f"AWS cannot be asked: {error}") from None
        if found["Account"] != account:
            raise NotRunError(f"the AWS credentials here are of account {found['Account']}, not {account}")

    @property
    def _region(self) -> str:
        return self.facts.text("cluster", "region")

    def state(self) -> dict[str, Any]:
        """Return the stack's state, secrets encrypted. Raises NotRunError where it cannot be read from here."""
        if self.engine is None:
            raise NotRunError("the outputs came from elsewhere: the stack's state is not looked for")
        try:
            return self.engine.export(self.facts.text("stack"))
        except (EngineError, OSError, json.JSONDecodeError) as error:
            raise NotRunError(f"the stack's state cannot be read: {str(error).splitlines()[-1]}") from None


@contextmanager
def scene(facts: Facts, engine: Engine | None, kubeconfig: Path | None, text: str | None) -> Iterator[Scene]:
    """Yield a scene, and close what it opened."""
    with ExitStack() as closing:
        yield Scene(facts, engine, kubeconfig, text, closing)
