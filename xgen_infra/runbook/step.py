"""What a step of the runbook is. Steps are data: texts with the names of outputs in them, and one check each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xgen_infra.runbook.facts import Facts

if TYPE_CHECKING:
    from xgen_infra.runbook.scene import Scene


class CheckFailedError(Exception):
    """What a check saw is not as it should be; the text says what was seen."""


class NotRunError(Exception):
    """A check cannot be run from here; the text says why."""


@dataclass(frozen=True)
class Command:
    """A line or more for a shell (or another language), and what it is for."""

    text: str
    why: str
    language: str = "sh"


@dataclass(frozen=True)
class Check:
    """`says` is what holds when all is well; `command` shows it to a person, `look` to the program.

    `look` only reads. It returns what it saw, or raises CheckFailedError or NotRunError.
    """

    says: str
    look: Callable[[Scene], str]
    command: str = ""


def always(_facts: Facts) -> bool:
    """Say that a step applies to every installation."""
    return True


@dataclass(frozen=True)
class Step:
    """One task. All texts but `id` are Jinja templates over the outputs; `applies` says at which installations."""

    id: str
    title: str
    when: str
    commands: tuple[Command, ...]
    expect: str
    check: Check
    applies: Callable[[Facts], bool] = always
    caution: str = ""


@dataclass(frozen=True)
class Theme:
    """Steps that belong together."""

    id: str
    title: str
    steps: tuple[Step, ...]


def on_eks(facts: Facts) -> bool:
    """Whether the cluster is EKS."""
    return facts.text("kind") == "eks"


def on_k3s(facts: Facts) -> bool:
    """Whether the cluster is K3s."""
    return facts.text("kind") == "k3s"


def by_argocd(facts: Facts) -> bool:
    """Whether Argo CD delivers."""
    return facts.delivery == "argocd"


def exposed(facts: Facts) -> bool:
    """Whether the services have a way in from outside; an output that is missing counts as one."""
    return bool(facts.get("exposure") != "none")


def run_by(facts: Facts, service: str) -> str:
    """Return who runs a data service of a site on K3s: `stack`, `adopted` or `external`."""
    return str(facts.get("cluster", "dataServices", service, "runBy") or "external")
