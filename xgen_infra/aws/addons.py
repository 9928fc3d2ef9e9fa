"""EKS add-ons with pinned versions: those that nodes need to become ready, and those that need nodes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from xgen_infra.aws import policies
from xgen_infra.aws.eks import RUNNERS_GROUP
from xgen_infra.aws.workload_role import WorkloadRole, WorkloadRoleArgs
from xgen_infra.versions import EksPins

SYSTEM = "kube-system"
STORAGE_CLASS = "gp3"


@dataclass(frozen=True)
class AddonsArgs:
    """The cluster, the add-ons' versions, and the names of their roles by service account."""

    cluster: str
    place: policies.Place
    versions: EksPins
    role_names: Mapping[str, str]


class _Addons(pulumi.ComponentResource):
    def __init__(self, kind: str, name: str, args: AddonsArgs, opts: pulumi.ResourceOptions | None) -> None:
        super().__init__(f"xgen:aws:{kind}", name, None, opts)
        self._name, self._args = name, args

    def _addon(
        self,
        addon: str,
        version: str,
        values: Mapping[str, Any] | None = None,
        role: tuple[str, str] | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
    ) -> aws.eks.Addon:
        """Make one add-on; `role` is (service account, managed policy) where it calls AWS."""
        associations, granted = None, list(depends_on)
        if role:
            account, policy = role
            workload = WorkloadRole(
                f"{self._name}-{addon}",
                WorkloadRoleArgs(
                    self._args.role_names[account],
                    self._args.place,
                    self._args.cluster,
                    SYSTEM,
                    account,
                    managed=[policy],
                ),
                opts=pulumi.ResourceOptions(parent=self),
            )
            associations = [{"role_arn": workload.arn, "service_account": account}]
            granted += workload.granted
        return aws.eks.Addon(
            f"{self._name}-{addon}",
            cluster_name=self._args.cluster,
            addon_name=addon,
            addon_version=version,
            configuration_values=json.dumps(values, sort_keys=True) if values else None,
            pod_identity_associations=associations,
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            opts=pulumi.ResourceOptions(parent=self, depends_on=granted),
        )


class NodeAddons(_Addons):
    """What must be there before the first node joins: network, service addresses, and roles for pods.

    Their DaemonSets are active with no node at all; without them a node never becomes Ready.
    """

    def __init__(self, name: str, args: AddonsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("NodeAddons", name, args, opts)
        pins = args.versions
        agent = self._addon("eks-pod-identity-agent", pins.pod_identity_agent)
        self._addon("kube-proxy", pins.kube_proxy)
        self._addon(
            "vpc-cni",
            pins.vpc_cni,
            values={"enableNetworkPolicy": "true"},
            role=("aws-node", "AmazonEKS_CNI_Policy"),
            depends_on=[agent],
        )
        self.register_outputs({})


class ClusterAddons(_Addons):
    """What runs on nodes: DNS, volumes with a default encrypted StorageClass, metrics (for the HPA)."""

    def __init__(self, name: str, args: AddonsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Needs a provider of pulumi_kubernetes as well."""
        super().__init__("ClusterAddons", name, args, opts)
        pins = args.versions
        self._addon("coredns", pins.coredns)
        self._addon("metrics-server", pins.metrics_server)
        volumes = self._addon(
            "aws-ebs-csi-driver",
            pins.ebs_csi_driver,
            role=("ebs-csi-controller-sa", "service-role/AmazonEBSCSIDriverPolicy"),
        )
        self._storage_class(volumes)
        self._runners()
        self.register_outputs({})

    def _storage_class(self, driver: aws.eks.Addon) -> None:
        """Make the default class; EKS' own gp2 is none since 1.30 (Amazon EKS User Guide, release notes)."""
        kubernetes.storage.v1.StorageClass(
            f"{self._name}-storage-class",
            metadata={
                "name": STORAGE_CLASS,
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            provisioner="ebs.csi.aws.com",
            parameters={"type": "gp3", "encrypted": "true"},
            volume_binding_mode="WaitForFirstConsumer",
            allow_volume_expansion=True,
            reclaim_policy="Delete",
            opts=pulumi.ResourceOptions(parent=self, depends_on=[driver]),
        )

    def _runners(self) -> None:
        """Let CI runners see Applications and ask for a refresh: EKS' access policies know no custom resource."""
        child = pulumi.ResourceOptions(parent=self)
        role = kubernetes.rbac.v1.ClusterRole(
            f"{self._name}-runners",
            metadata={"name": "xgen-runners"},
            rules=[
                {
                    "api_groups": ["argoproj.io"],
                    "resources": ["applications", "appprojects"],
                    "verbs": ["get", "list", "watch"],
                },
                {"api_groups": ["argoproj.io"], "resources": ["applications"], "verbs": ["patch"]},
                {
                    "api_groups": ["metrics.k8s.io"],
                    "resources": ["nodes", "pods"],
                    "verbs": ["get", "list"],
                },
            ],
            opts=child,
        )
        kubernetes.rbac.v1.ClusterRoleBinding(
            f"{self._name}-runners",
            metadata={"name": "xgen-runners"},
            role_ref={
                "api_group": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "xgen-runners",
            },
            subjects=[{"api_group": "rbac.authorization.k8s.io", "kind": "Group", "name": RUNNERS_GROUP}],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[role]),
        )
