"""Decides what IAM policy documents say about one request.

Rules: AWS IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Verdict(Enum):
    """What a set of documents says of a request; `SILENT` is the implicit deny."""

    ALLOW = "allow"
    DENY = "deny"
    SILENT = "silent"


@dataclass(frozen=True)
class Ask:
    """One request: who asks for which action on which ARN, and the condition keys that hold."""

    action: str
    resource: str
    principal: str = ""
    context: Mapping[str, str] = field(default_factory=dict)


def verdict(documents: Iterable[Mapping[str, Any]], ask: Ask) -> Verdict:
    """Say what the documents together say: one matching Deny wins over every Allow."""
    found = Verdict.SILENT
    for document in documents:
        for statement in _many(document.get("Statement")):
            if not _concerns(statement, ask):
                continue
            if statement.get("Effect") == "Deny":
                return Verdict.DENY
            found = Verdict.ALLOW
    return found


def _concerns(statement: Mapping[str, Any], ask: Ask) -> bool:
    return (
        _element(statement, "Action", ask.action.lower(), ask, fold=True)
        and _element(statement, "Resource", ask.resource, ask)
        and _principal(statement, ask.principal)
        and _conditions(statement, ask)
    )


def _element(statement: Mapping[str, Any], name: str, value: str, ask: Ask, *, fold: bool = False) -> bool:
    for key, wanted in ((name, True), (f"Not{name}", False)):
        if key in statement:
            patterns = [_filled(str(p), ask.context) for p in _many(statement[key])]
            return wanted is any(_like(p.lower() if fold else p, value) for p in patterns)
    return True


def _principal(statement: Mapping[str, Any], principal: str) -> bool:
    for key, wanted in (("Principal", True), ("NotPrincipal", False)):
        if key in statement:
            named = statement[key]
            values = ["*"] if named == "*" else _many(named.get("AWS"))
            return wanted is any(_is_principal(str(v), principal) for v in values)
    return True


def _is_principal(named: str, principal: str) -> bool:
    account = principal.split(":")[4] if principal.count(":") > 4 else ""  # noqa: PLR2004 - an ARN's fifth field
    return named in {"*", principal} or (bool(account) and named in {account, f"arn:aws:iam::{account}:root"})


def _conditions(statement: Mapping[str, Any], ask: Ask) -> bool:
    """Every operator and every key has to hold; one that is not known here never opens and never spares."""
    for operator, wanted in (statement.get("Condition") or {}).items():
        for key, values in wanted.items():
            held = _condition(operator, key, [_filled(str(v), ask.context) for v in _many(values)], ask)
            if held is None:
                held = statement.get("Effect") == "Deny"
            if not held:
                return False
    return True


def _condition(operator: str, key: str, wanted: list[str], ask: Ask) -> bool | None:
    name = operator.rpartition(":")[2]
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    present = {k.lower(): v for k, v in ask.context.items()}.get(key.lower())
    if name == "Null":
        return (present is None) is (wanted[0].lower() == "true")
    negated = "Not" in name
    test = _TESTS.get(name.replace("Not", ""))
    if test is None:
        return None
    if present is None:
        return negated or if_exists
    return any(test(w, present) for w in wanted) is not negated


def _like(pattern: str, value: str) -> bool:
    return (
        re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), value, re.DOTALL)
        is not None
    )


def _in_network(network: str, address: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)


_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "Bool": lambda want, have: want.lower() == have.lower(),
    "StringEquals": lambda want, have: want == have,
    "StringEqualsIgnoreCase": lambda want, have: want.lower() == have.lower(),
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "NumericEquals": lambda want, have: float(want) == float(have),
    "NumericLessThan": lambda want, have: float(have) < float(want),
    "NumericLessThanEquals": lambda want, have: float(have) <= float(want),
    "NumericGreaterThan": lambda want, have: float(have) > float(want),
    "NumericGreaterThanEquals": lambda want, have: float(have) >= float(want),
    "IpAddress": _in_network,
}


def _filled(text: str, context: Mapping[str, str]) -> str:
    return re.sub(r"\$\{([^}]+)\}", lambda m: context.get(m[1], m[0]), text)


def _many(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
