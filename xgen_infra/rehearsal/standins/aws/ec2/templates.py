"""Launch templates. Names nest in EC2 with capitals: `blockDeviceMappings` is `BlockDeviceMappings`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.aws.ec2.common import described, pairs, retag, tagged, tags_of
from xgen_infra.rehearsal.standins.aws.kind import Job, Kind, Ref, found
from xgen_infra.rehearsal.standins.contract import Failure, Props

_USER_DATA_LIMIT = 16 * 1024
_HOPS = range(1, 65)
_DATA = {
    "blockDeviceMappings": "BlockDeviceMappings",
    "metadataOptions": "MetadataOptions",
    "tagSpecifications": "TagSpecifications",
    "userData": "UserData",
    "imageId": "ImageId",
    "instanceType": "InstanceType",
    "keyName": "KeyName",
    "vpcSecurityGroupIds": "SecurityGroupIds",
    "ebsOptimized": "EbsOptimized",
    "monitoring": "Monitoring",
    "placement": "Placement",
    "networkInterfaces": "NetworkInterfaces",
}
_SPELLING = {"associatePublicIpAddress": "AssociatePublicIpAddress", "securityGroups": "Groups"}


class LaunchTemplate(Kind):
    type_name = "aws:ec2/launchTemplate:LaunchTemplate"
    optional = frozenset(
        {"name", "namePrefix", "description", "defaultVersion", "updateDefaultVersion", *_DATA}
    )
    replace_on = frozenset({"name", "namePrefix"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.matches(
            inputs, "name", r"[a-zA-Z0-9().\-/_]{3,128}", "3 to 128 letters, digits and ( ) . - / _"
        )
        yield from _metadata_failures(inputs.get("metadataOptions") or {})
        if inputs.get("userData"):
            yield from _user_data_failures(str(inputs["userData"]))

    def create(self, job: Job) -> str:
        made = job.aws.client("ec2").create_launch_template(
            LaunchTemplateName=job.physical_name(limit=128),
            VersionDescription=job.text("description"),
            LaunchTemplateData=_data(job.inputs),
            **tagged(job, "launch-template"),
        )
        return str(made["LaunchTemplate"]["LaunchTemplateId"])

    def read(self, ref: Ref) -> Props | None:
        template = described(
            ref.aws, "describe_launch_templates", "LaunchTemplates", LaunchTemplateIds=[ref.id]
        )
        if template is None:
            return None
        versions = ref.client("ec2").describe_launch_template_versions(
            LaunchTemplateId=ref.id, Versions=["$Latest"]
        )["LaunchTemplateVersions"]
        return {
            **_shown(ref.known, versions[0]["LaunchTemplateData"]),
            "arn": ref.aws.arn("ec2", f"launch-template/{ref.id}"),
            "name": template["LaunchTemplateName"],
            "latestVersion": template["LatestVersionNumber"],
            "defaultVersion": template["DefaultVersionNumber"],
            "description": versions[0].get("VersionDescription") or None,
            "tagsAll": tags_of(template),
        }

    def update(self, job: Job, ref: Ref) -> None:
        ec2 = job.aws.client("ec2")
        watched = (*_DATA, "description")
        if any(job.inputs.get(key) != ref.known.get(key) for key in watched):
            made = ec2.create_launch_template_version(
                LaunchTemplateId=ref.id,
                VersionDescription=job.text("description"),
                LaunchTemplateData=_data(job.inputs),
            )["LaunchTemplateVersion"]
            if job.inputs.get("updateDefaultVersion"):
                ec2.modify_launch_template(LaunchTemplateId=ref.id, DefaultVersion=str(made["VersionNumber"]))
        if job.inputs.get("defaultVersion"):
            ec2.modify_launch_template(
                LaunchTemplateId=ref.id, DefaultVersion=str(int(job.inputs["defaultVersion"]))
            )
        retag(job, ref)

    def delete(self, ref: Ref) -> None:
        found(ref.client("ec2").delete_launch_template, LaunchTemplateId=ref.id)


def _metadata_failures(options: Props) -> Iterator[Failure]:
    path = "metadataOptions"
    for key, words in (("httpTokens", ("optional", "required")), ("httpEndpoint", ("enabled", "disabled"))):
        for failure in checks.one_of(options, key, *words):
            yield Failure(f"{path}.{key}", failure.reason)
    hops = options.get("httpPutResponseHopLimit")
    if hops is not None and int(hops) not in _HOPS:
        yield Failure(f"{path}.httpPutResponseHopLimit", f"expected 1 to 64, got {int(hops)}")


def _user_data_failures(text: str) -> Iterator[Failure]:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        yield Failure("userData", "Invalid BASE64 encoding of user data")
        return
    if len(raw) > _USER_DATA_LIMIT:
        yield Failure("userData", f"user data is limited to {_USER_DATA_LIMIT} bytes, this has {len(raw)}")


def _data(inputs: Props) -> dict[str, Any]:
    data = {field: _capital(inputs[key]) for key, field in _DATA.items() if inputs.get(key) is not None}
    if "TagSpecifications" in data:
        data["TagSpecifications"] = [
            {
                "ResourceType": one.get("resourceType"),
                "Tags": pairs({k: str(v) for k, v in (one.get("tags") or {}).items()}),
            }
            for one in inputs["tagSpecifications"]
        ]
    return data


def _shown(known: Props, latest: dict[str, Any]) -> Props:
    """Give the template's data: as known where AWS has the same, in the provider's names where it differs."""
    asked = _data(known)
    live = {
        key: latest[field] for key, field in _DATA.items() if latest.get(field) and key != "tagSpecifications"
    }
    return {
        key: known[key] if _same(asked.get(_DATA[key]), value) else _uncapital(value)
        for key, value in live.items()
    }


def _same(asked: Any, live: Any) -> bool:
    if isinstance(asked, dict) and isinstance(live, dict):
        return all(_same(value, live.get(key)) for key, value in asked.items())
    if isinstance(asked, list) and isinstance(live, list):
        return len(asked) == len(live) and all(map(_same, asked, live))
    return str(asked).lower() == str(live).lower()


def _uncapital(value: Any) -> Any:
    if isinstance(value, dict):
        return {k[:1].lower() + k[1:]: _uncapital(v) for k, v in value.items()}
    return [_uncapital(v) for v in value] if isinstance(value, list) else value


def _capital(value: Any) -> Any:
    if isinstance(value, dict):
        return {_name(k): _capital(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_capital(v) for v in value]
    return _typed(value)


def _name(key: str) -> str:
    return _SPELLING.get(key, key[:1].upper() + key[1:])


def _typed(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
