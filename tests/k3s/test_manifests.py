"""The objects on K3s as the API server and a reviewer see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import kubernetes_validate
import pytest

from xgen_infra import naming
from xgen_infra.k3s import backup

from .recording import Build, Built

KUBERNETES = "1.34"
SITES: dict[str, dict[str, Any]] = {
    "everything in the cluster": {},
    "a store elsewhere": {"infra": {"minio": {"endpoint": "https://minio.mart.example"}}},
    "a class of its own": {"cluster": {"storage": {"className": "longhorn"}}},
}


@pytest.fixture(params=list(SITES.values()), ids=list(SITES))
def built(request: pytest.FixtureRequest, build: Build) -> Built:
    return build(**request.param)


def pods(built: Built) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each pod template with the name of what makes it."""
    for manifest in built.manifests:
        spec = manifest.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if template:
            yield f"{manifest['kind']} {manifest['metadata']['name']}", template


def containers(template: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*template["spec"].get("initContainers", []), *template["spec"]["containers"]]


def test_every_object_is_what_its_schema_says(built: Built) -> None:
    for manifest in built.manifests:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_every_object_is_in_the_data_namespace_or_of_the_whole_cluster(built: Built) -> None:
    for manifest in built.manifests:
        if manifest["kind"] not in {"Namespace", "StorageClass"}:
            assert manifest["metadata"]["namespace"] == naming.DATA_NAMESPACE


def test_every_pod_passes_the_restricted_standard_that_the_namespace_enforces(built: Built) -> None:
    namespace = built.of("Namespace")[naming.DATA_NAMESPACE].inputs["metadata"]
    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for name, template in pods(built):
        security = template["spec"]["securityContext"]
        assert security["runAsNonRoot"] is True, name
        assert security["runAsUser"] > 0, name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(template["spec"]), name
        for volume in template["spec"]["volumes"]:
            assert set(volume) - {"name"} <= {"configMap", "secret", "emptyDir"}, name
        for container in containers(template):
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False, name
            assert own["capabilities"] == {"drop": ["ALL"]}, name
            assert own["readOnlyRootFilesystem"] is True, name


def test_every_container_has_bounds_a_pinned_image_and_no_token(built: Built) -> None:
    for name, template in pods(built):
        assert template["spec"]["automountServiceAccountToken"] is False, name
        for container in containers(template):
            assert set(container["resources"]["limits"]) == {"cpu", "memory"}, name
            assert set(container["resources"]["requests"]) == {"cpu", "memory"}, name
            tag = container["image"].rpartition(":")[2]
            assert any(letter.isdigit() for letter in tag), name
            assert container["imagePullPolicy"] == "IfNotPresent", name


def test_every_server_is_probed(built: Built) -> None:
    for made in built.of("StatefulSet").values():
        (server,) = made.inputs["spec"]["template"]["spec"]["containers"]
        assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(server)


def test_every_service_finds_exactly_the_pod_of_its_name(built: Built) -> None:
    templates = dict(pods(built))
    for name, made in built.of("Service").items():
        selector = made.inputs["spec"]["selector"]
        found = [
            who
            for who, template in templates.items()
            if selector.items() <= template["metadata"]["labels"].items()
        ]
        assert found == [f"StatefulSet {name.removesuffix('-headless')}"]


def test_a_volume_outlives_its_pod_its_statefulset_and_the_stack(built: Built) -> None:
    for made in built.of("StatefulSet").values():
        policy = made.inputs["spec"]["persistentVolumeClaimRetentionPolicy"]
        assert policy == {"whenDeleted": "Retain", "whenScaled": "Retain"}


def test_data_services_are_reached_by_the_sites_namespace_and_by_their_clients_alone(built: Built) -> None:
    policies = built.of("NetworkPolicy")
    for name in built.of("StatefulSet"):
        spec = policies[name].inputs["spec"]
        assert sorted(spec["policyTypes"]) == ["Egress", "Ingress"]
        assert spec["egress"] == []
        (rule,) = spec["ingress"]
        site, inside = rule["from"]
        assert site["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "xgen"}
        assert inside == {"podSelector": {"matchLabels": {f"xgen/reaches-{name}": "true"}}}


def test_whatever_of_the_data_namespace_connects_to_a_data_service_carries_its_label(built: Built) -> None:
    labels = {name: template["metadata"]["labels"] for name, template in pods(built)}
    for job in (backup.NAME, backup.RESTORE):
        assert labels[f"CronJob {job}"]["xgen/reaches-postgres"] == "true"
        assert labels[f"CronJob {job}"]["xgen/reaches-object-store"] == "true"
    if "Job object-store-bucket" in labels:
        assert labels["Job object-store-bucket"]["xgen/reaches-object-store"] == "true"


def test_jobs_reach_the_data_services_and_no_metadata_address(built: Built) -> None:
    spec = built.of("NetworkPolicy")["data-clients"].inputs["spec"]
    clients = spec["podSelector"]["matchLabels"].items()
    chosen = {name for name, template in pods(built) if clients <= template["metadata"]["labels"].items()}
    assert chosen == {name for name, _ in pods(built) if not name.startswith("StatefulSet")}
    blocks = [peer["ipBlock"] for rule in spec["egress"] for peer in rule["to"] if "ipBlock" in peer]
    assert bool(blocks) == bool(built.site.infra.minio.endpoint)
    assert all("169.254.169.254/32" in block["except"] for block in blocks)


def test_every_secret_and_config_that_a_pod_names_exists(built: Built) -> None:
    secrets = {name: set(made["stringData"]) for name, made in _named(built, "Secret").items()}
    configs = set(_named(built, "ConfigMap"))
    for name, template in pods(built):
        for container in containers(template):
            for entry in container.get("env", []):
                if "valueFrom" in entry:
                    wanted = entry["valueFrom"]["secretKeyRef"]
                    assert wanted["key"] in secrets[wanted["name"]], name
        for volume in template["spec"]["volumes"]:
            if "configMap" in volume:
                assert volume["configMap"]["name"] in configs, name
            if "secret" in volume:
                keys = {item["key"] for item in volume["secret"]["items"]}
                assert keys <= secrets[volume["secret"]["secretName"]], name


def _named(built: Built, kind: str) -> dict[str, Mapping[str, Any]]:
    return {
        manifest["metadata"]["name"]: manifest for manifest in built.manifests if manifest["kind"] == kind
    }


def test_every_mount_has_a_volume_or_a_claim(built: Built) -> None:
    for name, template in pods(built):
        volumes = {volume["name"] for volume in template["spec"]["volumes"]}
        claims = {"data"} if name.startswith("StatefulSet") else set()
        for container in containers(template):
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes | claims, name


def test_a_changed_file_of_a_config_map_rolls_the_pod(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    def marks() -> dict[str, str]:
        return {
            name: template["metadata"]["annotations"].get("xgen/config-checksum", "")
            for name, template in pods(build())
        }

    before = marks()
    monkeypatch.setattr("xgen_infra.k3s.redis.script", lambda name: f"# {name}")
    assert {name for name, mark in marks().items() if mark != before[name]} == {"StatefulSet redis"}
