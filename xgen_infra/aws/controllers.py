"""Controllers on the cluster that call AWS: Cluster Autoscaler, and the Load Balancer Controller if exposed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from xgen_infra.aws import policies
from xgen_infra.aws.addons import SYSTEM
from xgen_infra.aws.load_balancer_policy import load_balancer_controller
from xgen_infra.aws.workload_role import WorkloadRole, WorkloadRoleArgs
from xgen_infra.versions import (
    CLUSTER_AUTOSCALER,
    LOAD_BALANCER_CONTROLLER,
    LOAD_BALANCER_IMAGE,
    Chart,
    Image,
)

AUTOSCALER = "cluster-autoscaler"
BALANCER = "aws-load-balancer-controller"


@dataclass(frozen=True)
class Mirror:
    """Where charts and images come from for customers without internet; None: from their makers."""

    chart_repository: str | None = None
    image_registry: str | None = None

    def values(self, image: Image) -> dict[str, str]:
        """Return a chart's image values: the maker's registry, or the mirror's with the same path."""
        return {"repository": f"{self.image_registry or image.registry}/{image.repository}", "tag": image.tag}


@dataclass(frozen=True)
class ControllersArgs:
    """`role_names` are by service account; `exposed` says whether load balancers are wanted."""

    cluster: str
    place: policies.Place
    vpc_id: pulumi.Input[str]
    role_names: Mapping[str, str]
    autoscaler: Image
    exposed: bool
    tags: Mapping[str, str]
    mirror: Mirror = Mirror()


class Controllers(pulumi.ComponentResource):
    """Helm releases by Pod Identity. Needs providers of pulumi_aws and pulumi_kubernetes."""

    def __init__(self, name: str, args: ControllersArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("xgen:aws:Controllers", name, None, opts)
        self._name, self._args = name, args
        self._controller(
            AUTOSCALER,
            CLUSTER_AUTOSCALER,
            policies.cluster_autoscaler(args.place, args.cluster),
            self._autoscaler_values(),
        )
        if args.exposed:
            self._controller(
                BALANCER,
                LOAD_BALANCER_CONTROLLER,
                load_balancer_controller(args.place, args.cluster),
                self._balancer_values(),
            )
        self.register_outputs({})

    def _controller(
        self, account: str, chart: Chart, document: policies.Document, values: Mapping[str, Any]
    ) -> None:
        """Install one chart whose service account has a role; the role outlives the release."""
        args, name = self._args, f"{self._name}-{account}"
        workload = WorkloadRole(
            name,
            WorkloadRoleArgs(
                args.role_names[account], args.place, args.cluster, SYSTEM, account, document=document
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        association = aws.eks.PodIdentityAssociation(
            f"{name}-identity",
            cluster_name=args.cluster,
            namespace=SYSTEM,
            service_account=account,
            role_arn=workload.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=workload.granted),
        )
        repository = args.mirror.chart_repository or chart.repository
        kubernetes.helm.v3.Release(
            name,
            name=account,
            namespace=SYSTEM,
            chart=chart.name,
            version=chart.version,
            repository_opts=kubernetes.helm.v3.RepositoryOptsArgs(repo=repository),
            values=values,
            timeout=600,
            atomic=False,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[association]),
        )

    def _autoscaler_values(self) -> dict[str, Any]:
        args = self._args
        return {
            "fullnameOverride": AUTOSCALER,
            "cloudProvider": "aws",
            "awsRegion": args.place.region,
            "autoDiscovery": {"clusterName": args.cluster},
            "rbac": {"serviceAccount": {"create": True, "name": AUTOSCALER}},
            "image": args.mirror.values(args.autoscaler),
            "extraArgs": {"balance-similar-node-groups": "true", "skip-nodes-with-system-pods": "false"},
            "resources": {
                "requests": {"cpu": "50m", "memory": "128Mi"},
                "limits": {"memory": "512Mi"},
            },
        }

    def _balancer_values(self) -> dict[str, Any]:
        """Values of the controller: one hop to the metadata service hides VPC and region, so they are said."""
        args = self._args
        return {
            "fullnameOverride": BALANCER,
            "clusterName": args.cluster,
            "region": args.place.region,
            "vpcId": args.vpc_id,
            "serviceAccount": {"create": True, "name": BALANCER},
            "image": args.mirror.values(LOAD_BALANCER_IMAGE),
            "replicaCount": 2,
            "defaultTags": dict(args.tags),
            "enableServiceMutatorWebhook": False,
            "keepTLSSecret": True,
            "controllerConfig": {"featureGates": {"ALBGatewayAPI": False, "NLBGatewayAPI": False}},
            "enableShield": False,
            "enableWaf": False,
            "enableWafv2": False,
            "resources": {
                "requests": {"cpu": "50m", "memory": "128Mi"},
                "limits": {"memory": "512Mi"},
            },
        }
