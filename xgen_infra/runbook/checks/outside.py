"""Checks that ask AWS or read the stack's state."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from xgen_infra.runbook.facts import listed
from xgen_infra.runbook.scene import Scene
from xgen_infra.runbook.step import CheckFailedError


def bucket_versioned(scene: Scene) -> str:
    """See the documents' bucket keep versions."""
    bucket = scene.facts.text("bucket")
    try:
        found = scene.aws("s3").get_bucket_versioning(Bucket=bucket).get("Status", "never enabled")
    except (BotoCoreError, ClientError) as error:
        raise CheckFailedError(f"{bucket}: {error}") from None
    if found != "Enabled":
        raise CheckFailedError(f"versioning of {bucket}: {found}")
    return f"versioning of {bucket}: {found}"


def access_keys(scene: Scene) -> str:
    """See that the documents' user has exactly the keys that the stack knows, its newest one active."""
    user, known = (
        scene.facts.text("cluster", "documentsUser"),
        scene.facts.get("cluster", "accessKeyIds") or {},
    )
    try:
        keys = scene.aws("iam").list_access_keys(UserName=user)["AccessKeyMetadata"]
    except (BotoCoreError, ClientError) as error:
        raise CheckFailedError(f"{user}: {error}") from None
    there = {key["AccessKeyId"]: key["Status"] for key in keys}
    wrong = [
        f"a key of {user} that the stack does not know: {key}" for key in set(there) - set(known.values())
    ]
    newest = str(known.get(scene.facts.text("cluster", "accessKeyGeneration"), ""))
    if there.get(newest) != "Active":
        wrong.append(f"the current key {newest or 'of the stack'} is {there.get(newest, 'not there')}")
    if wrong:
        raise CheckFailedError("; ".join(wrong))
    others = len(there) - 1
    return f"the current key of {user} is active" + (
        f", {others} older one is left" if others else ", the only one"
    )


def peering_active(scene: Scene) -> str:
    """See the peering connection active."""
    connection = scene.facts.text("cluster", "peeringConnectionId")
    try:
        answer = scene.aws("ec2").describe_vpc_peering_connections(VpcPeeringConnectionIds=[connection])
    except (BotoCoreError, ClientError) as error:
        raise CheckFailedError(f"{connection}: {error}") from None
    status = answer["VpcPeeringConnections"][0]["Status"]
    if status["Code"] != "active":
        raise CheckFailedError(f"{connection}: {status['Code']} {status.get('Message', '')}".rstrip())
    return f"{connection}: active"


def state_whole(scene: Scene) -> str:
    """See no operation of the engine pending in the stack's state."""
    state = scene.state().get("deployment") or {}
    pending = [
        str(one["resource"]["urn"]).rsplit("::", 1)[-1] for one in state.get("pending_operations") or []
    ]
    if pending:
        raise CheckFailedError(f"operations that never ended: {listed(pending)}")
    return f"{len(state.get('resources') or [])} resources, no operation pending"
