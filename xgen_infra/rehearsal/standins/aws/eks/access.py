"""Who may enter a cluster: access entries, their policies, pod identities. All in the store.

Rules: Amazon EKS User Guide, "Create access entries", "Review access policy permissions" and
"Learn how EKS Pod Identity grants pods access to AWS services".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.aws.eks import common
from xgen_infra.rehearsal.standins.aws.kind import Job, Kind, Ref
from xgen_infra.rehearsal.standins.aws.session import AwsError
from xgen_infra.rehearsal.standins.contract import Failure, Props

_TYPES = ("STANDARD", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "EC2", "HYBRID_LINUX", "HYPERPOD_LINUX")
_RESERVED = r"(?!system:|eks:|aws:|amazon:|iam:).*"
_PRINCIPAL = r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/.+"
_POLICY = r"arn:aws[a-z-]*:eks::aws:cluster-access-policy/Amazon[A-Za-z0-9]+Policy"
_NAMESPACE = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"


class AccessEntry(Kind):
    type_name = "aws:eks/accessEntry:AccessEntry"
    backed_by = "store"
    required = frozenset({"clusterName", "principalArn"})
    optional = frozenset({"kubernetesGroups", "type", "userName"})
    replace_on = frozenset({"clusterName", "principalArn", "type"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.matches(
            inputs, "principalArn", _PRINCIPAL, "the principal is the ARN of an IAM role or user"
        )
        yield from checks.one_of(inputs, "type", *_TYPES)
        rule = "a name cannot begin with system:, eks:, aws:, amazon: or iam:"
        yield from checks.matches(inputs, "userName", _RESERVED, rule)
        for index, group in enumerate(inputs.get("kubernetesGroups") or []):
            for failure in checks.matches({"group": group}, "group", _RESERVED, rule):
                yield Failure(f"kubernetesGroups[{index}]", failure.reason)
        if inputs.get("type", "STANDARD") != "STANDARD" and inputs.get("kubernetesGroups"):
            yield Failure("kubernetesGroups", f"an entry of type {inputs['type']} takes no groups")

    def create(self, job: Job) -> str:
        cluster, principal = job.text("clusterName"), job.text("principalArn")
        ident = f"{cluster}:{principal}"
        common.require_access_entries(job.aws, cluster)
        if job.aws.store.get(common.ENTRIES, ident) is not None:
            raise AwsError(
                "ResourceInUseException",
                f"The specified access entry resource is already in use on this cluster: {principal} on {cluster}",
            )
        self._put(job, ident, common.now())
        return ident

    def read(self, ref: Ref) -> Props | None:
        item = ref.aws.store.get(common.ENTRIES, ref.id)
        if item is None or not common.is_there(ref.aws, item["clusterName"]):
            return None
        cluster, principal = item["clusterName"], item["principalArn"]
        kind, _, name = principal.split(":", 5)[5].partition("/")
        return {
            "accessEntryArn": ref.aws.arn(
                "eks", f"access-entry/{cluster}/{kind}/{ref.aws.account}/{name}/{common.ident(ref.id)}"
            ),
            "clusterName": cluster,
            "principalArn": principal,
            "kubernetesGroups": item.get("kubernetesGroups") or [],
            "type": item["type"],
            "userName": item.get("userName") or _user_name(principal),
            "createdAt": item["createdAt"],
            "modifiedAt": item.get("modifiedAt", item["createdAt"]),
            "tagsAll": item.get("tags") or {},
        }

    def update(self, job: Job, ref: Ref) -> None:
        had = ref.aws.store.get(common.ENTRIES, ref.id)
        if had is None:
            raise AwsError("ResourceNotFoundException", f"no access entry {ref.id}")
        self._put(job, ref.id, had["createdAt"])

    def delete(self, ref: Ref) -> None:
        item = ref.aws.store.get(common.ENTRIES, ref.id)
        ref.aws.store.drop(common.ENTRIES, ref.id)
        for key, one in ref.aws.store.all(common.ASSOCIATIONS).items():
            same = item is not None and one["clusterName"] == item["clusterName"]
            if same and item is not None and one["principalArn"] == item["principalArn"]:
                ref.aws.store.drop(common.ASSOCIATIONS, key)

    def _put(self, job: Job, ident: str, created: str) -> None:
        job.aws.store.put(
            common.ENTRIES,
            ident,
            {
                "clusterName": job.text("clusterName"),
                "principalArn": job.text("principalArn"),
                "type": job.text("type", "STANDARD"),
                "kubernetesGroups": job.inputs.get("kubernetesGroups") or [],
                "userName": job.inputs.get("userName"),
                "createdAt": created,
                "modifiedAt": common.now(),
                "tags": job.tags,
            },
        )


class AccessPolicyAssociation(Kind):
    type_name = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
    backed_by = "store"
    required = frozenset({"clusterName", "principalArn", "policyArn", "accessScope"})
    replace_on = required
    taggable = False
    updatable = False

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.matches(inputs, "policyArn", _POLICY, "the ARN of an EKS access policy")
        scope = inputs.get("accessScope") or {}
        for failure in checks.one_of(scope, "type", "cluster", "namespace"):
            yield Failure("accessScope.type", failure.reason)
        if scope.get("type") == "namespace" and not scope.get("namespaces"):
            yield Failure(
                "accessScope.namespaces", "an access scope of type namespace has to name namespaces"
            )
        if scope.get("type") == "cluster" and scope.get("namespaces"):
            yield Failure("accessScope.namespaces", "an access scope of type cluster takes no namespaces")

    def create(self, job: Job) -> str:
        cluster, principal = job.text("clusterName"), job.text("principalArn")
        common.require_access_entries(job.aws, cluster)
        entry = job.aws.store.get(common.ENTRIES, f"{cluster}:{principal}")
        if entry is None:
            raise AwsError(
                "ResourceNotFoundException",
                f"The specified principalArn {principal} has no entry on {cluster}",
            )
        if entry["type"] != "STANDARD":
            raise AwsError(
                "InvalidRequestException",
                f"an access entry of type {entry['type']} takes no policy: {principal}",
            )
        ident = f"{cluster}#{principal}#{job.text('policyArn')}"
        kept = {key: job.inputs[key] for key in self.required}
        job.aws.store.put(common.ASSOCIATIONS, ident, {**kept, "associatedAt": common.now()})
        return ident

    def read(self, ref: Ref) -> Props | None:
        item = ref.aws.store.get(common.ASSOCIATIONS, ref.id)
        if item is None or not common.is_there(ref.aws, item["clusterName"]):
            return None
        return {**item, "modifiedAt": item["associatedAt"]}

    def delete(self, ref: Ref) -> None:
        ref.aws.store.drop(common.ASSOCIATIONS, ref.id)


class PodIdentityAssociation(Kind):
    type_name = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
    backed_by = "store"
    required = frozenset({"clusterName", "namespace", "serviceAccount", "roleArn"})
    optional = frozenset({"disableSessionTags", "targetRoleArn"})
    replace_on = frozenset({"clusterName", "namespace", "serviceAccount"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.arn(inputs, "roleArn", "iam")
        yield from checks.arn(inputs, "targetRoleArn", "iam")
        yield from checks.matches(inputs, "namespace", _NAMESPACE, "a namespace is a DNS label")

    def create(self, job: Job) -> str:
        cluster = job.text("clusterName")
        common.cluster_of(job.aws, cluster)
        self._refuse_role(job)
        subject = tuple(job.text(key) for key in ("clusterName", "namespace", "serviceAccount"))
        for item in job.aws.store.all(common.IDENTITIES).values():
            if (item["clusterName"], item["namespace"], item["serviceAccount"]) == subject:
                raise AwsError(
                    "ResourceInUseException",
                    f"Association already exists: {'/'.join(subject)} has {item['roleArn']}",
                )
        ident = f"a-{common.ident('/'.join(subject))[:17]}"
        self._put(job, ident)
        return ident

    def read(self, ref: Ref) -> Props | None:
        ident = ref.id.rpartition(",")[2]
        item = ref.aws.store.get(common.IDENTITIES, ident)
        if item is None or not common.is_there(ref.aws, item["clusterName"]):
            return None
        return {
            **{key: item.get(key) for key in (*self.required, "targetRoleArn")},
            "disableSessionTags": bool(item.get("disableSessionTags", False)),
            "associationId": ident,
            "associationArn": ref.aws.arn("eks", f"podidentityassociation/{item['clusterName']}/{ident}"),
            "externalId": "",
            "tagsAll": item["tags"],
        }

    def update(self, job: Job, ref: Ref) -> None:
        self._refuse_role(job)
        self._put(job, ref.id)

    def delete(self, ref: Ref) -> None:
        ref.aws.store.drop(common.IDENTITIES, ref.id)

    def _put(self, job: Job, ident: str) -> None:
        kept = {key: job.inputs[key] for key in self.required | self.optional if key in job.inputs}
        job.aws.store.put(common.IDENTITIES, ident, {**kept, "tags": job.tags})

    def _refuse_role(self, job: Job) -> None:
        role = common.role_of(job.aws, job.text("roleArn"))
        if role is not None and not common.trusts(role, "pods.eks.amazonaws.com"):
            raise AwsError(
                "InvalidParameterException",
                f"Trust policy of {job.text('roleArn')} is not valid: it has to let pods.eks.amazonaws.com assume it",
            )


def _user_name(principal: str) -> str:
    """Give the Kubernetes user that EKS makes of a principal: a role's sessions share its name."""
    role = re.fullmatch(r"arn:(aws[a-z-]*):iam::(\d{12}):role/(?:.*/)?([^/]+)", principal)
    if role is None:
        return principal
    return f"arn:{role[1]}:sts::{role[2]}:assumed-role/{role[3]}/{{{{SessionName}}}}"
