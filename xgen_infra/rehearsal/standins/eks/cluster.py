"""`eks:index:Cluster`: the resources that the real component registers, in their order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
from pulumi.provider import ConstructResult

from xgen_infra.rehearsal.standins.contract import ConstructRequest
from xgen_infra.rehearsal.standins.eks.refusals import refuse_cluster

TOKEN = "eks:index:Cluster"  # noqa: S105 - a type token


def construct(req: ConstructRequest) -> ConstructResult:
    """Register the component and its children."""
    refuse_cluster(req.inputs)
    component = Cluster(req.name, req.inputs, req.options)
    return ConstructResult(component.urn, component.state)


class Cluster(pulumi.ComponentResource):
    """An EKS cluster: role, control plane, access entries, add-ons, and a Kubernetes provider for it."""

    def __init__(self, name: str, inputs: Mapping[str, Any], options: pulumi.ResourceOptions) -> None:
        super().__init__(TOKEN, name, None, options)
        self._name, self._inputs = name, inputs
        self._child = pulumi.ResourceOptions(parent=self)
        self._role = inputs.get("serviceRole") or self._service_role()
        self._groups: dict[str, aws.ec2.SecurityGroup] = {}
        if not inputs.get("skipDefaultSecurityGroups"):
            self._security_group("eksClusterSecurityGroup")
        self.cluster = self._control_plane()
        if not inputs.get("skipDefaultSecurityGroups"):
            self._node_security_group()
        self._access_entries()
        self._addons()
        config = self._kubeconfig()
        self._provider(config)
        self.state = self._outputs(config)
        self.register_outputs(self.state)

    def _service_role(self) -> aws.iam.Role:
        """Make the role as eks:index:ServiceRole does, with the cluster policy."""
        inside = pulumi.ComponentResource("eks:index:ServiceRole", f"{self._name}-eksRole", None, self._child)
        child = pulumi.ResourceOptions(parent=inside)
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        role = aws.iam.Role(f"{self._name}-eksRole-role", assume_role_policy=policy, opts=child)
        aws.iam.RolePolicyAttachment(
            f"{self._name}-eksRole-4b490823",
            role=role.name,
            policy_arn="arn:aws:iam::aws:policy/AmazonEKSClusterPolicy",
            opts=child,
        )
        inside.register_outputs({"role": role})
        return role

    def _security_group(self, part: str) -> aws.ec2.SecurityGroup:
        group = aws.ec2.SecurityGroup(
            f"{self._name}-{part}",
            vpc_id=self._inputs.get("vpcId"),
            description=f"Managed by Pulumi: {part}",
            revoke_rules_on_delete=True,
            opts=self._child,
        )
        self._groups[part] = group
        self._rule(f"{part}-egress", group, "egress", "-1", (0, 0), cidr_blocks=["0.0.0.0/0"])
        return group

    def _rule(
        self,
        part: str,
        group: aws.ec2.SecurityGroup,
        kind: str,
        protocol: str,
        ports: tuple[int, int],
        **source: Any,
    ) -> None:
        aws.ec2.SecurityGroupRule(
            f"{self._name}-{part}",
            security_group_id=group.id,
            type=kind,
            protocol=protocol,
            from_port=ports[0],
            to_port=ports[1],
            **source,
            opts=self._child,
        )

    def _node_security_group(self) -> None:
        cluster, nodes = self._groups["eksClusterSecurityGroup"], self._security_group("nodeSecurityGroup")
        self._rule("nodes-self", nodes, "ingress", "-1", (0, 0), self=True)
        self._rule(
            "nodes-cluster", nodes, "ingress", "tcp", (1025, 65535), source_security_group_id=cluster.id
        )
        self._rule("nodes-https", nodes, "ingress", "tcp", (443, 443), source_security_group_id=cluster.id)
        self._rule("cluster-nodes", cluster, "ingress", "tcp", (443, 443), source_security_group_id=nodes.id)

    def _control_plane(self) -> aws.eks.Cluster:
        given = self._inputs
        subnets = given.get("subnetIds") or [
            *(given.get("publicSubnetIds") or []),
            *(given.get("privateSubnetIds") or []),
        ]
        network: dict[str, Any] = {
            "subnet_ids": subnets,
            "security_group_ids": [group.id for group in self._groups.values()] or None,
            "endpoint_private_access": given.get("endpointPrivateAccess"),
            "endpoint_public_access": given.get("endpointPublicAccess"),
            "public_access_cidrs": given.get("publicAccessCidrs"),
        }
        key = given.get("encryptionConfigKeyArn")
        service_range = given.get("kubernetesServiceIpAddressRange")
        bootstrap = given.get("bootstrapSelfManagedAddons")
        return aws.eks.Cluster(
            f"{self._name}-eksCluster",
            name=given.get("name"),
            role_arn=self._role.arn,
            version=given.get("version"),
            vpc_config={name: value for name, value in network.items() if value is not None},
            access_config={"authentication_mode": given.get("authenticationMode") or "CONFIG_MAP"},
            bootstrap_self_managed_addons=True if bootstrap is None else bootstrap,
            deletion_protection=given.get("deletionProtection"),
            enabled_cluster_log_types=given.get("enabledClusterLogTypes"),
            encryption_config={"provider": {"key_arn": key}, "resources": ["secrets"]} if key else None,
            kubernetes_network_config={"service_ipv4_cidr": service_range} if service_range else None,
            tags={"Name": f"{self._name}-eksCluster", **(given.get("clusterTags") or {})},
            opts=self._child,
        )

    def _access_entries(self) -> None:
        for key, entry in (self._inputs.get("accessEntries") or {}).items():
            made = aws.eks.AccessEntry(
                f"{self._name}-{key}",
                cluster_name=self.cluster.name,
                principal_arn=entry["principalArn"],
                kubernetes_groups=entry.get("kubernetesGroups"),
                type=entry.get("type"),
                user_name=entry.get("username"),
                opts=self._child,
            )
            for part, policy in (entry.get("accessPolicies") or {}).items():
                scope = policy["accessScope"]
                aws.eks.AccessPolicyAssociation(
                    f"{self._name}-{key}-{part}",
                    cluster_name=self.cluster.name,
                    principal_arn=entry["principalArn"],
                    policy_arn=policy["policyArn"],
                    access_scope={"type": scope["type"], "namespaces": scope.get("namespaces")},
                    opts=pulumi.ResourceOptions(parent=self, depends_on=[made]),
                )

    def _addons(self) -> None:
        given = self._inputs
        wanted = {
            "vpc-cni": not given.get("useDefaultVpcCni"),
            "kube-proxy": (given.get("kubeProxyAddonOptions") or {}).get("enabled", True),
            "coredns": (given.get("corednsAddonOptions") or {}).get("enabled", True),
        }
        for addon, on in wanted.items():
            if on:
                aws.eks.Addon(
                    f"{self._name}-{addon}",
                    addon_name=addon,
                    cluster_name=self.cluster.name,
                    resolve_conflicts_on_create="OVERWRITE",
                    resolve_conflicts_on_update="OVERWRITE",
                    opts=self._child,
                )

    def _kubeconfig(self) -> pulumi.Output[dict[str, Any]]:
        profile = (self._inputs.get("providerCredentialOpts") or {}).get("profileName")
        return pulumi.Output.all(
            self.cluster.name, self.cluster.endpoint, self.cluster.certificate_authority
        ).apply(lambda known: kubeconfig(*known, profile=profile))

    def _provider(self, config: pulumi.Output[dict[str, Any]]) -> None:
        kubernetes.Provider(f"{self._name}-eks-k8s", kubeconfig=config.apply(json.dumps), opts=self._child)

    def _outputs(self, config: pulumi.Output[dict[str, Any]]) -> dict[str, Any]:
        given, cluster = self._inputs, self.cluster
        nodes = self._groups.get("nodeSecurityGroup")
        issuer = cluster.identities.apply(
            lambda found: found[0].oidcs[0].issuer if found and found[0].oidcs else ""
        )
        core = {
            "cluster": cluster,
            "vpcId": cluster.vpc_config.apply(lambda config: config.vpc_id),
            "subnetIds": cluster.vpc_config.apply(lambda config: config.subnet_ids),
            "privateSubnetIds": given.get("privateSubnetIds"),
            "publicSubnetIds": given.get("publicSubnetIds"),
            "endpoint": cluster.endpoint,
            "clusterIamRole": self._role,
            "instanceRoles": given.get("instanceRoles") or [],
            "kubeconfig": config,
        }
        return {
            "eksCluster": cluster,
            "core": {name: value for name, value in core.items() if value is not None},
            "kubeconfig": config,
            "kubeconfigJson": config.apply(json.dumps),
            "clusterSecurityGroupId": cluster.vpc_config.apply(lambda found: found.cluster_security_group_id),
            "nodeSecurityGroupId": nodes.id if nodes else "",
            "oidcIssuer": issuer,
        }


def kubeconfig(name: str, endpoint: str, authority: Any, *, profile: str | None = None) -> dict[str, Any]:
    """Return the kubeconfig of a cluster, which asks the aws command for a token each time."""
    command = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "aws",
        "args": ["eks", "get-token", "--cluster-name", name, "--output", "json"],
        "env": [{"name": "KUBERNETES_EXEC_INFO", "value": '{"apiVersion": "client.authentication.k8s.io/v1beta1"}'}],
    }
    if profile:
        command["env"] = [*list(command["env"]), {"name": "AWS_PROFILE", "value": profile}]
    data = authority["data"] if isinstance(authority, dict) else authority.data
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "kubernetes", "cluster": {"server": endpoint, "certificate-authority-data": data}}],
        "contexts": [{"name": "aws", "context": {"cluster": "kubernetes", "user": "aws"}}],
        "current-context": "aws",
        "users": [{"name": "aws", "user": {"exec": command}}],
    }
