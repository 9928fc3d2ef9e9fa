"""EKS add-ons, in the store. Rules: Amazon EKS User Guide, "Amazon EKS add-ons"."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.aws.eks import common
from xgen_infra.rehearsal.standins.aws.kind import Job, Kind, NotReadyError, Ref
from xgen_infra.rehearsal.standins.aws.session import AwsError
from xgen_infra.rehearsal.standins.contract import Failure, Props

NAMES = frozenset(
    {
        "vpc-cni", "kube-proxy", "coredns", "eks-pod-identity-agent", "aws-ebs-csi-driver", "aws-efs-csi-driver",
        "aws-mountpoint-s3-csi-driver", "aws-fsx-csi-driver", "metrics-server", "snapshot-controller", "adot",
        "amazon-cloudwatch-observability", "aws-guardduty-agent", "eks-node-monitoring-agent", "external-dns",
        "cert-manager", "kube-state-metrics", "prometheus-node-exporter", "aws-network-flow-monitoring-agent",
        "aws-secrets-store-csi-driver-provider", "fluent-bit",
    }
)  # fmt: skip
ON_NODES = frozenset(
    {"coredns", "metrics-server", "aws-ebs-csi-driver", "aws-efs-csi-driver", "external-dns"}
)
"""Add-ons with a Deployment: active only once there is a node to run it."""

_DEGRADED = (
    "timeout while waiting for state to become 'ACTIVE' (last state: 'DEGRADED'): InsufficientNumberOfReplicas: "
    "the add-on doesn't have the desired number of replicas; there is no node: make a node group before it"
)
_VERSION = r"v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?"
_KEPT = ("addonVersion", "configurationValues", "podIdentityAssociations", "serviceAccountRoleArn")


class Addon(Kind):
    type_name = "aws:eks/addon:Addon"
    backed_by = "store"
    required = frozenset({"clusterName", "addonName"})
    optional = frozenset({*_KEPT, "preserve", "resolveConflictsOnCreate", "resolveConflictsOnUpdate"})
    replace_on = frozenset({"clusterName", "addonName"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from common.name_failures(inputs, "clusterName")
        yield from checks.matches(
            inputs, "addonVersion", _VERSION, "must follow semantic version format, with a v"
        )
        yield from checks.one_of(inputs, "resolveConflictsOnCreate", "NONE", "OVERWRITE")
        yield from checks.one_of(inputs, "resolveConflictsOnUpdate", "NONE", "OVERWRITE", "PRESERVE")
        yield from checks.arn(inputs, "serviceAccountRoleArn", "iam")
        if inputs.get("configurationValues"):
            yield from _values_failures(str(inputs["configurationValues"]))

    def create(self, job: Job) -> str:
        cluster, name = job.text("clusterName"), job.text("addonName")
        ident = f"{cluster}:{name}"
        live = common.cluster_of(job.aws, cluster)
        if name not in NAMES:
            raise AwsError("InvalidParameterException", f"Addon {name} specified is not supported")
        if job.aws.store.get(common.ADDONS, ident) is not None:
            raise AwsError("ResourceInUseException", f"Addon already exists: {name} on {cluster}")
        version = str((job.aws.store.get(common.CLUSTERS, cluster) or live)["version"])
        _refuse_too_new(name, job.text("addonVersion"), version)
        self._put(job, ident, {"createdAt": common.now(), "kubernetesVersion": version})
        if not self._is_active(job, cluster, name):
            raise NotReadyError(ident, f"waiting for EKS Add-On ({ident}) create: {_DEGRADED}")
        return ident

    def read(self, ref: Ref) -> Props | None:
        item = ref.aws.store.get(common.ADDONS, ref.id)
        if item is None or not common.is_there(ref.aws, item["clusterName"]):
            return None
        cluster, name = item["clusterName"], item["addonName"]
        return {
            **{key: item.get(key) for key in _KEPT},
            "addonVersion": item.get("addonVersion") or default_version(name, item["kubernetesVersion"]),
            "arn": ref.aws.arn("eks", f"addon/{cluster}/{name}/{item['uuid']}"),
            "clusterName": cluster,
            "addonName": name,
            "createdAt": item["createdAt"],
            "modifiedAt": item["modifiedAt"],
            "tagsAll": item["tags"],
        }

    def update(self, job: Job, ref: Ref) -> None:
        had = job.aws.store.get(common.ADDONS, ref.id)
        if had is None:
            raise AwsError("ResourceNotFoundException", f"No addon: {ref.id} found")
        kept = job.aws.store.get(common.CLUSTERS, had["clusterName"]) or {"version": had["kubernetesVersion"]}
        _refuse_too_new(had["addonName"], job.text("addonVersion"), str(kept["version"]))
        self._put(job, ref.id, {"createdAt": had["createdAt"], "kubernetesVersion": kept["version"]})
        if not self._is_active(job, had["clusterName"], had["addonName"]):
            raise AwsError("AddonDegraded", f"waiting for EKS Add-On ({ref.id}) update: {_DEGRADED}")

    def delete(self, ref: Ref) -> None:
        ref.aws.store.drop(common.ADDONS, ref.id)

    def _put(self, job: Job, ident: str, base: Props) -> None:
        job.aws.store.put(
            common.ADDONS,
            ident,
            {
                **base,
                **{key: job.inputs[key] for key in _KEPT if job.inputs.get(key) is not None},
                "clusterName": job.text("clusterName"),
                "addonName": job.text("addonName"),
                "uuid": common.ident(ident),
                "modifiedAt": common.now(),
                "tags": job.tags,
            },
        )

    def _is_active(self, job: Job, cluster: str, name: str) -> bool:
        has_nodes = bool(job.aws.client("eks").list_nodegroups(clusterName=cluster)["nodegroups"])
        return has_nodes or name not in ON_NODES


def default_version(name: str, kubernetes: str) -> str:
    """Give the version that EKS chooses where none is asked for."""
    return f"v{kubernetes}.0-eksbuild.1" if name == "kube-proxy" else "v1.20.0-eksbuild.1"


def _values_failures(text: str) -> Iterator[Failure]:
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as wrong:
        yield Failure(
            "configurationValues", f"ConfigurationValue is not in valid JSON or YAML format: {wrong}"
        )
        return
    if not isinstance(values, dict):
        yield Failure("configurationValues", "ConfigurationValue is not an object in JSON or YAML")


def _refuse_too_new(name: str, version: str, kubernetes: str) -> None:
    """Refuse a kube-proxy that is newer than the API server (Kubernetes documentation, "Version Skew Policy")."""
    if name != "kube-proxy" or not version:
        return
    minor = int(version.split(".")[1])
    if minor > int(kubernetes.split(".")[1]):
        raise AwsError(
            "InvalidParameterException",
            f"Addon version specified is not supported: {name} {version} on Kubernetes {kubernetes}",
        )
