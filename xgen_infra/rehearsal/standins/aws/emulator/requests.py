"""What a request asks for, as IAM sees it: the ARNs that it names and the condition keys that hold for each.

Sources: Service Authorization Reference (resource types and condition keys of each service); IAM User Guide, "AWS
global condition context keys". What a request leaves to AWS to name, such as a subnet that is to be made, is `*`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlparse

from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.utilities.utils import get_partition

Named = tuple[str, Mapping[str, str]]
"""An ARN and the condition keys of its own."""
_EC2_ID = re.compile(r"^([a-z]+(?:-[a-z]+)*)-[0-9a-f]{8,17}$")
_EC2_TYPES = {
    "vpc": "vpc", "subnet": "subnet", "igw": "internet-gateway", "eipalloc": "elastic-ip", "nat": "natgateway",
    "rtb": "route-table", "sg": "security-group", "sgr": "security-group-rule", "vpce": "vpc-endpoint",
    "pcx": "vpc-peering-connection", "lt": "launch-template", "fl": "vpc-flow-log",
}  # fmt: skip
_IAM_NAMES = (
    ("RoleName", "role"),
    ("UserName", "user"),
    ("PolicyName", "policy"),
    ("InstanceProfileName", "instance-profile"),
)
_BORN = ("Create", "Allocate")
_NOTHING_BORN = frozenset({"CreateTags", "CreateRoute", "CreateLaunchTemplateVersion"})
NOTHING: list[Named] = [("*", {})]
"""What a request asks for that names no resource."""


def named(response: Any, action: str, account: str) -> list[Named]:
    """Return what a request to a service other than S3 names; `NOTHING` where that is none."""
    service = action.partition(":")[0]
    found = list(_READERS[service](response, account)) if service in _READERS else []
    return found or NOTHING


def context(response: Any, action: str) -> dict[str, str]:
    """Return the condition keys of the whole request: its region and the tags that it gives."""
    tags = {f"aws:RequestTag/{key}": value for key, value in _request_tags(response).items()}
    bound = {"iam:PolicyARN": response._get_param("PolicyArn")} if action.startswith("iam:") else {}  # noqa: SLF001
    given = {key: str(value) for key, value in bound.items() if value}
    return {"aws:RequestedRegion": str(response.region), **tags, **given}


def _ec2(response: Any, account: str) -> Iterator[Named]:
    backend = ec2_backends[account][response.region]
    base = f"arn:{get_partition(response.region)}:ec2:{response.region}:{account}"
    asked = {str(one) for values in response.querystring.values() for one in values}
    for value in {_tagged(backend, one) for one in asked}:
        match = _EC2_ID.match(value)
        if match and match[1] in _EC2_TYPES:
            tags = backend.tags.get(value) or {}
            yield (
                f"{base}:{_EC2_TYPES[match[1]]}/{value}",
                {f"aws:ResourceTag/{key}": str(text) for key, text in tags.items()},
            )
    action = response._get_action()  # noqa: SLF001
    if action.startswith(_BORN) and action not in _NOTHING_BORN:
        yield f"{base}:new/*", {}


def _tagged(backend: Any, value: str) -> str:
    """Return the resource that a value names: an association is its route table's."""
    for table in backend.route_tables.values():
        if value in table._associations:  # noqa: SLF001 - the public form leaves the ids' own side out
            return str(table.id)
    return value


def _iam(response: Any, account: str) -> Iterator[Named]:
    backend, base = iam_backends[account][get_partition(response.region)], f"arn:aws:iam::{account}"
    asked = response._get_param("PermissionsBoundary")  # noqa: SLF001
    for parameter, kind in _IAM_NAMES:
        name = response._get_param(parameter)  # noqa: SLF001
        if name and (kind != "policy" or response._get_action() == "CreatePolicy"):  # noqa: SLF001
            holders = {"role": {one.name: one for one in backend.roles.values()}, "user": backend.users}
            holder = holders.get(kind, {}).get(name)
            bound = asked or (getattr(holder, "permissions_boundary_arn", None) if holder else None)
            yield f"{base}:{kind}/{name}", {"iam:PermissionsBoundary": str(bound)} if bound else {}
            return
    key = backend.access_keys.get(str(response._get_param("AccessKeyId")))  # noqa: SLF001
    if key is not None:
        yield f"{base}:user/{key.user_name}", {}
    elif arn := response._get_param("PolicyArn"):  # noqa: SLF001
        yield str(arn), {}


def _eks(response: Any, account: str) -> Iterator[Named]:
    base = f"arn:{get_partition(response.region)}:eks:{response.region}:{account}"
    parts = [unquote(part) for part in urlparse(response.uri).path.strip("/").split("/")]
    if parts[0] == "tags":
        yield "/".join(parts[1:]), {}
        return
    body = _body(response)
    match parts:
        case ["clusters"] if body.get("name"):
            yield f"{base}:cluster/{body['name']}", {}
        case ["clusters", cluster, "node-groups", group, *_]:
            yield f"{base}:nodegroup/{cluster}/{group}/1", {}
        case ["clusters", cluster, *_]:
            yield f"{base}:cluster/{cluster}", {}


def _logs(response: Any, account: str) -> Iterator[Named]:
    body = _body(response)
    if arn := body.get("resourceArn"):
        yield str(arn), {}
    elif name := body.get("logGroupName"):
        region = response.region
        yield f"arn:{get_partition(region)}:logs:{region}:{account}:log-group:{name}", {}


def _ecr(response: Any, account: str) -> Iterator[Named]:
    body = _body(response)
    base = f"arn:{get_partition(response.region)}:ecr:{response.region}:{account}:repository"
    if arn := body.get("resourceArn"):
        yield str(arn), {}
    for name in [*(body.get("repositoryNames") or ()), *filter(None, [body.get("repositoryName")])]:
        yield f"{base}/{name}", {}


def _kms(response: Any, account: str) -> Iterator[Named]:
    body, backend = _body(response), kms_backends[account][response.region]
    base = f"arn:{get_partition(response.region)}:kms:{response.region}:{account}"
    if alias := body.get("AliasName"):
        yield f"{base}:{alias}", {}
    if asked := body.get("KeyId") or body.get("TargetKeyId"):
        key = backend.keys.get(backend.any_id_to_key_id(str(asked)))
        tags = (
            {tag["TagKey"]: tag["TagValue"] for tag in backend.list_resource_tags(key.id)["Tags"]}
            if key
            else {}
        )
        yield (key.arn if key else str(asked)), {f"aws:ResourceTag/{k}": v for k, v in tags.items()}


_READERS = {"ec2": _ec2, "iam": _iam, "eks": _eks, "logs": _logs, "ecr": _ecr, "kms": _kms}


def _body(response: Any) -> dict[str, Any]:
    text = response.body
    try:
        parsed = json.loads(text or "{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _request_tags(response: Any) -> dict[str, str]:
    """Read tags in each protocol's form: EC2's Tag.1.Key, IAM's Tags.member.1.Key, and JSON's lists and maps."""
    query = {key: str(values[0]) for key, values in response.querystring.items() if values}
    tags = {
        value: query.get(f"{key.removesuffix('Key')}Value", "")
        for key, value in query.items()
        if re.search(r"(^|\.)Tags?\.(member\.)?\d+\.Key$", key)
    }
    body = _body(response)
    listed = body.get("tags") or body.get("Tags") or {}
    if isinstance(listed, dict):
        return {**tags, **{str(key): str(value) for key, value in listed.items()}}
    for one in listed:
        tags[str(one.get("Key") or one.get("TagKey"))] = str(one.get("Value") or one.get("TagValue") or "")
    return tags
