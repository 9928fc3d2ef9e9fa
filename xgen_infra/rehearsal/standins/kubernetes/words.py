"""The words in which Helm is asked for what a release's inputs say; none of them is a secret."""

from __future__ import annotations

from collections.abc import Mapping

from xgen_infra.rehearsal.standins.contract import Props
from xgen_infra.rehearsal.standins.kubernetes.charts import Source
from xgen_infra.rehearsal.standins.kubernetes.helm import REPOSITORY

SECONDS = 300
"""How long Helm waits where the release does not say (pulumi-kubernetes documentation, "Release": timeout)."""
_ALWAYS_FLAGS = {
    "atomic": "--atomic",
    "dependencyUpdate": "--dependency-update",
    "devel": "--devel",
    "disableOpenapiValidation": "--disable-openapi-validation",
    "renderSubchartNotes": "--render-subchart-notes",
    "skipCrds": "--skip-crds",
    "verify": "--verify",
}
INSTALL = {
    "createNamespace": "--create-namespace",
    "disableWebhooks": "--no-hooks",
    "replace": "--replace",
}
UPGRADE = {
    "cleanupOnFail": "--cleanup-on-fail",
    "disableCRDHooks": "--no-hooks",
    "forceUpdate": "--force",
    "resetValues": "--reset-values",
    "reuseValues": "--reuse-values",
}


def chart_words(inputs: Props, source: Source) -> list[str]:
    if source.local:
        return [str(source.local)]
    options = inputs.get("repositoryOpts") or {}
    repository = str(options.get("repo") or "")
    words = ["--version", str(inputs["version"])] if inputs.get("version") else []
    for key, flag in (("caFile", "--ca-file"), ("certFile", "--cert-file"), ("keyFile", "--key-file")):
        words += [flag, str(options[key])] if options.get(key) else []
    if not repository:
        return [source.reference, *words]
    if repository.startswith("oci://"):
        return [f"{repository.rstrip('/')}/{source.reference}", *words]
    if options.get("password"):
        return [f"{REPOSITORY}/{source.reference}", *words]
    return [source.reference, "--repo", repository, *words]


def flag_words(inputs: Props, of_verb: Mapping[str, str]) -> list[str]:
    words = ["--namespace", str(inputs["namespace"])]
    words += [flag for key, flag in {**_ALWAYS_FLAGS, **of_verb}.items() if inputs.get(key)]
    words += ["--timeout", f"{int(inputs.get('timeout') or SECONDS)}s"]
    if not inputs.get("skipAwait"):
        words += ["--wait", *(["--wait-for-jobs"] if inputs.get("waitForJobs") else [])]
    for key, flag in (
        ("description", "--description"),
        ("keyring", "--keyring"),
        ("postrender", "--post-renderer"),
    ):
        words += [flag, str(inputs[key])] if inputs.get(key) else []
    return words
