"""Takes into the state what a cut-off operation made without noting it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from xgen_infra.engine import Engine, EngineError
from xgen_infra.health.access import reached
from xgen_infra.recovery import clusters, helm, identity
from xgen_infra.recovery.candidates import Candidate, Entry, candidates, without_pending
from xgen_infra.recovery.errors import RecoveryError
from xgen_infra.recovery.places import Place

_ROUNDS = 12
"""Each finds what the one before made known; a stack is no deeper than this."""
_KEPT = ("urn", "type", "parent", "provider", "protect", "additionalSecretOutputs")
_MANAGER = "pulumi-kubernetes"
_OURS = "stack"
_RELEASE = "kubernetes:helm.sh/v3:Release"
_KEY = "aws:iam/accessKey:AccessKey"
_USER = "aws:iam/user:User"
_REFUSED = (ClientError, BotoCoreError)


@dataclass(frozen=True)
class Recovered:
    """What was taken into the state, what is somebody else's, what could not be looked for, and Helm's records."""

    taken: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()
    helm: tuple[str, ...] = ()


@dataclass
class Recovery:
    """The recovery of one stack. `say` receives a line for each thing found."""

    engine: Engine
    stack: str
    say: Callable[[str], None] = lambda _line: None
    _foreign: dict[str, str] = field(default_factory=dict)
    _unasked: dict[str, str] = field(default_factory=dict)
    _places: dict[str, Place] = field(default_factory=dict, repr=False)

    def run(self, *, charts: bool = True) -> Recovered:
        """Find, round by round, what exists and is in no state, and take it in; run again, it finds nothing.

        With `charts`, Helm's records are looked at before anything is taken, in the clusters themselves.

        Only what carries this stack's mark is taken: its tag in AWS, the provider's field manager in Kubernetes.
        Raises RecoveryError and EngineError; UnreachableError for a cluster that does not answer.
        """
        forgotten: list[str] = []
        taken: list[str] = []
        for number in range(_ROUNDS):
            state = self.engine.export(self.stack)
            preview = json.loads(self.engine.run("preview", "--json", "--stack", self.stack))
            lacking = candidates(state, preview)
            if charts and not number:
                forgotten = self._forget_pending(lacking)
            entries = list(self._entries(state, lacking))
            found = self._take(state, entries)
            taken += found
            if not found:
                break
        return Recovered(
            tuple(taken), tuple(self._foreign.values()), tuple(self._unasked.values()), tuple(forgotten)
        )

    def unknown_keys(self) -> Iterator[tuple[Any, str, str]]:
        """Yield (IAM client, user, key id) of access keys that the state does not know: nobody has their secrets."""
        state = self.engine.export(self.stack)
        resources = state["deployment"].get("resources") or []
        known = {one["id"] for one in resources if one["type"] == _KEY}
        for user in (one for one in resources if one["type"] == _USER):
            iam = self._place(state, user["provider"].rpartition("::")[0]).client("iam")
            for key in iam.list_access_keys(UserName=user["id"])["AccessKeyMetadata"]:
                if key["AccessKeyId"] not in known:
                    yield iam, user["id"], key["AccessKeyId"]

    def _forget_pending(self, lacking: Sequence[Candidate]) -> list[str]:
        """Forget them in the namespaces of all releases: of a first installation, the state may know none."""
        state = json.loads(self.engine.run("stack", "export", "--show-secrets", "--stack", self.stack))
        known = [(one["type"], one.get("inputs") or {}) for one in state["deployment"].get("resources") or []]
        spaces = {
            str(inputs["namespace"])
            for kind, inputs in (*known, *((one.type, one.inputs) for one in lacking))
            if kind == _RELEASE and inputs.get("namespace")
        }
        forgotten: list[str] = []
        for provider in clusters.providers(state) if spaces else ():
            context, kubeconfig = provider.get("context"), provider.get("kubeconfig")
            with reached(self.stack, context=context, text=kubeconfig) as api:
                forgotten += helm.forget_pending(api, sorted(spaces))
        for line in forgotten:
            self.say(f"Helm's record of a cut-off operation is gone: {line}")
        return forgotten

    def _entries(self, state: Mapping[str, Any], found: list[Candidate]) -> Iterator[Entry]:
        resources = state["deployment"].get("resources") or []
        providers = {one["urn"]: one for one in resources if one["type"].startswith("pulumi:providers:")}
        ids = {(one["type"], one.get("id")) for one in resources}
        parents = {"", *(one["urn"] for one in resources)}
        for candidate in found:
            provider = providers.get(candidate.provider)
            if provider is None or candidate.urn in self._foreign or candidate.parent not in parents:
                continue
            ident = self._id(state, candidate, ids)
            if ident:
                yield _entry(candidate, ident, f"{provider['urn']}::{provider['id']}")

    def _id(self, state: Mapping[str, Any], candidate: Candidate, ids: set[tuple[str, str]]) -> str | None:
        if not identity.asks(candidate.type):
            return identity.told(candidate.type, candidate.inputs)
        place = self._place(state, candidate.provider)
        tags = {**place.default_tags, **(candidate.inputs.get("tags") or {})}
        try:
            found = identity.asked(candidate.type, candidate.inputs, tags, place.client)
        except _REFUSED as error:
            self._unasked[candidate.urn] = f"{_short(candidate.urn)}: {error}"
            return None
        free = [one for one in found if (candidate.type, one) not in ids]
        if len(free) > 1:
            self._unasked[candidate.urn] = f"{_short(candidate.urn)}: it may be any of {', '.join(free)}"
        return free[0] if len(free) == 1 else None

    def _take(self, state: Mapping[str, Any], entries: list[Entry]) -> list[str]:
        """Put entries into the state and let the providers say which of them exist; the others go again."""
        bare = without_pending(state)
        if not entries:
            if state["deployment"].get("pending_operations"):
                self._import(bare)
            return []
        tried = {**bare["deployment"], "resources": [*(bare["deployment"].get("resources") or []), *entries]}
        self._import({**bare, "deployment": tried})
        try:
            targets = [word for entry in entries for word in ("--target", entry["urn"])]
            self.engine.refresh(self.stack, *targets)
        except EngineError as error:
            self._import(dict(state))
            raise RecoveryError(f"the state is as it was: what exists could not be read ({error})") from None
        return self._sift({entry["urn"]: entry["id"] for entry in entries})

    def _sift(self, tried: Mapping[str, str]) -> list[str]:
        after = self.engine.export(self.stack)
        resources = after["deployment"].get("resources") or []
        there = [one for one in resources if one["urn"] in tried]
        foreign = {
            one["urn"]: f"{_short(one['urn'])} ({one['id']})"
            for one in there
            if not self._is_ours(after, one)
        }
        if foreign:
            kept = [one for one in resources if one["urn"] not in foreign]
            self._import({**after, "deployment": {**after["deployment"], "resources": kept}})
        self._foreign |= foreign
        taken = [f"{_short(one['urn'])} ({one['id']})" for one in there if one["urn"] not in foreign]
        for line in taken:
            self.say(f"taken into the state: {line}")
        return taken

    def _place(self, state: Mapping[str, Any], provider: str) -> Place:
        """Return where a provider of the state works: one that acts by a role takes it on once."""
        if provider not in self._places:
            resources = state["deployment"].get("resources") or []
            self._places[provider] = Place(
                next(one.get("inputs") or {} for one in resources if one["urn"] == provider)
            )
        return self._places[provider]

    def _is_ours(self, state: Mapping[str, Any], resource: Entry) -> bool:
        outputs = resource.get("outputs") or {}
        if resource["type"] == _RELEASE:
            return True
        if resource["type"].startswith("kubernetes:"):
            fields = (outputs.get("metadata") or {}).get("managedFields") or []
            return any(one["manager"].startswith(_MANAGER) for one in fields)
        if "tagsAll" not in outputs:
            return True
        mark = self._place(state, resource["provider"].rpartition("::")[0]).default_tags.get(_OURS)
        return mark is None or (outputs["tagsAll"] or {}).get(_OURS) == mark

    def _import(self, state: Mapping[str, Any]) -> None:
        with tempfile.TemporaryDirectory(prefix="xgen-recover-") as folder:
            path = Path(folder) / "state.json"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as stream:
                json.dump(state, stream)
            self.engine.run("stack", "import", "--file", str(path), "--stack", self.stack)


def _entry(candidate: Candidate, ident: str, provider: str) -> Entry:
    inputs = dict(candidate.inputs)
    kept = {key: candidate.entry[key] for key in _KEPT if candidate.entry.get(key)}
    return {**kept, "custom": True, "id": ident, "provider": provider, "inputs": inputs, "outputs": inputs}


def _short(urn: str) -> str:
    """Return `<type> <name>` of a URN."""
    return f"{urn.split('::')[2].rsplit('$', 1)[-1]} {urn.rsplit('::', 1)[-1]}"
