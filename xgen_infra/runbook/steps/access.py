"""Getting in and looking."""

from __future__ import annotations

from xgen_infra.runbook.checks import platform, workloads
from xgen_infra.runbook.facts import Facts
from xgen_infra.runbook.step import Check, Command, Step, Theme, by_argocd, on_eks, on_k3s

_NODES = Check(
    "Every node is `Ready`.",
    platform.nodes_ready,
    "{{ kubectl }} get nodes",
)

REACH_EKS = Step(
    id="reach-the-cluster",
    title="Reach the cluster",
    when="First of all: the commands of this page act on `{{ clusterName }}` by its context in your kubeconfig.",
    commands=(
        Command(
            "aws sts get-caller-identity --query Account --output text", "whose account your shell acts in"
        ),
        Command("{{ cluster.kubeconfigCommand }}", "writes the context into your kubeconfig"),
        Command("{{ kubectl }} get nodes", "whether the cluster answers"),
    ),
    expect=(
        "The first prints `{{ cluster.account }}`, the last lists nodes that are `Ready`. "
        "{% if cluster.apiAccess %}The Kubernetes API answers only from {{ cluster.apiAccess|join(', ') }}: from "
        "anywhere else the last command hangs.{% else %}The Kubernetes API answers only from inside the VPC "
        "`{{ cluster.vpcId }}` and its peered networks: from anywhere else the last command hangs.{% endif %} "
        "`Unauthorized` means that your role is not among `cluster.admins` of `Pulumi.{{ stack }}.yaml`."
    ),
    check=_NODES,
    applies=on_eks,
)

REACH_K3S = Step(
    id="reach-the-cluster",
    title="Reach the cluster",
    when="First of all: the commands of this page act on the cluster `{{ clusterName }}`.",
    commands=(
        Command("kubectl config get-contexts", "which clusters your kubeconfig knows"),
        Command("{{ kubectl }} get nodes", "whether the cluster answers"),
    ),
    expect=(
        "{% if kube_context %}The context `{{ kube_context }}` is listed, and its nodes{% else %}Nodes{% endif %} that are "
        "`Ready`. Without the context: on a server of the cluster, K3s keeps an administrator's kubeconfig at "
        "`/etc/rancher/k3s/k3s.yaml`; merge it into yours{% if kube_context %} and call its context "
        "`{{ kube_context }}`{% endif %}."
    ),
    check=_NODES,
    applies=on_k3s,
)

SERVICES = Step(
    id="see-the-services",
    title="See the services",
    when="Somebody reports a fault, or you want to know whether all is well after a change.",
    commands=(
        Command("{{ kubectl }} --namespace {{ namespace }} get deployments,pods,hpa", "what runs"),
        Command(
            "{% if argocd %}{{ kubectl }} --namespace {{ argocd.namespace }} get applications"
            "{% else %}{{ helm }} --namespace {{ namespace }} list{% endif %}",
            "{% if argocd %}what Argo CD thinks of them{% else %}the releases{% endif %}",
        ),
        Command("xgen wait {{ stack }} --timeout 0", "the same in words, in a checkout of xgen-infra"),
    ),
    expect=(
        "Six Deployments with as many pods ready as wanted"
        "{% if argocd %}; six Applications `Synced` and `Healthy`{% else %}; six releases `deployed`{% endif %}. "
        "`xgen wait` ends with `good`, or names the service that is not, and why."
    ),
    check=Check(
        "The six services are rolled out and ready{% if argocd %}, and are what Git says{% endif %}.",
        workloads.services_good,
        "xgen wait {{ stack }} --timeout 0",
    ),
)

UNWELL = Step(
    id="a-service-is-not-well",
    title="A service is not well",
    when="A pod is not ready, restarts, or answers with errors. Put the service's name in place of `xgen-core`.",
    commands=(
        Command(
            "{{ kubectl }} --namespace {{ namespace }} get events --field-selector type=Warning --sort-by=.lastTimestamp",
            "what Kubernetes complains of, the latest last",
        ),
        Command(
            "{{ kubectl }} --namespace {{ namespace }} describe pods --selector app.kubernetes.io/name=xgen-core",
            "image, node, last state of each container",
        ),
        Command(
            "{{ kubectl }} --namespace {{ namespace }} logs deployment/xgen-core --all-containers --tail=200",
            "what it says now",
        ),
        Command(
            "{{ kubectl }} --namespace {{ namespace }} logs deployment/xgen-core --previous --tail=200",
            "what it said before it was restarted",
        ),
        Command(
            "{{ kubectl }} --namespace {{ namespace }} rollout restart deployment/xgen-core",
            "new pods, one after the other, without downtime",
        ),
    ),
    expect=(
        "`ImagePullBackOff`: the image or the registry's password. `Unschedulable`: no node has room. "
        "`OOMKilled`: raise `services.xgen-core.resources.limits.memory`. Connection errors in the log: "
        "PostgreSQL `{{ hosts.postgres }}:{{ endpoints.postgres.port }}`, Redis "
        "`{{ hosts.redis }}:{{ endpoints.redis.port }}`, Qdrant `{{ hosts.qdrant }}:{{ endpoints.qdrant.port }}`, "
        "documents `{{ bucket }}` at `{{ objectStoreEndpoint }}`."
    ),
    check=Check(
        "No pod of the six is in trouble.",
        workloads.pods_at_peace,
        "{{ kubectl }} --namespace {{ namespace }} get pods",
    ),
)


def _own_argocd(facts: Facts) -> bool:
    return by_argocd(facts) and facts.get("argocd", "installed") is not False


ARGOCD = Step(
    id="log-in-to-argo-cd",
    title="Log in to Argo CD",
    when="You want to see why an Application is not Synced or not Healthy, with the objects behind it.",
    commands=(
        Command(
            "{{ kubectl }} --namespace {{ argocd.namespace }} get secret argocd-initial-admin-secret "
            "--output jsonpath='{.data.password}' | base64 --decode; echo",
            "the first password of the user admin; leave it in no chat and no ticket",
        ),
        Command(
            "{{ kubectl }} --namespace {{ argocd.namespace }} port-forward service/argocd-server 8443:443",
            "keep it running, and open https://localhost:8443",
        ),
    ),
    expect=(
        "A warning for a certificate that Argo CD made for itself, then the log-in; six tiles. If the Secret is gone, "
        "the password was changed and the Secret deleted, as Argo CD advises: ask "
        "{% if owner %}`{{ owner }}`{% else %}the owner of this installation{% endif %}."
    ),
    check=Check(
        "The server behind the interface is ready.",
        workloads.argocd_server,
        "{{ kubectl }} --namespace {{ argocd.namespace }} get deployment argocd-server",
    ),
    applies=_own_argocd,
    caution="Look, and leave changes to Git: what is changed in the interface, the next sync undoes.",
)

THEME = Theme("look", "Get in and look", (REACH_EKS, REACH_K3S, SERVICES, UNWELL, ARGOCD))
