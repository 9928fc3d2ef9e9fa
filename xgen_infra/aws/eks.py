"""The EKS control plane: role, encryption key, logs, access entries, and the add-ons that nodes need to join."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks

from xgen_infra.aws import policies, upgrade
from xgen_infra.aws.peering import key
from xgen_infra.aws.refusal import told

LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
RUNNERS_GROUP = "xgen:runners"
"""Kubernetes group of CI runners; RBAC binds it to what EKS' own access policies do not know (Argo CD's)."""

ACCESS_POLICIES = "eks::aws:cluster-access-policy"


@dataclass(frozen=True)
class EksArgs:
    """What a control plane needs; `name` is its physical name.

    `api_access` are the networks that reach the API over the internet, `inside` those that reach it
    privately, `workloads` the namespaces where runners deploy.
    """

    name: str
    role_name: str
    place: policies.Place
    version: str
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    service_cidr: IPv4Network
    key_arn: pulumi.Input[str]
    log_retention_days: int
    deletion_protection: bool
    api_access: Sequence[IPv4Network] = ()
    inside: Sequence[IPv4Network] = ()
    admins: Sequence[str] = ()
    runners: Sequence[str] = ()
    workloads: Sequence[str] = ()


def log_group(cluster: str) -> str:
    """Return the log group into which EKS writes control-plane logs (Amazon EKS User Guide)."""
    return f"/aws/eks/{cluster}/cluster"


def access_entries(args: EksArgs) -> Mapping[str, eks.AccessEntryArgs]:
    """Return the access entries by a stable name.

    Admins get AmazonEKSClusterAdminPolicy. Runners get AmazonEKSEditPolicy in the workloads' namespaces alone
    and AmazonEKSViewPolicy elsewhere: they can deploy the six services and watch them, but not read Secrets
    of other namespaces, change RBAC, or touch nodes. What only they need of Argo CD comes by their group.
    """

    def policy(name: str) -> str:
        return f"arn:{args.place.partition}:{ACCESS_POLICIES}/{name}"

    def grant(name: str, namespaces: Sequence[str] = ()) -> eks.AccessPolicyAssociationArgs:
        scope = (
            aws.eks.AccessPolicyAssociationAccessScopeArgs(type="namespace", namespaces=list(namespaces))
            if namespaces
            else aws.eks.AccessPolicyAssociationAccessScopeArgs(type="cluster")
        )
        return eks.AccessPolicyAssociationArgs(policy_arn=policy(name), access_scope=scope)

    admins = {
        f"admin-{key(arn)}": eks.AccessEntryArgs(
            principal_arn=arn, access_policies={"admin": grant("AmazonEKSClusterAdminPolicy")}
        )
        for arn in args.admins
    }
    runners = {
        f"runner-{key(arn)}": eks.AccessEntryArgs(
            principal_arn=arn,
            kubernetes_groups=[RUNNERS_GROUP],
            access_policies={
                "edit": grant("AmazonEKSEditPolicy", args.workloads),
                "view": grant("AmazonEKSViewPolicy"),
            },
        )
        for arn in args.runners
    }
    return {**admins, **runners}


class ControlPlane(pulumi.ComponentResource):
    """An EKS cluster without nodes. `cluster` is pulumi_eks' component, for node groups to join."""

    cluster: eks.Cluster
    endpoint: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]

    def __init__(self, name: str, args: EksArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("xgen:aws:ControlPlane", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=log_group(args.name),
            retention_in_days=args.log_retention_days,
            kms_key_id=args.key_arn,
            opts=self._child,
        )
        role, policy = self._role()
        self.cluster = self._cluster(role, [logs, policy])
        self.endpoint = self.cluster.eks_cluster.endpoint
        self.kubeconfig = self.cluster.kubeconfig_json
        self._private_access()
        self.register_outputs({"endpoint": self.endpoint})

    def _role(self) -> tuple[aws.iam.Role, aws.iam.RolePolicyAttachment]:
        role = aws.iam.Role(
            f"{self._name}-role",
            name=self._args.role_name,
            permissions_boundary=self._args.place.boundary,
            assume_role_policy=policies.text(policies.trust_service("eks.amazonaws.com", tag_session=True)),
            opts=self._child,
        )
        attachment = aws.iam.RolePolicyAttachment(
            f"{self._name}-role",
            role=role.name,
            policy_arn=self._args.place.managed("AmazonEKSClusterPolicy"),
            opts=self._child,
        )
        return role, attachment

    def _cluster(self, role: aws.iam.Role, depends_on: Sequence[pulumi.Resource]) -> eks.Cluster:
        """Make the cluster by pulumi_eks, whose defaults are all switched off.

        Without endpoint_public_access AWS' own default, true, holds; given explicitly, `up` would poll the
        endpoint from here for up to five minutes. The networking add-ons are made beside it, with Pod
        Identity and pinned; nothing is bootstrapped that they would have to overwrite.
        """
        args = self._args
        public = [str(network) for network in args.api_access]
        return eks.Cluster(
            self._name,
            name=args.name,
            version=self._upgrade(),
            vpc_id=args.vpc_id,
            private_subnet_ids=list(args.subnet_ids),
            authentication_mode=eks.AuthenticationMode.API,
            access_entries=access_entries(args),
            service_role=role,
            skip_default_node_group=True,
            skip_default_security_groups=True,
            create_instance_role=False,
            create_oidc_provider=False,
            bootstrap_self_managed_addons=False,
            use_default_vpc_cni=True,
            coredns_addon_options=eks.CoreDnsAddonOptionsArgs(enabled=False),
            kube_proxy_addon_options=eks.KubeProxyAddonOptionsArgs(enabled=False),
            endpoint_private_access=True,
            **({"public_access_cidrs": public} if public else {"endpoint_public_access": False}),
            kubernetes_service_ip_address_range=str(args.service_cidr),
            encryption_config_key_arn=args.key_arn,
            enabled_cluster_log_types=list(LOG_TYPES),
            deletion_protection=args.deletion_protection,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(depends_on)),
        )

    def _upgrade(self) -> pulumi.Output[str]:
        """Return the version, once it is known to be one that EKS goes to from the one that runs."""
        name, wanted, options = self._args.name, self._args.version, pulumi.InvokeOptions(parent=self)

        def running(names: Sequence[str]) -> pulumi.Output[str | None]:
            if name not in names:
                return pulumi.Output.from_input(None)
            found: pulumi.Output[str | None] = aws.eks.get_cluster_output(name=name, opts=options).version
            return found

        names: pulumi.Output[Sequence[str]] = aws.eks.get_clusters_output(opts=options).names
        version: pulumi.Output[str | None] = names.apply(running)
        return version.apply(lambda found: told(upgrade.step, found, wanted))

    def _private_access(self) -> None:
        """Let the management server's network reach the API: EKS' own group admits only the nodes."""
        group = self.cluster.eks_cluster.vpc_config.cluster_security_group_id
        for network in self._args.inside:
            aws.vpc.SecurityGroupIngressRule(
                f"{self._name}-api-{key(str(network))}",
                security_group_id=group,
                cidr_ipv4=str(network),
                ip_protocol="tcp",
                from_port=443,
                to_port=443,
                description="Kubernetes API from the management network",
                opts=self._child,
            )
