"""The AWS account: whose it is, and what this principal may do there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from xgen_infra import naming
from xgen_infra.aws.permissions import Need, needs
from xgen_infra.preflight.check import Result, StopError, fine, refuse, warn
from xgen_infra.preflight.scene import Scene, denied, said


def identity(scene: Scene) -> Iterator[Result]:
    """Look whose account answers."""
    caller = _caller(scene)
    found, arn = str(caller["Account"]), str(caller["Arn"])
    if found != scene.eks.account:
        yield refuse(f"AWS answers for account {found} ({arn}), and the file says {scene.eks.account}")
    else:
        yield fine(f"{arn}, in account {found}")


def _caller(scene: Scene) -> dict[str, Any]:
    try:
        caller: dict[str, Any] = scene.aws(scene.eks.region).client("sts").get_caller_identity()
    except (NoCredentialsError, NoRegionError):
        raise StopError(
            refuse("there are no AWS credentials here", "set AWS_PROFILE, or run: aws configure sso")
        ) from None
    except (ClientError, BotoCoreError) as error:
        raise StopError(
            refuse(f"AWS does not take these credentials ({said(error)})", "log in anew: aws sso login")
        ) from None
    return caller


def permissions(scene: Scene) -> Iterator[Result]:
    """Ask IAM whether this principal may do all that the stack's resources need, from first to last."""
    iam = scene.account.client("iam")
    arn = _principal(scene, iam, str(_caller(scene)["Arn"]))
    if arn is None:
        yield fine("the account's root user may do everything")
        return
    # Records the whole program: slow to import, and of no use to any other check.
    from xgen_infra.explain.stack import Resources  # noqa: PLC0415

    tokens = {resource.type for resource in Resources.of(scene.site).inputs}
    allowed = 0
    for need in needs(scene.site, scene.eks, tokens):
        answers = _simulated(scene, iam, arn, need)
        unclear = [action for action, decision in answers.items() if decision == "unclear"]
        refused = [action for action, decision in answers.items() if decision not in {"allowed", "unclear"}]
        allowed += len(answers) - len(unclear) - len(refused)
        for words, actions, say in (("may not", refused, refuse), ("may perhaps", unclear, warn)):
            if actions:
                yield say(f"{arn} {words} {', '.join(actions)} on {need.resource}")
    yield fine(f"{arn} may do {allowed} actions that this stack needs")


def _principal(scene: Scene, iam: Any, arn: str) -> str | None:
    """Return whose policies decide: the role behind a session, a user; None for the root user."""
    resource = arn.rpartition(":")[2]
    if resource == "root":
        return None
    if resource.startswith("user/"):
        return arn
    if not resource.startswith("assumed-role/"):
        raise StopError(
            warn(f"{arn} is neither a role nor a user: IAM cannot be asked about it", "use a role's session")
        )
    name = resource.split("/")[1]
    try:
        return str(iam.get_role(RoleName=name)["Role"]["Arn"])
    except ClientError:
        # Without iam:GetRole a path in the role's name stays unknown; most have none.
        return f"arn:{naming.partition(scene.eks.region)}:iam::{scene.eks.account}:role/{name}"


def _simulated(scene: Scene, iam: Any, arn: str, need: Need) -> dict[str, str]:
    """Return IAM's decision by action; `unclear` where a condition asks for what only the real request knows."""
    context = {
        "aws:RequestedRegion": scene.eks.region,
        "iam:PassedToService": "eks.amazonaws.com",
        "iam:AWSServiceName": "eks.amazonaws.com",
        **{
            f"aws:{where}/{key}": value
            for where in ("RequestTag", "ResourceTag")
            for key, value in naming.tags(scene.site).items()
        },
    }
    entries = [
        {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for key, value in context.items()
    ]
    pages = iam.get_paginator("simulate_principal_policy")
    decisions: dict[str, str] = {}
    try:
        for page in pages.paginate(
            PolicySourceArn=arn,
            ActionNames=list(need.actions),
            ResourceArns=[need.resource],
            ContextEntries=entries,
        ):
            for one in page["EvaluationResults"]:
                implicit = one["EvalDecision"] == "implicitDeny" and one.get("MissingContextValues")
                decisions[one["EvalActionName"]] = "unclear" if implicit else str(one["EvalDecision"])
    except ClientError as error:
        if denied(error):
            raise StopError(
                warn(
                    f"{arn} may not ask IAM what it may do",
                    "grant it iam:SimulatePrincipalPolicy, or let an administrator run: xgen preflight "
                    f"{scene.site.stack} --only aws-permissions",
                )
            ) from None
        raise
    return decisions
