"""Replacing keys and passwords."""

from __future__ import annotations

from xgen_infra import naming
from xgen_infra.runbook.checks import outside, workloads
from xgen_infra.runbook.facts import Facts
from xgen_infra.runbook.step import Check, Command, Step, Theme, on_eks

_GENERATIONS = Check(
    "Every pod carries generation {{ generations.secrets }} of `{{ secretName }}`.",
    workloads.generation(naming.SERVICE_SECRET, "secrets"),
    "{{ kubectl }} --namespace {{ namespace }} get pods "
    "--output custom-columns='POD:.metadata.name,GENERATION:.metadata.annotations.generation/{{ secretName }}'",
)

ROTATE = Step(
    id="rotate-the-documents-key",
    title="Rotate the documents' access key",
    when="The key of `{{ cluster.documentsUser }}` may have been seen by somebody, or its time has come.",
    commands=(
        Command("xgen rotate-keys {{ stack }}", "in a checkout of xgen-infra; interrupted, run it again"),
        Command(
            "git commit --all --message 'Rotate the access key of {{ stack }}' && git push",
            "the file has changed",
        ),
    ),
    expect=(
        "Stages, each told: the new key is made and tried, the pods are rolled, the old key is made inactive, then "
        "deleted. The services answer all the while. Now: generation {{ cluster.accessKeyGeneration }}."
    ),
    check=Check(
        "AWS has the keys that the stack knows, and the current one is active.",
        outside.access_keys,
        "aws iam list-access-keys --user-name {{ cluster.documentsUser }}",
    ),
    applies=on_eks,
)

PASSWORDS = Step(
    id="replace-a-password",
    title="{% if kind == 'k3s' %}Rotate keys and passwords{% else %}Replace a password of a data service{% endif %}",
    when="A password or key in `{{ secretName }}` may have been seen by somebody, or was changed at the server.",
    commands=(
        Command(
            "pulumi config set --secret xgen-infra:postgresPassword --stack {{ stack }}",
            "asks and shows nothing; or redisPassword, qdrantApiKey"
            "{% if kind == 'k3s' %}, minioAccessKey, minioSecretKey{% endif %}",
        ),
        Command(
            "generations:\n  secrets: {{ generations.secrets + 1 }}",
            "in Pulumi.{{ stack }}.yaml: rolls the pods",
            language="yaml",
        ),
        Command("pulumi up --stack {{ stack }}", "writes the Secret, then rolls the pods"),
        Command(
            "git commit --all --message 'Replace a password of {{ stack }}' && git push",
            "the file has changed",
        ),
    ),
    expect=(
        "The Secret changes, then the pods of all six are rolled. "
        "{% if kind == 'k3s' %}A data service that this stack runs restarts with the new password first: between the "
        "two some requests fail, so choose the hour.{% else %}The server at `{{ hosts.postgres }}` is not this "
        "stack's: its owner sets the same value there, at the same hour.{% endif %}"
    ),
    check=_GENERATIONS,
)


def _by_password(facts: Facts) -> bool:
    return facts.get("registry", "kind") in {"nexus", None}


REGISTRY = Step(
    id="replace-the-registry-password",
    title="Replace the registry password",
    when=(
        "Pods show `ImagePullBackOff` with `unauthorized`, or the password of `{{ registry.username }}` at "
        "`{{ registryHost }}` changes."
    ),
    commands=(
        Command(
            "pulumi config set --secret xgen-infra:registryPassword --stack {{ stack }}",
            "asks and shows nothing",
        ),
        Command(
            "generations:\n  registry: {{ generations.registry + 1 }}",
            "in Pulumi.{{ stack }}.yaml: rolls the pods, which pull with the new one",
            language="yaml",
        ),
        Command("pulumi up --stack {{ stack }}", "writes the Secret, then rolls the pods"),
        Command("xgen wait {{ stack }}", "ends when all six are well"),
        Command(
            "git commit --all --message 'Replace the registry password of {{ stack }}' && git push",
            "the file has changed",
        ),
    ),
    expect=(
        "The Secret `{{ registry.secret }}` changes and the pods are rolled. The credential that Jenkins pushes with is "
        "another one."
    ),
    check=Check(
        "The Secret is there, and no pod waits for an image.",
        workloads.pull_secret,
        "{{ kubectl }} --namespace {{ namespace }} get secret {{ registry.secret }}",
    ),
    applies=_by_password,
)

THEME = Theme("secrets", "Replace keys and passwords", (ROTATE, PASSWORDS, REGISTRY))
