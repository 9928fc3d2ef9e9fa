"""What a new customer's file needs to know: one list, which is the flags, the prompts and the checks of answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from xgen_infra.authoring.free_network import free_network
from xgen_infra.findings import KeyPath
from xgen_infra.site import NexusRegistry, Site

Answers = Mapping[str, Any]
"""Answers by the question's name; one that was left open is not there."""
VENDORS = "vendor"
"""The registry that Pulumi.yaml names for everybody."""


@dataclass(frozen=True)
class Context:
    """What answers may follow from: the new stack's name, and the sites that are there already."""

    stack: str
    others: Sequence[Site] = ()


@dataclass(frozen=True)
class Question:
    """One question. `paths` are the places of the site that its answer fills, none where it only decides others.

    A question is put where `when` holds. Without an answer `default` speaks; where that has none, a `required` one
    has to be answered. One that is not `asked` is a flag only. `many` takes a list, `file` the name of a file.
    """

    name: str
    words: str
    paths: tuple[KeyPath, ...] = ()
    choices: tuple[str, ...] = ()
    when: Callable[[Answers], bool] = lambda _: True
    default: Callable[[Answers, Context], Any] = lambda _answers, _context: None
    required: Callable[[Answers], bool] = lambda _: False
    asked: bool = True
    many: bool = False
    yes_or_no: bool = False
    file: bool = False

    @property
    def flag(self) -> str:
        """The option of the command line."""
        return f"--{self.name.replace('_', '-')}"


def _always(_: Answers) -> bool:
    return True


def _eks(answers: Answers) -> bool:
    return answers.get("kind") == "eks"


def _k3s(answers: Answers) -> bool:
    return answers.get("kind") == "k3s"


def _peered(answers: Answers) -> bool:
    return _eks(answers) and bool(answers.get("management_vpc"))


def _registry(*kinds: str) -> Callable[[Answers], bool]:
    return lambda answers: answers.get("registry") in kinds


def _exposed(answers: Answers) -> bool:
    return answers.get("exposure") in {"internal", "public"}


def _needs_domain(answers: Answers) -> bool:
    return answers.get("exposure") == "public" or (_exposed(answers) and _k3s(answers))


def _region(_: Answers, context: Context) -> str | None:
    regions = Counter(site.eks.region for site in context.others if site.eks)
    return next((region for region, _ in regions.most_common(1)), None)


def _vpc(answers: Answers, context: Context) -> str | None:
    management = answers.get("management_cidr")
    known = IPv4Network(management) if management else None
    found = free_network(context.others, answers.get("management_vpc"), known)
    return str(found) if found else None


def _fixed(value: Any) -> Callable[[Answers, Context], Any]:
    return lambda _answers, _context: value


_INFRA = ("infra",)
_DATA = ("postgres", "redis", "qdrant")
QUESTIONS: tuple[Question, ...] = (
    Question("kind", "Where does it run?", (("cluster", "kind"),), choices=("eks", "k3s"), required=_always),
    Question(
        "description",
        "What do people call this installation?",
        (("description",),),
        default=lambda _, context: f"xgen2.0 Platform ({context.stack})",
    ),
    Question("owner", "E-mail address of whom to ask about it", (("owner",),)),
    Question(
        "repo_url",
        "URL of the customer's Git repository, from which Argo CD reads",
        (("source", "repoURL"),),
        required=_always,
    ),
    Question("revision", "Branch that Argo CD follows", (("source", "targetRevision"),), asked=False),
    Question("git_user", "User name at the Git server", (("source", "username"),), asked=False),
    Question(
        "known_hosts",
        "File with the Git server's public keys, as ssh-keyscan prints them",
        (("source", "knownHosts"),),
        file=True,
        when=lambda answers: not str(answers.get("repo_url", "")).startswith("http"),
    ),
    Question(
        "account",
        "Number of the customer's AWS account",
        (("cluster", "account"),),
        when=_eks,
        required=_always,
    ),
    Question("region", "AWS region", (("cluster", "region"),), when=_eks, default=_region, required=_always),
    Question(
        "management_vpc",
        "Id of the VPC of the server that runs PostgreSQL, Redis and Qdrant",
        (("management", "vpcId"),),
        when=_eks,
    ),
    Question(
        "management_cidr",
        "Network of that VPC, as a CIDR block",
        (("management", "cidr"),),
        when=_peered,
        required=_always,
    ),
    Question(
        "management_route_table",
        "Ids of its route tables",
        (("management", "routeTableIds"),),
        when=_peered,
        many=True,
    ),
    Question(
        "management_security_group",
        "Ids of the server's security groups",
        (("management", "securityGroupIds"),),
        when=_peered,
        many=True,
    ),
    Question(
        "management_account",
        "Its AWS account, where that is another",
        (("management", "account"),),
        when=_peered,
        asked=False,
    ),
    Question(
        "management_region",
        "Its region, where that is another",
        (("management", "region"),),
        when=_peered,
        asked=False,
    ),
    Question(
        "management_role",
        "ARN of the role that accepts the peering there",
        (("management", "roleArn"),),
        when=_peered,
        asked=False,
    ),
    Question(
        "vpc_cidr",
        "Network of the new VPC, which no other site behind that server may have",
        (("cluster", "vpcCidr"),),
        when=_eks,
        default=_vpc,
        required=_always,
    ),
    Question(
        "admin", "ARNs of the IAM roles of administrators", (("cluster", "admins"),), when=_eks, many=True
    ),
    Question(
        "runner", "ARNs of the IAM roles of CI runners", (("cluster", "runners"),), when=_eks, many=True
    ),
    Question(
        "api_access",
        "Networks from which the Kubernetes API is reached over the internet",
        (("cluster", "apiAccess"),),
        when=_eks,
        many=True,
    ),
    Question(
        "context",
        "Context of the kubeconfig",
        (("cluster", "context"),),
        when=_k3s,
        default=lambda _, context: context.stack,
    ),
    Question(
        "adopt",
        "Does the platform run on that cluster already, to be taken over?",
        when=_k3s,
        yes_or_no=True,
        default=_fixed(value=False),
    ),
    Question(
        "adopt_bucket",
        "Does the document bucket exist already, to be taken over?",
        (("cluster", "bucket", "adopt"),),
        when=_eks,
        yes_or_no=True,
        asked=False,
    ),
    Question(
        "postgres_host",
        "Host of PostgreSQL",
        ((*_INFRA, "postgres", "host"),),
        asked=False,
    ),
    Question(
        "redis_host",
        "Host of Redis",
        ((*_INFRA, "redis", "host"),),
        asked=False,
    ),
    Question(
        "qdrant_host",
        "Host of Qdrant",
        ((*_INFRA, "qdrant", "host"),),
        asked=False,
    ),
    Question(
        "data_host",
        "Host of PostgreSQL, Redis and Qdrant, as far as no other is named (none on K3s: they run in the cluster)",
        tuple((*_INFRA, name, "host") for name in _DATA),
        when=lambda answers: not all(answers.get(f"{name}_host") for name in _DATA),
        required=_eks,
    ),
    Question(
        "object_store",
        "URL of an S3-compatible store (none: one runs in the cluster)",
        ((*_INFRA, "minio", "endpoint"),),
        when=_k3s,
    ),
    Question(
        "registry",
        "Which registry has the images?",
        choices=(VENDORS, "nexus", "ecr", "local"),
        default=_fixed(VENDORS),
    ),
    Question(
        "registry_host",
        "Host and port of the Docker repository",
        (("registry", "host"),),
        when=_registry("nexus", "local"),
        required=_registry("nexus"),
    ),
    Question(
        "plain_http",
        "Does the registry speak HTTP rather than HTTPS?",
        (("registry", "plainHttp"),),
        when=_registry("nexus"),
        yes_or_no=True,
        default=_fixed(value=False),
    ),
    Question(
        "credential_id",
        "Id of the credential in Jenkins that pushes",
        (("registry", "credentialId"),),
        when=_registry("nexus", "ecr"),
        default=lambda answers, context: f"{context.stack}-{answers['registry']}",
    ),
    Question(
        "registry_user",
        "User name with which the cluster pulls",
        (("registry", "username"),),
        when=_registry("nexus"),
        default=_fixed(NexusRegistry.model_fields["username"].default),
    ),
    Question(
        "push_principal",
        "ARN of the vendor's role that may push",
        (("registry", "pushPrincipal"),),
        when=_registry("ecr"),
    ),
    Question(
        "registry_account",
        "AWS account of the repositories",
        (("registry", "account"),),
        when=lambda answers: _registry("ecr")(answers) and _k3s(answers),
        required=_always,
    ),
    Question(
        "registry_region",
        "AWS region of the repositories",
        (("registry", "region"),),
        when=lambda answers: _registry("ecr")(answers) and _k3s(answers),
        required=_always,
    ),
    Question(
        "exposure",
        "Who reaches the platform?",
        (("exposure", "kind"),),
        choices=("none", "internal", "public"),
        default=lambda answers, _: "internal" if _eks(answers) else "none",
    ),
    Question(
        "domain",
        "Host name of the platform",
        (("exposure", "domain"),),
        when=_exposed,
        required=_needs_domain,
    ),
    Question(
        "certificate_arn",
        "ARN of its certificate in ACM",
        (("exposure", "certificateArn"),),
        when=lambda answers: _exposed(answers) and _eks(answers),
    ),
    Question(
        "tls_secret",
        "Name of the Secret with its certificate",
        (("exposure", "tlsSecret"),),
        when=lambda answers: _exposed(answers) and _k3s(answers),
    ),
    Question("namespace", "Namespace of the six services", (("namespace",),), asked=False),
    Question("delivery", "Who owns the releases", (("delivery",),), choices=("argocd", "helm"), asked=False),
)
BY_NAME: dict[str, Question] = {question.name: question for question in QUESTIONS}
