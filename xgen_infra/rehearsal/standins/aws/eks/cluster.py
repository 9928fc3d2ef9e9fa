"""EKS clusters: the emulator's, with what it does not know kept beside it.

Rules: Amazon EKS User Guide, "Update existing cluster to new Kubernetes version", "Cluster endpoint access",
"Protect EKS clusters from accidental deletion"; Amazon EKS API Reference, CreateCluster.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import yaml

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.aws.eks import common
from xgen_infra.rehearsal.standins.aws.kind import Job, Kind, Ref, found
from xgen_infra.rehearsal.standins.aws.session import Aws, AwsError
from xgen_infra.rehearsal.standins.contract import Failure, Props

DEFAULT_VERSION = "1.36"
_LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")
_ZONES_NEEDED = 2
_KEPT = (
    "accessConfig", "bootstrapSelfManagedAddons", "deletionProtection", "encryptionConfig", "upgradePolicy",
    "version",
)  # fmt: skip
_EVERYWHERE = "0.0.0.0/0"


class Cluster(Kind):
    type_name = "aws:eks/cluster:Cluster"
    required = frozenset({"roleArn", "vpcConfig"})
    optional = frozenset(
        {
            "name", "version", "accessConfig", "bootstrapSelfManagedAddons", "deletionProtection",
            "enabledClusterLogTypes", "encryptionConfig", "kubernetesNetworkConfig", "upgradePolicy",
        }
    )  # fmt: skip
    replace_on = frozenset(
        {
            "name", "roleArn", "bootstrapSelfManagedAddons", "kubernetesNetworkConfig.ipFamily",
            "kubernetesNetworkConfig.serviceIpv4Cidr", "accessConfig.bootstrapClusterCreatorAdminPermissions",
        }
    )  # fmt: skip

    told_within: ClassVar[Mapping[str, tuple[str, ...]]] = {"vpcConfig": ("clusterSecurityGroupId", "vpcId")}

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from common.name_failures(inputs, "name")
        yield from checks.arn(inputs, "roleArn", "iam")
        yield from checks.matches(inputs, "version", r"1\.\d{2}", "a Kubernetes version is of the form 1.36")
        for index, kind in enumerate(inputs.get("enabledClusterLogTypes") or []):
            for failure in checks.one_of({"type": kind}, "type", *_LOGS):
                yield Failure(f"enabledClusterLogTypes[{index}]", failure.reason)
        network = inputs.get("kubernetesNetworkConfig") or {}
        for failure in checks.network(network, "serviceIpv4Cidr", 12, 24):
            yield Failure("kubernetesNetworkConfig.serviceIpv4Cidr", failure.reason)
        vpc = inputs.get("vpcConfig") or {}
        if not vpc.get("endpointPublicAccess", True) and not vpc.get("endpointPrivateAccess", False):
            yield Failure("vpcConfig", "private and public endpoint access cannot both be false")
        for failure in checks.networks(vpc, "publicAccessCidrs"):
            yield Failure(f"vpcConfig.{failure.property}", failure.reason)
        for failure in checks.one_of(
            inputs.get("accessConfig") or {}, "authenticationMode", "API", "API_AND_CONFIG_MAP", "CONFIG_MAP"
        ):
            yield Failure("accessConfig.authenticationMode", failure.reason)

    def create(self, job: Job) -> str:
        name, vpc = job.physical_name(limit=100), self._vpc(job)
        common.role_of(job.aws, job.text("roleArn"))
        if common.is_there(job.aws, name):
            raise AwsError("ResourceInUseException", f"Cluster already exists with name: {name}")
        encryption = job.inputs.get("encryptionConfig")
        network = job.inputs.get("kubernetesNetworkConfig")
        vpc["clusterSecurityGroupId"] = self._own_group(job, name, vpc["vpcId"])
        job.aws.client("eks").create_cluster(
            name=name,
            roleArn=job.text("roleArn"),
            version=job.text("version", DEFAULT_VERSION),
            resourcesVpcConfig={k: v for k, v in vpc.items() if k not in {"vpcId", "clusterSecurityGroupId"}},
            logging=_logging(job.inputs),
            tags=job.tags,
            **({"encryptionConfig": [encryption]} if encryption else {}),
            **({"kubernetesNetworkConfig": _network(network)} if network else {}),
        )
        kept = {key: job.inputs[key] for key in _KEPT if job.inputs.get(key) is not None}
        kept |= {"vpcId": vpc["vpcId"], "clusterSecurityGroupId": vpc["clusterSecurityGroupId"]}
        job.aws.store.put(common.CLUSTERS, name, {"version": DEFAULT_VERSION, **kept})
        self._let_creator_in(job, name)
        return name

    def read(self, ref: Ref) -> Props | None:
        got = found(ref.client("eks").describe_cluster, name=ref.id)
        if got is None:
            return None
        cluster, kept = got["cluster"], ref.aws.store.get(common.CLUSTERS, ref.id) or {}
        endpoint, authority = _control_plane(ref.aws.world.kubeconfig)
        access = {"bootstrapClusterCreatorAdminPermissions": True, **(kept.get("accessConfig") or {})}
        network = cluster.get("kubernetesNetworkConfig") or {}
        enabled = [t for one in cluster["logging"]["clusterLogging"] if one["enabled"] for t in one["types"]]
        return {
            "arn": cluster["arn"],
            "name": cluster["name"],
            "version": kept.get("version", cluster["version"]),
            "roleArn": cluster["roleArn"],
            "endpoint": endpoint or str(cluster["endpoint"]).rstrip("/"),
            "certificateAuthority": {"data": authority or cluster["certificateAuthority"]["data"]},
            "identities": [{"oidcs": [{"issuer": _issuer(ref.aws, cluster["arn"])}]}],
            "accessConfig": {"authenticationMode": "CONFIG_MAP", **access},
            "kubernetesNetworkConfig": {
                "ipFamily": network.get("ipFamily", "ipv4"),
                "serviceIpv4Cidr": network.get("serviceIpv4Cidr"),
            },
            "vpcConfig": {
                "endpointPrivateAccess": False,
                "endpointPublicAccess": True,
                "publicAccessCidrs": [_EVERYWHERE],
                "securityGroupIds": [],
                **cluster["resourcesVpcConfig"],
                "vpcId": kept.get("vpcId", ""),
                "clusterSecurityGroupId": kept.get("clusterSecurityGroupId", ""),
            },
            "enabledClusterLogTypes": enabled,
            "encryptionConfig": kept.get("encryptionConfig")
            or (cluster.get("encryptionConfig") or [None])[0],
            "upgradePolicy": kept.get("upgradePolicy") or {"supportType": "EXTENDED"},
            "deletionProtection": bool(kept.get("deletionProtection", False)),
            "bootstrapSelfManagedAddons": bool(kept.get("bootstrapSelfManagedAddons", True)),
            "platformVersion": cluster["platformVersion"],
            "status": cluster["status"],
            "createdAt": cluster["createdAt"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tagsAll": cluster.get("tags") or {},
        }

    def update(self, job: Job, ref: Ref) -> None:
        eks, had = job.aws.client("eks"), str(ref.known.get("version") or DEFAULT_VERSION)
        wanted = job.text("version", had)
        _refuse_version(had, wanted)
        if ref.known.get("encryptionConfig") and not job.inputs.get("encryptionConfig"):
            raise AwsError(
                "InvalidRequestException",
                f"envelope encryption of {ref.id} cannot be switched off once it is on",
            )
        vpc = self._vpc(job)
        eks.update_cluster_config(
            name=ref.id,
            resourcesVpcConfig={k: v for k, v in vpc.items() if k != "vpcId"},
            logging=_logging(job.inputs),
        )
        kept = job.aws.store.get(common.CLUSTERS, ref.id) or {}
        changed = {key: job.inputs[key] for key in _KEPT if job.inputs.get(key) is not None}
        dropped = {"deletionProtection"} - set(changed)
        kept = {k: v for k, v in {**kept, **changed, "version": wanted}.items() if k not in dropped}
        job.aws.store.put(common.CLUSTERS, ref.id, kept)
        _retag(job, ref)

    def delete(self, ref: Ref) -> None:
        live = self.read(ref)
        if live is None:
            return
        if live["deletionProtection"]:
            raise AwsError(
                "InvalidRequestException",
                f"cluster {ref.id} has deletion protection on: switch it off, and only then delete the cluster",
            )
        ref.client("eks").delete_cluster(name=ref.id)
        for kind in common.OF_CLUSTER:
            for key, item in ref.aws.store.all(kind).items():
                if item["clusterName"] == ref.id:
                    ref.aws.store.drop(kind, key)
        ref.aws.store.drop(common.CLUSTERS, ref.id)
        group = live["vpcConfig"]["clusterSecurityGroupId"]
        if group:
            found(ref.aws.as_service().client("ec2").delete_security_group, GroupId=group)

    def _vpc(self, job: Job) -> Props:
        """Give the network as EKS takes it; refuses subnets that are not in two zones of one VPC."""
        vpc = {k: v for k, v in job.inputs["vpcConfig"].items() if v is not None}
        wanted = list(dict.fromkeys(vpc.get("subnetIds") or []))
        got = found(job.aws.client("ec2").describe_subnets, SubnetIds=wanted) if wanted else None
        subnets = (got or {}).get("Subnets") or []
        if not subnets or len(subnets) < len(wanted):
            missing = sorted(set(wanted) - {s["SubnetId"] for s in subnets})
            raise AwsError("InvalidParameterException", f"The subnet ID(s) {missing} do not exist")
        if len({s["AvailabilityZone"] for s in subnets}) < _ZONES_NEEDED:
            raise AwsError(
                "InvalidParameterException",
                f"Subnets specified must be in at least two different AZs: {', '.join(wanted)}",
            )
        places = {s["VpcId"] for s in subnets}
        if len(places) > 1:
            raise AwsError("InvalidParameterException", f"the subnets are in several VPCs: {sorted(places)}")
        return {**vpc, "subnetIds": wanted, "vpcId": next(iter(places))}

    def _own_group(self, job: Job, name: str, vpc: str) -> str:
        """Make the security group that EKS makes for each cluster."""
        ec2 = job.aws.as_service().client("ec2")
        made = ec2.create_security_group(
            GroupName=f"eks-cluster-sg-{name}-{hashlib.sha256(name.encode()).hexdigest()[:9]}",
            Description="EKS created security group applied to ENI that is attached to EKS Control Plane",
            VpcId=vpc,
            TagSpecifications=[
                {
                    "ResourceType": "security-group",
                    "Tags": [{"Key": f"kubernetes.io/cluster/{name}", "Value": "owned"}],
                }
            ],
        )
        group = str(made["GroupId"])
        own = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=own)
        return group

    def _let_creator_in(self, job: Job, name: str) -> None:
        """Keep the access entry that EKS makes for who created the cluster."""
        access = job.inputs.get("accessConfig") or {}
        creates = access.get("bootstrapClusterCreatorAdminPermissions", True)
        if creates and common.has_access_entries(job.aws, name):
            creator = job.aws.arn("iam", "role/rehearsal", regional=False)
            job.aws.store.put(
                common.ENTRIES,
                f"{name}:{creator}",
                {"clusterName": name, "principalArn": creator, "type": "STANDARD", "createdAt": common.now()},
            )


def _logging(inputs: Props) -> Props:
    wanted = [t for t in _LOGS if t in (inputs.get("enabledClusterLogTypes") or [])]
    rest = [t for t in _LOGS if t not in wanted]
    both = [{"types": wanted, "enabled": True}, {"types": rest, "enabled": False}]
    return {"clusterLogging": [one for one in both if one["types"]]}


def _network(network: Props) -> Props:
    return {k: v for k, v in network.items() if k in {"serviceIpv4Cidr", "ipFamily"} and v is not None}


def _refuse_version(had: str, wanted: str) -> None:
    before, after = int(had.partition(".")[2]), int(wanted.partition(".")[2])
    if after < before or after > before + 1:
        raise AwsError(
            "InvalidParameterException",
            f"Unsupported Kubernetes minor version update from {had} to {wanted}: one minor at a time, upwards",
        )


def _retag(job: Job, ref: Ref) -> None:
    had, arn = ref.known.get("tagsAll") or {}, ref.known["arn"]
    gone = [key for key in had if key not in job.tags]
    if gone:
        job.aws.client("eks").untag_resource(resourceArn=arn, tagKeys=gone)
    if job.tags:
        job.aws.client("eks").tag_resource(resourceArn=arn, tags=job.tags)


def _issuer(aws: Aws, arn: str) -> str:
    ident = hashlib.sha256(arn.encode()).hexdigest()[:32].upper()
    return f"https://oidc.eks.{aws.region}.amazonaws.com/id/{ident}"


def _control_plane(kubeconfig: Path | None) -> tuple[str, str]:
    """Give the local API server's address and its CA (base64), or two empty texts when there is none."""
    if kubeconfig is None or not kubeconfig.is_file():
        return "", ""
    clusters: list[Any] = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))["clusters"]
    cluster = clusters[0]["cluster"]
    data = cluster.get("certificate-authority-data")
    if not data:
        data = base64.b64encode((kubeconfig.parent / cluster["certificate-authority"]).read_bytes()).decode()
    return str(cluster["server"]), str(data)
