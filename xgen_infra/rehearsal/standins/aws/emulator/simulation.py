"""Gives moto's IAM the question whether a principal may do something, answered as the guard would.

AWS IAM API Reference, SimulatePrincipalPolicy. Policies of resources and of organizations are not looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.exceptions import NotFoundException
from moto.iam.models import IAMBackend
from moto.iam.responses import IamResponse

from xgen_infra.rehearsal.standins.aws.emulator.policy import Ask, Verdict, verdict

_DECISIONS = {Verdict.ALLOW: "allowed", Verdict.DENY: "explicitDeny", Verdict.SILENT: "implicitDeny"}


def install() -> None:
    """Add the action in this process."""

    def simulate_principal_policy(self: IamResponse) -> ActionResult:
        source = self._get_param("PolicySourceArn")
        documents = list(documents_of(self.backend, source))
        context = {
            entry["ContextKeyName"]: entry["ContextKeyValues"][0]
            for entry in self._get_param("ContextEntries", [])
        }
        asked = product(self._get_param("ActionNames"), self._get_param("ResourceArns", ["*"]))
        results = [
            {
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": _DECISIONS[verdict(documents, Ask(action, resource, source, context))],
                "MatchedStatements": [],
                "MissingContextValues": [],
            }
            for action, resource in asked
        ]
        return ActionResult({"EvaluationResults": results, "IsTruncated": False})

    IamResponse.simulate_principal_policy = simulate_principal_policy


def documents_of(backend: IAMBackend, arn: str) -> Iterator[Mapping[str, Any]]:
    """Give the documents of a role, or of a user and its groups; raises moto's NotFoundException."""
    kind, _, path = arn.rpartition(":")[2].partition("/")
    name = path.rpartition("/")[2]
    if kind == "role":
        holders = [backend.get_role(name)]
    elif kind == "user":
        holders = [backend.get_user(name), *backend.get_groups_for_user(name)]
    else:
        raise NotFoundException(f"{arn} is neither a role nor a user")
    for holder in holders:
        for policy in holder.managed_policies.values():
            yield json.loads(next(one.document for one in policy.versions if one.is_default))
        yield from map(json.loads, holder.policies.values())
