"""Where a provider's configuration says that its cluster is."""

from __future__ import annotations

import copy
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from xgen_infra.rehearsal.standins.contract import UNKNOWN, Props

if TYPE_CHECKING:
    from xgen_infra.rehearsal.standins.kubernetes.transport import Transport


class KubeconfigError(Exception):
    """A kubeconfig cannot be used; the message says why."""


@dataclass(frozen=True)
class Kubeconfig:
    """A kubeconfig given as text, or as files (as KUBECONFIG lists them), and the choices made in it."""

    text: str = ""
    files: str = ""
    context: str = ""
    cluster: str = ""

    @property
    def digest(self) -> str:
        """A name for this choice."""
        words = [self.text, self.files, self.context, self.cluster]
        return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:16]

    def content(self) -> Props:
        """Return the kubeconfig with its choices made; raises KubeconfigError where it cannot be read."""
        try:
            content = _merged(self.files) if self.files else yaml.safe_load(self.text)
        except (OSError, yaml.YAMLError) as error:
            raise KubeconfigError(f"the kubeconfig cannot be read: {error}") from None
        if not isinstance(content, dict):
            raise KubeconfigError(
                "the kubeconfig cannot be read: expected a map, as `kubectl config view` prints"
            )
        content = copy.deepcopy(content)
        if self.context:
            content["current-context"] = self.context
        if self.cluster and (chosen := _named(content, "contexts", content.get("current-context"))):
            chosen["cluster"] = self.cluster
        return content

    def transport(self, private: Path) -> Transport:
        """Return a client; raises KubeconfigError. Keys that a client needs as files are kept in `private`."""
        from xgen_infra.rehearsal.standins.kubernetes.transport import Transport  # noqa: PLC0415

        return Transport(self.content(), private)

    def namespace(self) -> str:
        """Return the namespace of the chosen context."""
        content = self.content()
        chosen = _named(content, "contexts", content.get("current-context")) or {}
        return str(chosen.get("namespace") or "default")


def of(config: Mapping[str, Any]) -> Kubeconfig:
    """Return the kubeconfig of a provider's configuration; without one, the ambient one ($KUBECONFIG)."""
    context, cluster = str(config.get("context") or ""), str(config.get("cluster") or "")
    given = config.get("kubeconfig") or ""
    if not given:
        files = os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
        return Kubeconfig("", files, context, cluster)
    text = given if isinstance(given, str) else json.dumps(given)
    if "\n" not in text and not text.lstrip().startswith("{"):
        return Kubeconfig("", str(Path(text).expanduser()), context, cluster)
    return Kubeconfig(text, "", context, cluster)


def replaced_by(old: Props, new: Props) -> list[str]:
    """Return the configuration keys whose change replaces everything on the cluster.

    Source: pulumi-kubernetes documentation, "Provider", clusterIdentifier: while that is set and the same, nothing
    is replaced; where it changes, everything is. Otherwise the address and authority of the active cluster decide.
    """
    before, after = old.get("clusterIdentifier"), new.get("clusterIdentifier")
    if before and after:
        return ["clusterIdentifier"] if before != after else []
    choices = ("kubeconfig", "context", "cluster")
    changed = [key for key in choices if old.get(key) != new.get(key)]
    unknown = [key for key in changed if new.get(key) == UNKNOWN]
    if unknown:
        return unknown[:1]
    old_cluster, new_cluster = _active(old), _active(new)
    return changed if old_cluster and new_cluster and old_cluster != new_cluster else []


def server(content: Props) -> str:
    """Return the address of the API server of a kubeconfig's chosen context; raises KubeconfigError."""
    chosen = content.get("current-context")
    context = _named(content, "contexts", chosen)
    cluster = _named(content, "clusters", context.get("cluster")) if context else None
    if not cluster or not cluster.get("server"):
        raise KubeconfigError(f"the kubeconfig has no cluster for the context {chosen!r}")
    return str(cluster["server"])


def _active(config: Props) -> Props | None:
    """Return the cluster that a configuration makes active, or None where that cannot be told."""
    if not config.get("kubeconfig"):
        return None
    try:
        content = of(config).content()
    except KubeconfigError:
        return None
    context = _named(content, "contexts", content.get("current-context"))
    return _named(content, "clusters", context.get("cluster")) if context else None


def _named(content: Props, section: str, name: Any) -> Props | None:
    singular = section.removesuffix("s")
    for entry in content.get(section) or []:
        if entry.get("name") == name and isinstance(entry.get(singular), dict):
            found: Props = entry[singular]
            return found
    return None


def _merged(files: str) -> Any:
    """Merge files as kubectl does: the first to name an entry, or to set current-context, wins."""
    existing = [Path(part) for part in files.split(os.pathsep) if part and Path(part).is_file()]
    if not existing:
        raise KubeconfigError(f"no kubeconfig at {files}")
    merged: Props = {"clusters": [], "contexts": [], "users": []}
    for file in existing:
        content = yaml.safe_load(file.read_text()) or {}
        for section in ("clusters", "contexts", "users"):
            known = {entry["name"] for entry in merged[section]}
            entries = [entry for entry in content.get(section) or [] if entry["name"] not in known]
            merged[section] += [_absolute(entry, file.parent) for entry in entries]
        if content.get("current-context"):
            merged.setdefault("current-context", content["current-context"])
    return merged


def _absolute(entry: Props, folder: Path) -> Props:
    """Make the paths in an entry absolute: they are relative to its file."""
    entry = copy.deepcopy(entry)
    for part in (entry.get("cluster"), entry.get("user")):
        for key in ("certificate-authority", "client-certificate", "client-key", "tokenFile"):
            if isinstance(part, dict) and part.get(key):
                part[key] = str(folder / part[key])
    return entry
