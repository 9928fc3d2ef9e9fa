"""What AWS refuses of an input by its form alone: networks, ports, names, documents."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator

from xgen_infra.rehearsal.standins.contract import Failure, Props

_PORTS = 65535


def network(inputs: Props, key: str, shortest: int = 0, longest: int = 32) -> Iterator[Failure]:
    """Expect a CIDR block with no host bits set and a prefix length within the bounds."""
    value = inputs.get(key)
    if value is None:
        return
    try:
        block = ipaddress.ip_network(str(value))
    except ValueError as wrong:
        yield Failure(key, f'"{value}" is not a valid CIDR block: {wrong}')
        return
    if block.version == 4 and not shortest <= block.prefixlen <= longest:  # noqa: PLR2004 - IPv4
        yield Failure(key, f'"{value}" has to have a prefix length between /{shortest} and /{longest}')


def networks(inputs: Props, key: str) -> Iterator[Failure]:
    """Expect a list of CIDR blocks, each once."""
    values = [str(v) for v in inputs.get(key) or []]
    for index, value in enumerate(values):
        for failure in network({key: value}, key):
            yield Failure(f"{key}[{index}]", failure.reason)
        if value in values[:index]:
            yield Failure(f"{key}[{index}]", f'"{value}" is given twice')


def ports(inputs: Props, low: str = "fromPort", high: str = "toPort", *, protocol: str) -> Iterator[Failure]:
    """Expect ports from 0 to 65535, the low one first; ICMP and "all" have their own meaning of them."""
    first, last = inputs.get(low), inputs.get(high)
    if protocol not in {"tcp", "udp", "6", "17"} or first is None or last is None:
        return
    for key, value in ((low, first), (high, last)):
        if not 0 <= int(value) <= _PORTS:
            yield Failure(key, f"expected a port from 0 to {_PORTS}, got {int(value)}")
    if int(first) > int(last):
        yield Failure(low, f"the first port {int(first)} is above the last port {int(last)}")


def matches(inputs: Props, key: str, pattern: str, rule: str) -> Iterator[Failure]:
    """Expect a text of a form; `rule` says the form in words."""
    value = inputs.get(key)
    if value is not None and re.fullmatch(pattern, str(value)) is None:
        yield Failure(key, f'"{value}" is refused: {rule}')


def one_of(inputs: Props, key: str, *allowed: str) -> Iterator[Failure]:
    """Expect one of a few words."""
    value = inputs.get(key)
    if value is not None and str(value) not in allowed:
        yield Failure(key, f'expected {key} to be one of {", ".join(allowed)}, got "{value}"')


def exclusive(inputs: Props, *keys: str, at_least_one: bool = False) -> Iterator[Failure]:
    """Expect at most one of the inputs; with `at_least_one`, exactly one."""
    given = [key for key in keys if inputs.get(key)]
    if len(given) > 1:
        yield Failure(given[1], f"conflicts with {given[0]}: only one of {', '.join(keys)} can be given")
    if at_least_one and not given:
        yield Failure(keys[0], f"one of {', '.join(keys)} has to be given")


def document(inputs: Props, key: str) -> Iterator[Failure]:
    """Expect a JSON object; an IAM policy when it has a Statement, whose every part is one AWS knows."""
    value = inputs.get(key)
    if value is None:
        return
    try:
        parsed = json.loads(value) if isinstance(value, str) else value
    except ValueError as wrong:
        yield Failure(key, f"contains invalid JSON: {wrong}")
        return
    if not isinstance(parsed, dict):
        yield Failure(key, "contains JSON that is not an object")
        return
    statements = parsed.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        if statement.get("Effect") not in {"Allow", "Deny"}:
            yield Failure(
                key, f"MalformedPolicyDocument: Effect {statement.get('Effect')!r} is not Allow or Deny"
            )
        if not {"Action", "NotAction"} & set(statement):
            yield Failure(key, "MalformedPolicyDocument: a statement has to name its actions")


def arn(inputs: Props, key: str, service: str = "") -> Iterator[Failure]:
    """Expect an ARN, of one service where that is given."""
    value = inputs.get(key)
    if value is None:
        return
    if not re.fullmatch(
        rf"arn:aws[a-z-]*:{service or '[a-z0-9-]+'}:[a-z0-9-]*:(\d{{12}}|aws)?:.+", str(value)
    ):
        named = f"an ARN of {service}" if service else "an ARN"
        yield Failure(key, f'"{value}" is an invalid ARN: expected {named}')
