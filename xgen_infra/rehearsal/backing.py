"""What answers for a resource type in a rehearsal: an emulator, the real server, or a file of the rehearsal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from xgen_infra.rehearsal.standins.aws.provider import KINDS

EMULATOR = "the emulator of AWS"
API_SERVER = "the Kubernetes API server"
HELM = "Helm"
COMPONENT = "components, made of the others"
STORE = "the rehearsal's own store"
_HELM = "kubernetes:helm.sh/"
_WITHOUT = ("pulumi:",)
_KINDS = {token: kind.backed_by for kind in KINDS for token in (kind.type_name, *kind.aliases)}


def backing(token: str) -> str | None:
    """Return what answers for a type; None for the engine's own. Raises KeyError for a type that nothing answers for."""
    if token.startswith(_WITHOUT):
        return None
    if token.startswith(("xgen:", "eks:")):
        return COMPONENT
    if token.startswith("kubernetes:"):
        return HELM if token.startswith(_HELM) else API_SERVER
    return EMULATOR if _KINDS[token] == "emulator" else STORE


def tally(tokens: Iterable[str]) -> dict[str, int]:
    """Count resource types, each once, by what answers for them; components are left out."""
    found = Counter(backing(token) for token in set(tokens))
    return {name: found[name] for name in (EMULATOR, API_SERVER, HELM, STORE) if found[name]}
