"""Changing what runs."""

from __future__ import annotations

from xgen_infra.runbook.checks import workloads
from xgen_infra.runbook.step import Check, Command, Step, Theme

_DELIVER = Command(
    "{% if argocd %}xgen mirror {{ stack }}{% else %}pulumi up --stack {{ stack }}{% endif %}",
    "{% if argocd %}brings it to {{ gitRepository }}, branch {{ gitRevision }}; Argo CD takes it up within "
    "{{ gitPollSeconds }} s{% else %}upgrades the releases that changed{% endif %}",
)
_WAIT = Command("xgen wait {{ stack }}", "ends when all six are well")

ROLL_BACK = Step(
    id="roll-back-a-release",
    title="Roll back a release",
    when="A service got worse with its last image or its last settings.",
    commands=(
        Command("git log --oneline -10 -- Pulumi.{{ stack }}.yaml", "which commit brought it"),
        Command("git revert COMMIT && git push", "COMMIT from the list"),
        _DELIVER,
        _WAIT,
    ),
    expect=(
        "`xgen wait` ends with `good`; the pods run the image of before. Where nothing was pinned there is no commit to "
        "revert: pin the last good image, `xgen promote {{ stack }} xgen-core=TAG --commit`, then go on with the "
        "third command."
    ),
    check=Check(
        "Each service runs an image of its own repository in `{{ registryHost }}`.",
        workloads.images,
        "{{ kubectl }} --namespace {{ namespace }} get deployments "
        "--output custom-columns='NAME:.metadata.name,IMAGE:.spec.template.spec.containers[0].image'",
    ),
    caution=(
        "Not in {% if argocd %}Argo CD's interface{% else %}the cluster by `helm rollback`{% endif %}: the next "
        "{% if argocd %}sync{% else %}`pulumi up`{% endif %} would undo it."
    ),
)

SCALE = Step(
    id="scale",
    title="Scale",
    when="A service is slow under load, or an autoscaler stands at its maximum.",
    commands=(
        Command("{{ kubectl }} --namespace {{ namespace }} get hpa", "who is at the maximum"),
        Command("{{ kubectl }} --namespace {{ namespace }} top pods", "what each pod uses"),
        Command(
            "services:\n  xgen-core:\n    autoscaling: {minReplicas: 2, maxReplicas: 6}",
            "in Pulumi.{{ stack }}.yaml, below xgen-infra:site",
            language="yaml",
        ),
        Command("xgen check {{ stack }}", "whether the file is right"),
        _DELIVER,
        _WAIT,
    ),
    expect=(
        "New pods appear and become ready. "
        "{% if kind == 'eks' %}Where they stay `Pending`, the Cluster Autoscaler adds a node within minutes, up to "
        "`cluster.nodes.max`; raise that, and run `pulumi up --stack {{ stack }}`.{% else %}Where they stay "
        "`Pending`, the cluster has no room: its owner adds a node.{% endif %}"
    ),
    check=Check(
        "Every autoscaler gets its metrics, and no pod waits for a node.",
        workloads.scaling,
        "{{ kubectl }} --namespace {{ namespace }} get hpa,pods",
    ),
)

THEME = Theme("change", "Change what runs", (ROLL_BACK, SCALE))
