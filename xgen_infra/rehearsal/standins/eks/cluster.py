"""The component `eks:index:Cluster`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
from pulumi.provider import ConstructResult

from xgen_infra.rehearsal.standins.contract import ConstructRequest
from xgen_infra.rehearsal.standins.eks import parts, refusals
from xgen_infra.rehearsal.standins.eks.addons import VpcCniAddon
from xgen_infra.rehearsal.standins.eks.inputs import Inputs
from xgen_infra.rehearsal.standins.eks.kubeconfig import kubeconfig
from xgen_infra.rehearsal.standins.eks.node_access import node_access
from xgen_infra.rehearsal.standins.eks.parts import ServiceRole, under

_THUMBPRINT = "9e99a48a9960b14926bb7f3b02e22da2b0ab7280"
"""Of a CA at the issuer; the real component asks the issuer for it, over the network."""

_WORKERS = ("AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly")


class Cluster(pulumi.ComponentResource):
    """An EKS cluster and what belongs to it. The children have the real component's types and names."""

    def __init__(self, name: str, inputs: Inputs, opts: pulumi.ResourceOptions) -> None:
        """Register it; raises ComponentError where the real component refuses its inputs."""
        refusals.check_cluster(inputs)
        super().__init__("eks:index:Cluster", name, None, opts)
        self._name, self._inputs = name, inputs
        self.vpc_id, self.subnet_ids = self._network()
        self.service_role: Any = None
        if not inputs.has("serviceRole"):
            self.service_role = ServiceRole(
                f"{name}-eksRole",
                "eks.amazonaws.com",
                ["AmazonEKSClusterPolicy"],
                ["sts:AssumeRole", "sts:TagSession"],
                inputs.get("tags"),
                under(self),
            )
        self.group = self._group()
        self.cluster = self._cluster()
        self._managed_addon("kube-proxy", "kubeProxyAddonOptions", enabled=True)
        self.kubeconfig = self._kubeconfig(shared=True)
        self.provider = kubernetes.Provider(
            f"{name}-eks-k8s",
            kubeconfig=pulumi.Output.json_dumps(self._kubeconfig(shared=False)),
            enable_config_map_mutable=inputs.get("enableConfigMapMutable"),
            opts=under(self),
        )
        self.instance_roles = self._instance_roles()
        self.node_access: Any = None
        if refusals.supports_config_map(inputs):
            self.node_access = node_access(name, inputs, self.instance_roles, self.provider, self)
        self.entries = self._entries() if refusals.supports_entries(inputs) else {}
        self.vpc_cni = None if inputs.truthy("useDefaultVpcCni") else self._vpc_cni()
        self._managed_addon("coredns", "corednsAddonOptions", enabled=False)
        self.oidc = self._oidc() if inputs.truthy("createOidcProvider") else None
        self.node_group, self.inward_rule = None, None
        if self.group is not None and not inputs.truthy("skipDefaultSecurityGroups"):
            self.node_group, self.inward_rule = parts.node_group(
                name, inputs, self.cluster, self.group.id, self
            )

    def state(self) -> dict[str, Any]:
        """Give the component's outputs by the provider's names."""
        group = self.cluster.vpc_config.cluster_security_group_id
        issuer = self.cluster.identities.apply(lambda found: found[0].oidcs[0].issuer)
        made = {
            "core": self._core(),
            "eksCluster": self.cluster,
            "kubeconfig": self.kubeconfig,
            "kubeconfigJson": pulumi.Output.json_dumps(self.kubeconfig),
            "instanceRoles": self.instance_roles,
            "clusterSecurityGroup": self.group,
            "nodeSecurityGroup": self.node_group,
            "eksClusterIngressRule": self.inward_rule,
            "clusterSecurityGroupId": self.group.id if self.group is not None else group,
            "nodeSecurityGroupId": self.node_group.id if self.node_group is not None else group,
            "clusterIngressRuleId": self.inward_rule.security_group_rule_id
            if self.inward_rule is not None
            else "",
            "defaultNodeGroupAsgName": "",
            "fargateProfileId": "",
            "fargateProfileStatus": "",
            "oidcProviderArn": self.oidc.arn if self.oidc is not None else "",
            "oidcProviderUrl": issuer,
            "oidcIssuer": issuer.apply(lambda url: url.removeprefix("https://")),
            "autoModeNodeRoleName": "",
        }
        return {key: value for key, value in made.items() if value is not None}

    def _core(self) -> dict[str, Any]:
        role = self._inputs.get("serviceRole") if self.service_role is None else self.service_role.role
        core = {
            "cluster": self.cluster,
            "vpcId": self.vpc_id,
            "subnetIds": self.subnet_ids,
            "publicSubnetIds": self._inputs.get("publicSubnetIds"),
            "privateSubnetIds": self._inputs.get("privateSubnetIds"),
            "endpoint": self.cluster.endpoint,
            "clusterSecurityGroup": self.group,
            "instanceRoles": self.instance_roles,
            "nodeGroupOptions": dict(self._inputs.get("nodeGroupOptions") or {}),
            "kubeconfig": self.kubeconfig,
            "vpcCni": self.vpc_cni,
            "tags": self._inputs.get("tags"),
            "nodeSecurityGroupTags": self._inputs.get("nodeSecurityGroupTags"),
            "eksNodeAccess": self.node_access,
            "oidcProvider": self.oidc,
            "encryptionConfig": self._encryption(),
            "clusterIamRole": role,
            "accessEntries": list(self.entries.values()),
            "storageClasses": {},
        }
        return {key: value for key, value in core.items() if value is not None}

    def _network(self) -> tuple[Any, Any]:
        """Give the VPC and the subnets; without a VPC, the default one, as the real component does."""
        inputs, invoke = self._inputs, pulumi.InvokeOptions(parent=self)
        vpc, subnets = inputs.get("vpcId"), inputs.get("subnetIds")
        if vpc is None:
            vpc = aws.ec2.get_vpc_output(default=True, opts=invoke).id
            if subnets is None:
                in_vpc = [{"name": "vpc-id", "values": [vpc]}]
                subnets = aws.ec2.get_subnets_output(filters=in_vpc, opts=invoke).ids
        sides = inputs.any_of("publicSubnetIds", "privateSubnetIds")
        if inputs.get("subnetIds") is None and sides:
            both = [inputs.get("publicSubnetIds") or [], inputs.get("privateSubnetIds") or []]
            subnets = pulumi.Output.all(*both).apply(lambda lists: [*lists[0], *lists[1]])
        return vpc, subnets or []

    def _group(self) -> Any:
        if self._inputs.has("clusterSecurityGroup"):
            return self._inputs.get("clusterSecurityGroup")
        if self._inputs.truthy("skipDefaultSecurityGroups"):
            return None
        return parts.cluster_group(self._name, self._inputs, self.vpc_id, self)

    def _encryption(self) -> dict[str, Any] | None:
        key = self._inputs.get("encryptionConfigKeyArn")
        return {"provider": {"keyArn": key}, "resources": ["secrets"]} if key is not None else None

    def _cluster(self) -> Any:
        inputs, role = self._inputs, self.service_role
        arn = (
            pulumi.Output.from_input(inputs.get("serviceRole")).apply(lambda r: r.arn)
            if role is None
            else role.role.arn
        )
        access = None
        if inputs.has("authenticationMode"):
            access = {
                "authenticationMode": inputs.get("authenticationMode"),
                "bootstrapClusterCreatorAdminPermissions": True,
            }
        family = inputs.get("ipFamily") or "ipv4"
        network = None
        if inputs.any_of("kubernetesServiceIpAddressRange", "ipFamily"):
            network = {"ipFamily": family, "serviceIpv4Cidr": inputs.get("kubernetesServiceIpAddressRange")}
        bootstrap = inputs.get("bootstrapSelfManagedAddons")
        return aws.eks.Cluster(
            f"{self._name}-eksCluster",
            name=inputs.get("name"),
            role_arn=arn,
            version=inputs.get("version"),
            kubernetes_network_config=network,
            bootstrap_self_managed_addons=True if bootstrap is None else bootstrap,
            vpc_config={
                "securityGroupIds": [self.group.id] if self.group is not None else None,
                "subnetIds": self.subnet_ids,
                "endpointPrivateAccess": inputs.get("endpointPrivateAccess"),
                "endpointPublicAccess": inputs.get("endpointPublicAccess"),
                "publicAccessCidrs": inputs.get("publicAccessCidrs"),
            },
            enabled_cluster_log_types=inputs.get("enabledClusterLogTypes"),
            encryption_config=self._encryption(),
            access_config=access,
            upgrade_policy=inputs.get("upgradePolicy"),
            deletion_protection=inputs.get("deletionProtection"),
            tags=parts.tags(f"{self._name}-eksCluster", inputs.get("clusterTags"), inputs.get("tags")),
            opts=under(
                self,
                depends_on=role.attachments if role is not None else None,
                ignore_changes=[
                    "accessConfig.bootstrapClusterCreatorAdminPermissions",
                    "bootstrapSelfManagedAddons",
                ],
            ),
        )

    def _kubeconfig(self, *, shared: bool) -> pulumi.Output[dict[str, Any]]:
        """Give the kubeconfig; the shared one names no profile, which is this machine's own affair."""
        cluster = {
            "name": self.cluster.name,
            "endpoint": self.cluster.endpoint,
            "authority": self.cluster.certificate_authority.data,
            "region": self.cluster.arn.apply(lambda arn: arn.split(":")[3]),
        }
        options = self._inputs.get("providerCredentialOpts")

        def made(given: Mapping[str, Any]) -> dict[str, Any]:
            credentials = dict(given["options"] or {})
            if shared:
                credentials.pop("profileName", None)
            return kubeconfig(given["cluster"], credentials)

        return pulumi.Output.all(cluster=cluster, options=options).apply(made)

    def _managed_addon(self, name: str, key: str, *, enabled: bool) -> None:
        """Make an add-on where its options, or its default, say so."""
        options = self._inputs.mapping(key)
        explicit = options.get("enabled")
        if explicit is False or (explicit is None and not enabled and not options.get("configurationValues")):
            return
        asked = {**options, "addonName": name, "tags": self._inputs.get("tags")}
        parts.addon(f"{self._name}-{name}", self.cluster.name, self.cluster.version, asked, self)

    def _vpc_cni(self) -> VpcCniAddon:
        given = {
            **self._inputs.mapping("vpcCniOptions"),
            "clusterName": self.cluster.name,
            "clusterVersion": self.cluster.version,
            "tags": self._inputs.get("tags"),
        }
        return VpcCniAddon(f"{self._name}-vpc-cni", given, under(self))

    def _instance_roles(self) -> list[Any]:
        inputs = self._inputs
        if inputs.has("instanceRoles"):
            roles: list[Any] = inputs.get("instanceRoles")
            return roles
        if inputs.has("instanceRole"):
            return [inputs.get("instanceRole")]
        if not inputs.truthy("createInstanceRole"):
            return []
        made = ServiceRole(
            f"{self._name}-instanceRole",
            "ec2.amazonaws.com",
            _WORKERS,
            ["sts:AssumeRole"],
            inputs.get("tags"),
            under(self),
        )
        return [made.role]

    def _entries(self) -> dict[str, Any]:
        entries: dict[str, Any] = dict(self._inputs.mapping("accessEntries"))
        if self._inputs.truthy("createInstanceRole") and self.instance_roles:
            own = {"principalArn": self.instance_roles[0].arn, "type": "EC2_LINUX"}
            entries = {"defaultNodeGroupInstanceRole": own, **entries}
        parts.access_entries(self._name, self.cluster, entries, self)
        return entries

    def _oidc(self) -> Any:
        return aws.iam.OpenIdConnectProvider(
            f"{self._name}-oidcProvider",
            client_id_lists=["sts.amazonaws.com"],
            url=self.cluster.identities.apply(lambda found: found[0].oidcs[0].issuer),
            thumbprint_lists=[_THUMBPRINT],
            opts=under(self),
        )


def construct_cluster(asked: ConstructRequest) -> ConstructResult:
    """Make `eks:index:Cluster`."""
    made = Cluster(asked.name, Inputs(asked.inputs), asked.options)
    state = made.state()
    made.register_outputs(state)
    return ConstructResult(urn=made.urn, state=state)
