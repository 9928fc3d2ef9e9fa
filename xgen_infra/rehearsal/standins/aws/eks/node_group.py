"""EKS managed node groups. Rules: Amazon EKS User Guide, "Customize managed nodes with launch templates"."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.aws.ec2.common import described
from xgen_infra.rehearsal.standins.aws.eks import common
from xgen_infra.rehearsal.standins.aws.kind import Job, Kind, Ref, found
from xgen_infra.rehearsal.standins.aws.session import AwsError
from xgen_infra.rehearsal.standins.contract import Failure, Props

_SCALING = ("minSize", "desiredSize", "maxSize")
_AMI = r"(AL2|AL2023|BOTTLEROCKET|WINDOWS_(CORE|FULL)_\d{4})_[A-Za-z0-9_]+|CUSTOM"
_EFFECTS = ("NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE")
_KEPT = (
    "version", "releaseVersion", "launchTemplate", "updateConfig", "nodeRepairConfig", "capacityType",
    "instanceTypes", "amiType", "diskSize",
)  # fmt: skip


class NodeGroup(Kind):
    type_name = "aws:eks/nodeGroup:NodeGroup"
    required = frozenset({"clusterName", "nodeRoleArn", "scalingConfig", "subnetIds"})
    optional = frozenset(
        {
            "nodeGroupName", "nodeGroupNamePrefix", "labels", "taints", "forceUpdateVersion", "remoteAccess",
            *_KEPT,
        }
    )  # fmt: skip
    replace_on = frozenset(
        {
            "clusterName", "nodeRoleArn", "subnetIds", "nodeGroupName", "nodeGroupNamePrefix", "amiType",
            "capacityType", "diskSize", "instanceTypes", "remoteAccess", "launchTemplate.id", "launchTemplate.name",
        }
    )  # fmt: skip

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.matches(
            inputs, "nodeGroupName", r"[A-Za-z0-9_-]{1,63}", "1 to 63 letters, digits, _ -"
        )
        yield from checks.matches(inputs, "amiType", _AMI, "an AMI type such as AL2023_x86_64_STANDARD")
        yield from checks.one_of(inputs, "capacityType", "ON_DEMAND", "SPOT", "CAPACITY_BLOCK")
        yield from _scaling_failures(inputs.get("scalingConfig") or {})
        template = inputs.get("launchTemplate") or {}
        if template and inputs.get("diskSize"):
            yield Failure("diskSize", "Disk size must be specified within the launch template.")
        if template and inputs.get("remoteAccess"):
            yield Failure(
                "remoteAccess", "Remote access configuration cannot be specified with a launch template."
            )
        for failure in checks.exclusive(template, "id", "name"):
            yield Failure(f"launchTemplate.{failure.property}", failure.reason)
        for index, taint in enumerate(inputs.get("taints") or []):
            for failure in checks.one_of(taint, "effect", *_EFFECTS):
                yield Failure(f"taints[{index}].effect", failure.reason)

    def create(self, job: Job) -> str:
        cluster = job.text("clusterName")
        name = job.physical_name("nodeGroupName", prefix="nodeGroupNamePrefix", limit=63)
        live = common.cluster_of(job.aws, cluster)
        role = common.role_of(job.aws, job.text("nodeRoleArn"))
        if role is not None and not common.trusts(role, "ec2.amazonaws.com"):
            raise AwsError(
                "InvalidParameterException", f"ec2.amazonaws.com is not trusted by {job.text('nodeRoleArn')}"
            )
        self._refuse_template(job)
        self._refuse_no_network(job, cluster)
        job.aws.client("eks").create_nodegroup(
            clusterName=cluster,
            nodegroupName=name,
            nodeRole=job.text("nodeRoleArn"),
            subnets=job.inputs["subnetIds"],
            scalingConfig={key: int(job.inputs["scalingConfig"][key]) for key in _SCALING},
            labels=job.inputs.get("labels") or {},
            taints=[dict(taint) for taint in job.inputs.get("taints") or []],
            tags=job.tags,
        )
        kept = {key: job.inputs[key] for key in _KEPT if job.inputs.get(key) is not None}
        version = kept.get("version") or (job.aws.store.get(common.CLUSTERS, cluster) or live)["version"]
        job.aws.store.put(
            common.NODE_GROUPS,
            f"{cluster}:{name}",
            {
                "clusterName": cluster,
                "uuid": str(uuid.uuid4()),
                "tags": job.tags,
                "remoteAccess": job.inputs.get("remoteAccess"),
                **kept,
                "version": version,
            },
        )
        self._let_nodes_in(job, cluster)
        return f"{cluster}:{name}"

    def read(self, ref: Ref) -> Props | None:
        cluster, _, name = ref.id.partition(":")
        got = found(ref.client("eks").describe_nodegroup, clusterName=cluster, nodegroupName=name)
        if got is None:
            return None
        group, kept = got["nodegroup"], ref.aws.store.get(common.NODE_GROUPS, ref.id) or {}
        ident = kept.get("uuid", "")
        return {
            "arn": ref.aws.arn("eks", f"nodegroup/{cluster}/{name}/{ident}"),
            "clusterName": cluster,
            "nodeGroupName": name,
            "nodeRoleArn": group["nodeRole"],
            "subnetIds": group["subnets"],
            "scalingConfig": {key: group["scalingConfig"][key] for key in _SCALING},
            "labels": group.get("labels") or {},
            "taints": [dict(taint) for taint in group.get("taints") or []],
            "amiType": kept.get("amiType", "AL2023_x86_64_STANDARD"),
            "capacityType": kept.get("capacityType", "ON_DEMAND"),
            "instanceTypes": kept.get("instanceTypes") or ["t3.medium"],
            "diskSize": kept.get("diskSize", 0 if kept.get("launchTemplate") else 20),
            "version": kept.get("version", group["version"]),
            "releaseVersion": kept.get("releaseVersion") or f"{kept.get('version', '1')}.0-20260101",
            "launchTemplate": kept.get("launchTemplate"),
            "updateConfig": kept.get("updateConfig") or {"maxUnavailable": 1},
            "resources": [
                {"autoscalingGroups": [{"name": f"eks-{name}-{ident}"}], "remoteAccessSecurityGroupId": ""}
            ],
            "status": group["status"],
            "tagsAll": kept.get("tags") or {},
        }

    def update(self, job: Job, ref: Ref) -> None:
        cluster, _, name = ref.id.partition(":")
        self._refuse_template(job)
        had_labels, labels = ref.known.get("labels") or {}, job.inputs.get("labels") or {}
        had_taints, taints = ref.known.get("taints") or [], job.inputs.get("taints") or []
        job.aws.client("eks").update_nodegroup_config(
            clusterName=cluster,
            nodegroupName=name,
            scalingConfig={key: int(job.inputs["scalingConfig"][key]) for key in _SCALING},
            labels={
                "addOrUpdateLabels": labels,
                "removeLabels": [key for key in had_labels if key not in labels],
            },
            taints={
                "addOrUpdateTaints": taints,
                "removeTaints": [taint for taint in had_taints if taint not in taints],
            },
        )
        kept = job.aws.store.get(common.NODE_GROUPS, ref.id) or {"clusterName": cluster}
        changed = {key: job.inputs[key] for key in _KEPT if job.inputs.get(key) is not None}
        job.aws.store.put(common.NODE_GROUPS, ref.id, {**kept, **changed, "tags": job.tags})

    def delete(self, ref: Ref) -> None:
        cluster, _, name = ref.id.partition(":")
        found(ref.client("eks").delete_nodegroup, clusterName=cluster, nodegroupName=name)
        ref.aws.store.drop(common.NODE_GROUPS, ref.id)

    def _refuse_template(self, job: Job) -> None:
        asked = job.inputs.get("launchTemplate") or {}
        if not asked:
            return
        which: dict[str, Any] = (
            {"LaunchTemplateIds": [asked["id"]]}
            if asked.get("id")
            else {"LaunchTemplateNames": [asked["name"]]}
        )
        template = described(job.aws, "describe_launch_templates", "LaunchTemplates", **which)
        latest = 0 if template is None else int(template["LatestVersionNumber"])
        version = str(asked.get("version", "$Latest"))
        if template is None or (version.isdigit() and not 1 <= int(version) <= latest):
            raise AwsError(
                "InvalidRequestException",
                f"You tried to use a launch template version that does not exist: {next(iter(which.values()))[0]} "
                f"version {version}",
            )

    def _refuse_no_network(self, job: Job, cluster: str) -> None:
        """Without a network plugin no node becomes Ready; EKS finds that out after half an hour."""
        kept = job.aws.store.get(common.CLUSTERS, cluster) or {}
        bootstrapped = kept.get("bootstrapSelfManagedAddons", True)
        if not bootstrapped and job.aws.store.get(common.ADDONS, f"{cluster}:vpc-cni") is None:
            raise AwsError(
                "NodeCreationFailure",
                f"Unhealthy nodes in the kubernetes cluster {cluster}: it has no network plugin; make the add-on "
                "vpc-cni before the node group, or let the cluster bootstrap its add-ons",
            )

    def _let_nodes_in(self, job: Job, cluster: str) -> None:
        """Keep the access entry that EKS makes for the nodes' role."""
        principal = job.text("nodeRoleArn")
        key = f"{cluster}:{principal}"
        if common.has_access_entries(job.aws, cluster) and job.aws.store.get(common.ENTRIES, key) is None:
            job.aws.store.put(
                common.ENTRIES,
                key,
                {
                    "clusterName": cluster,
                    "principalArn": principal,
                    "type": "EC2_LINUX",
                    "createdAt": common.now(),
                },
            )


def _scaling_failures(scaling: Props) -> Iterator[Failure]:
    missing = [key for key in _SCALING if scaling.get(key) is None]
    for key in missing:
        yield Failure(f"scalingConfig.{key}", f'Missing required argument: the argument "{key}" is required')
    if missing:
        return
    low, wanted, high = (int(scaling[key]) for key in _SCALING)
    if low < 0 or high < 1:
        yield Failure("scalingConfig", f"minSize is at least 0 and maxSize at least 1, got {low} and {high}")
    elif not low <= wanted <= high:
        yield Failure(
            "scalingConfig.desiredSize",
            f"desired capacity {wanted} must be between minimum {low} and maximum {high}",
        )
