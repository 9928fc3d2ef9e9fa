"""`aws.iam.getPolicyDocument`: statements in the provider's words to an IAM policy document.

The rules of the output (single values unwrapped, `sid` as the key of a merge) are those of the data source
aws_iam_policy_document (provider's documentation).
"""

from __future__ import annotations

import json
import zlib
from typing import Any

from xgen_infra.rehearsal.standins.aws.session import Aws
from xgen_infra.rehearsal.standins.contract import Props

_LISTS = {
    "actions": "Action",
    "notActions": "NotAction",
    "resources": "Resource",
    "notResources": "NotResource",
}


def get_policy_document(_aws: Aws, arguments: Props) -> Props:
    """Compose a document from statements, over source documents and under override documents."""
    sources = [json.loads(text) for text in arguments.get("sourcePolicyDocuments") or []]
    overrides = [json.loads(text) for text in arguments.get("overridePolicyDocuments") or []]
    own = [_statement(one) for one in arguments.get("statements") or []]
    statements: list[Props] = []
    for group in (*(_statements(d) for d in sources), own, *(_statements(d) for d in overrides)):
        statements = _merged(statements, group)
    document: Props = {"Version": arguments.get("version") or "2012-10-17"}
    if arguments.get("policyId"):
        document["Id"] = arguments["policyId"]
    document["Statement"] = statements
    pretty = json.dumps(document, indent=2)
    return {
        "id": str(zlib.crc32(pretty.encode())),
        "json": pretty,
        "minifiedJson": json.dumps(document, separators=(",", ":")),
        "version": document["Version"],
    }


def _statement(asked: Props) -> Props:
    made: Props = {"Sid": asked["sid"]} if asked.get("sid") else {}
    made["Effect"] = asked.get("effect") or "Allow"
    made |= {name: _one_or_many(asked[key]) for key, name in _LISTS.items() if asked.get(key)}
    for key, name in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
        if asked.get(key):
            made[name] = _principals(asked[key])
    conditions: dict[str, dict[str, Any]] = {}
    for one in asked.get("conditions") or []:
        conditions.setdefault(one["test"], {})[one["variable"]] = _one_or_many(one["values"])
    return {**made, "Condition": conditions} if conditions else made


def _principals(asked: list[Props]) -> Any:
    if any(p["type"] == "*" for p in asked):
        return "*"
    held: dict[str, list[str]] = {}
    for one in asked:
        held.setdefault(one["type"], []).extend(one["identifiers"])
    return {kind: _one_or_many(names) for kind, names in held.items()}


def _one_or_many(values: list[str]) -> Any:
    unique = sorted(dict.fromkeys(values), reverse=True)
    return unique[0] if len(unique) == 1 else unique


def _statements(document: Props) -> list[Props]:
    statements = document.get("Statement") or []
    return statements if isinstance(statements, list) else [statements]


def _merged(under: list[Props], over: list[Props]) -> list[Props]:
    named = {one["Sid"]: one for one in over if one.get("Sid")}
    kept = [named.pop(one["Sid"]) if one.get("Sid") in named else one for one in under]
    return kept + [one for one in over if not one.get("Sid") or one["Sid"] in named]
