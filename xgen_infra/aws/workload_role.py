"""A role for one service account on the cluster, by EKS Pod Identity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from xgen_infra.aws import policies


@dataclass(frozen=True)
class WorkloadRoleArgs:
    """`managed` names policies of AWS, `document` is a policy of our own.

    `namespace` and `service_account` say who gets the role.
    """

    role_name: str
    place: policies.Place
    cluster: str
    namespace: str
    service_account: str
    managed: Sequence[str] = ()
    document: policies.Document | None = None


class WorkloadRole(pulumi.ComponentResource):
    """An IAM role that only one service account may have. `granted` is when it can do its work."""

    arn: pulumi.Output[str]
    granted: list[pulumi.Resource]

    def __init__(self, name: str, args: WorkloadRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("xgen:aws:WorkloadRole", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        trust = policies.trust_pods(
            args.place.arn("eks", f"cluster/{args.cluster}"), args.namespace, args.service_account
        )
        role = aws.iam.Role(
            f"{name}-role",
            name=args.role_name,
            permissions_boundary=args.place.boundary,
            assume_role_policy=policies.text(trust),
            opts=child,
        )
        self.granted = [
            aws.iam.RolePolicyAttachment(
                f"{name}-{policy.rpartition('/')[2]}",
                role=role.name,
                policy_arn=args.place.managed(policy),
                opts=child,
            )
            for policy in args.managed
        ]
        if args.document:
            self.granted.append(
                aws.iam.RolePolicy(
                    f"{name}-policy",
                    name=args.service_account,
                    role=role.name,
                    policy=policies.text(args.document),
                    opts=child,
                )
            )
        self.arn = role.arn
        self.register_outputs({"arn": self.arn})
