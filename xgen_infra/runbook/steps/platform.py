"""Kubernetes itself, the stack's state, and the end."""

from __future__ import annotations

from xgen_infra.runbook.checks import outside, platform
from xgen_infra.runbook.step import Check, Command, Step, Theme, on_eks, on_k3s

_VERSIONS = Check(
    "The control plane is what the stack says, no node is ahead of it, none is cordoned.",
    platform.versions,
    "{{ kubectl }} version && {{ kubectl }} get nodes",
)

UPGRADE_EKS = Step(
    id="upgrade-kubernetes",
    title="Upgrade Kubernetes",
    when=(
        "Kubernetes {{ cluster.kubernetesVersion }} leaves standard support, or a newer one is wanted. One minor at a "
        "time, never back."
    ),
    commands=(
        Command(
            "aws eks list-insights --region {{ cluster.region }} --cluster-name {{ clusterName }} "
            "--filter categories=UPGRADE_READINESS",
            "what AWS sees in the way",
        ),
        Command(
            'cluster:\n  version: "{{ next_minor(cluster.kubernetesVersion) }}"',
            "in Pulumi.{{ stack }}.yaml",
            language="yaml",
        ),
        Command(
            "xgen check {{ stack }} && xgen rehearse {{ stack }}", "the whole change, without the customer"
        ),
        Command(
            "pulumi preview --stack {{ stack }}", "updates; nothing of the data, and no cluster, is replaced"
        ),
        Command("pulumi up --stack {{ stack }}", "half an hour and more"),
        Command("xgen wait {{ stack }}", "ends when all six are well"),
    ),
    expect=(
        "Control plane first (about ten minutes), then add-ons, then the nodes are exchanged one by one; pods move with "
        "them. {% if not knows_minor(next_minor(cluster.kubernetesVersion)) %}This version of xgen-infra has no pinned "
        "add-ons for {{ next_minor(cluster.kubernetesVersion) }}: a newer one is needed first.{% endif %}"
    ),
    check=_VERSIONS,
    applies=on_eks,
)

UPGRADE_K3S = Step(
    id="upgrade-kubernetes",
    title="Upgrade Kubernetes",
    when="The cluster's K3s leaves support. The cluster is its owner's; this stack only runs on it.",
    commands=(
        Command("{{ kubectl }} get nodes", "the version of each node"),
        Command(
            "{{ kubectl }} --namespace {{ namespace }} get poddisruptionbudgets",
            "nothing here forbids that a node is drained",
        ),
        Command(
            "{{ kubectl }} drain NODE --ignore-daemonsets --delete-emptydir-data",
            "one node after the other: drain, upgrade K3s there as its documentation says, then",
        ),
        Command("{{ kubectl }} uncordon NODE", "lets pods onto it again"),
        Command("xgen wait {{ stack }}", "ends when all six are well"),
    ),
    expect="Servers first, then agents, one minor at a time. Each node comes back `Ready` with the new version.",
    check=_VERSIONS,
    applies=on_k3s,
    caution=(
        "A pod whose volume lies on the node (local-path) waits until that node is back: PostgreSQL and the object store "
        "stand still for so long."
    ),
)

LOCKED = Step(
    id="the-state-is-locked",
    title="The stack's state is locked",
    when="`pulumi up` says that the stack is locked by another operation, and nobody runs one.",
    commands=(
        Command("pulumi cancel --stack {{ stack }}", "only when you have asked: it ends whatever is running"),
        Command(
            "pulumi refresh --stack {{ stack }}",
            "looks at what is really there, and asks about what was pending",
        ),
        Command("pulumi preview --stack {{ stack }}", "what is left to do"),
    ),
    expect="The preview shows what the interrupted operation had left to do, and nothing that surprises you. `pulumi up` ends it.",
    check=Check(
        "No operation is pending in the stack's state.",
        outside.state_whole,
        "pulumi stack --stack {{ stack }}",
    ),
)

REMOVE = Step(
    id="remove-the-customer",
    title="Remove the customer",
    when="The contract has ended. Copy what has to be handed over first.",
    commands=(
        Command("xgen destroy {{ stack }}", "asks for the name, goes in stages; interrupted, run it again"),
        Command("pulumi stack rm {{ stack }}", "when nothing is left in it"),
        Command(
            "git rm Pulumi.{{ stack }}.yaml && git commit --message 'Remove {{ stack }}' && git push",
            "no image is built for the site any more",
        ),
    ),
    expect=(
        "{% if kind == 'eks' %}All but protected data goes: the bucket `{{ bucket }}` stays, with its documents. "
        "{% else %}The six services go; the cluster stays, with the volumes of the data services. {% endif %}"
        "What stays is listed, each with the command that would remove it for good. Outside of the stack: the images "
        "in `{{ registryHost }}`, the repository `{{ gitRepository }}`, the credential in Jenkins."
    ),
    check=Check(
        "No namespace is half removed.",
        platform.namespaces_active,
        "{{ kubectl }} get namespaces",
    ),
    caution="This ends the service for everyone at this customer.",
)

THEME = Theme("platform", "Platform and state", (UPGRADE_EKS, UPGRADE_K3S, LOCKED, REMOVE))
