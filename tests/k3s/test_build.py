"""What the program registers for a site on K3s."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from xgen_infra import environment, naming
from xgen_infra.k3s.assemble import kubeconfig
from xgen_infra.k3s.data_services import DataServices
from xgen_infra.site import EksCluster

from .recording import SECRETS, Build, Built, site_of, unsealed

OUTSIDE = {
    "postgres": {"host": "10.0.0.5"},
    "redis": {"host": "10.0.0.6"},
    "qdrant": {"host": "10.0.0.7"},
    "minio": {"endpoint": "https://minio.mart.example"},
}
FOUR = {"postgres", "redis", "qdrant", "object-store"}


def test_a_site_without_hosts_gets_the_four_data_services_under_the_names_its_environment_gives(
    build: Build,
) -> None:
    built = build()
    assert set(built.of("StatefulSet")) == FOUR
    for name in FOUR:
        service = built.of("Service")[name].inputs
        host = f"{name}.{service['metadata']['namespace']}.svc.cluster.local"
        assert host == environment.in_cluster(name)
    values = {variable.name: variable.value for variable in environment.wired(built.site)}
    assert values["MINIO_ENDPOINT"] == built.cluster.object_store.endpoint
    assert values["POSTGRES_HOST"] == built.cluster.hosts["postgres"]


def test_nothing_of_aws_is_ever_registered(build: Build) -> None:
    types = {made.type for made in build().made}
    assert not [kind for kind in types if kind.startswith(("aws:", "eks:", "pulumi:providers:aws"))]


def test_a_site_with_hosts_of_its_own_gets_the_provider_and_nothing_else(build: Build) -> None:
    built = build(infra=OUTSIDE)
    assert [made.type for made in built.made] == ["pulumi:providers:kubernetes"]
    assert built.cluster.hosts == {"postgres": "10.0.0.5", "redis": "10.0.0.6", "qdrant": "10.0.0.7"}
    assert built.cluster.object_store.endpoint == "https://minio.mart.example"
    assert built.cluster.ready == ()


def test_one_host_of_its_own_leaves_the_other_three_in_the_cluster(build: Build) -> None:
    built = build(infra={"redis": {"host": "10.0.0.6"}})
    assert set(built.of("StatefulSet")) == FOUR - {"redis"}


def test_adopted_data_services_are_read_and_never_written(build: Build) -> None:
    built = build(cluster={"adopt": {"dataServices": True}})
    objects = [made for made in built.made if made.type.startswith("kubernetes:")]
    assert {made.type for made in objects} == {"kubernetes:core/v1:Service"}
    assert all(made.read for made in objects)
    assert len(objects) == 4
    assert built.cluster.hosts["postgres"] == "postgres.xgen-system.svc.cluster.local"
    facts = built.cluster.outputs["dataServices"]
    assert {fact["runBy"] for fact in facts.values()} == {"adopted"}


@pytest.mark.parametrize("adopt", ["namespace", "argocd", "dataServices"])
def test_existing_objects_are_taken_over_only_where_the_file_says_so(build: Build, adopt: str) -> None:
    def provider(built: Built) -> Mapping[str, Any]:
        return next(made.inputs for made in built.made if made.type == "pulumi:providers:kubernetes")

    assert provider(build())["upsertExistingObjects"] == "false"
    assert provider(build(cluster={"adopt": {adopt: True}}))["upsertExistingObjects"] == "true"


def test_the_provider_is_told_apart_by_the_stack_and_holds_no_kubeconfig(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/home/somebody/.kube/config")
    inputs = next(made.inputs for made in build().made if made.type == "pulumi:providers:kubernetes")
    assert inputs["clusterIdentifier"] == "k3s/xgen-mart"
    assert inputs["context"] == "mart"
    assert inputs["kubeconfig"] == ""
    assert inputs["enableServerSideApply"] == "true"


def test_the_exported_kubeconfig_chooses_a_context_and_carries_no_credential(build: Build) -> None:
    assert isinstance(build().cluster.kubeconfig, pulumi.Output)
    assert json.loads(kubeconfig("mart")) == {"apiVersion": "v1", "kind": "Config", "current-context": "mart"}


def test_credentials_are_in_secrets_alone(build: Build) -> None:
    built = build()
    for made in built.made:
        text = json.dumps(dict(made.inputs), ensure_ascii=False, default=str)
        if not made.type.endswith(":Secret"):
            for value in SECRETS.values():
                assert value not in text
                assert json.dumps(value)[1:-1] not in text


def test_the_object_store_has_exactly_the_sites_access_key(build: Build) -> None:
    built = build()
    secret = unsealed(built.of("Secret")["object-store-credentials"].inputs["stringData"])
    assert secret == {
        "access-key": SECRETS["minio_access_key"],
        "secret-key": SECRETS["minio_secret_key"],
    }
    pod = built.of("StatefulSet")["object-store"].inputs["spec"]["template"]["spec"]
    env = {entry["name"]: entry.get("valueFrom") for entry in pod["containers"][0]["env"]}
    assert env["ROOT_ACCESS_KEY_ID"]["secretKeyRef"] == {
        "name": "object-store-credentials",
        "key": "access-key",
    }
    assert env["ROOT_SECRET_ACCESS_KEY"]["secretKeyRef"]["key"] == "secret-key"


def test_a_missing_credential_of_a_service_in_the_cluster_is_named(build: Build) -> None:
    with pytest.raises(ValueError, match="xgen-infra:redisPassword"):
        build(secrets={"redis_password": None})


def test_the_document_bucket_is_made_in_the_store_of_the_cluster(build: Build) -> None:
    built = build()
    job = built.of("Job")["object-store-bucket"].inputs["spec"]["template"]["spec"]["containers"][0]
    assert job["args"] == ["mkdir", f"store:{naming.bucket(built.site)}"]
    assert built.cluster.object_store.bucket == naming.bucket(built.site)


def test_dumps_go_to_the_sites_own_store_when_it_has_one(build: Build) -> None:
    built = build(infra={"minio": {"endpoint": "https://minio.mart.example"}})
    assert "object-store-bucket" not in built.of("Job")
    job = built.of("CronJob")["postgres-backup"].inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    env = {entry["name"]: entry.get("value") for entry in job["containers"][0]["env"]}
    assert env["RCLONE_CONFIG_STORE_ENDPOINT"] == "https://minio.mart.example"
    assert unsealed(built.of("Secret")["postgres-backup-credentials"].inputs["stringData"]) == {
        "access-key": SECRETS["minio_access_key"],
        "secret-key": SECRETS["minio_secret_key"],
    }


def test_dumps_can_be_switched_off_and_are_not_made_for_a_database_elsewhere(build: Build) -> None:
    assert build(cluster={"backup": {"enabled": False}}).of("CronJob") == {}
    assert build(infra={"postgres": {"host": "10.0.0.5"}}).of("CronJob") == {}


def test_a_restore_never_starts_by_itself(build: Build) -> None:
    assert build().of("CronJob")["postgres-restore"].inputs["spec"]["suspend"] is True


def test_a_replaced_secret_rolls_the_pods(build: Build) -> None:
    def generation(built: Built, name: str) -> str:
        template = built.of("StatefulSet")[name].inputs["spec"]["template"]
        return str(template["metadata"]["annotations"]["xgen/secret-generation"])

    assert {generation(build(), name) for name in FOUR} == {"1"}
    assert {generation(build(generations={"secrets": 2}), name) for name in FOUR} == {"2"}


def test_a_port_of_the_file_is_where_service_and_server_listen(build: Build) -> None:
    built = build(infra={"postgres": {"port": 5544}, "qdrant": {"port": 16333, "grpcPort": 16334}})
    ports = {
        name: [port["port"] for port in built.of("Service")[name].inputs["spec"]["ports"]]
        for name in ("postgres", "qdrant")
    }
    assert ports == {"postgres": [5544], "qdrant": [16333, 16334]}
    for name, numbers in ports.items():
        (server,) = built.of("StatefulSet")[name].inputs["spec"]["template"]["spec"]["containers"]
        assert [port["containerPort"] for port in server["ports"]] == numbers
    (dump,) = (
        container
        for container in built.of("CronJob")["postgres-backup"].inputs["spec"]["jobTemplate"]["spec"][
            "template"
        ]["spec"]["initContainers"]
    )
    assert {"name": "PGPORT", "value": "5544"} in dump["env"]


def test_a_mirror_that_asks_for_a_password_gets_it(build: Build) -> None:
    registry = {"kind": "nexus", "host": "nexus.mart.example:5000"}
    built = build(
        registry=registry,
        argocd={"imageRegistry": "nexus.mart.example:5000"},
        secrets={"registry_password": "canary-registry"},
    )
    config = json.loads(
        unsealed(built.of("Secret")["registry-credentials"].inputs["stringData"])[".dockerconfigjson"]
    )
    assert config["auths"]["nexus.mart.example:5000"]["password"] == "canary-registry"
    for made in (*built.of("StatefulSet").values(), *built.of("Job").values()):
        pod = made.inputs["spec"]["template"]["spec"]
        assert pod["imagePullSecrets"] == [{"name": "registry-credentials"}]
    assert "registry-credentials" not in build(registry=registry, secrets={"registry_password": "x"}).of(
        "Secret"
    )


def test_an_existing_storage_class_is_used_and_none_is_made(build: Build) -> None:
    built = build(cluster={"storage": {"className": "longhorn"}})
    assert built.of("StorageClass") == {}
    claim = built.of("StatefulSet")["postgres"].inputs["spec"]["volumeClaimTemplates"][0]
    assert claim["spec"]["storageClassName"] == "longhorn"
    assert built.cluster.outputs["storageClass"] == "longhorn"


def test_the_namespace_of_the_data_is_protected_and_outlives_the_stack(build: Build) -> None:
    requests = build().requests
    assert {name for name, request in requests.items() if request.protect} == {"data-ground-namespace"}
    assert {name for name, request in requests.items() if request.retainOnDelete} == {"data-ground-namespace"}


def test_a_volume_that_exists_keeps_its_class_and_size(build: Build) -> None:
    requests = build().requests
    servers = [request for name, request in requests.items() if name.endswith("-server")]
    assert len(servers) == 4
    assert all(list(request.ignoreChanges) == ["spec.volumeClaimTemplates"] for request in servers)


def test_nothing_waits_for_a_pod_that_comes_after_it(build: Build) -> None:
    requests = build().requests
    names = [name.removesuffix("-server") for name in requests if name.endswith("-server")]
    assert len(names) == 4
    for name in names:
        needed = {urn.rpartition("::")[2] for urn in requests[f"{name}-server"].dependencies}
        assert f"{name}-headless" in needed
        assert f"{name}-service" not in needed
        assert f"{name}-server" in {
            urn.rpartition("::")[2] for urn in requests[f"{name}-service"].dependencies
        }


def test_the_delivery_side_waits_for_every_server_and_the_bucket(build: Build) -> None:
    built = build()
    (ready,) = built.cluster.ready
    below = {"data"}
    for _ in range(4):
        below |= {
            name for name, request in built.requests.items() if request.parent.rpartition("::")[2] in below
        }
    assert isinstance(ready, DataServices)
    assert {"data-postgres-server", "data-object-store-server", "data-bucket-job"} <= below


def test_a_namespace_that_was_there_before_lets_its_old_pods_start_again(build: Build) -> None:
    made = build(cluster={"adopt": {"namespace": True}}).of("Namespace")["xgen-system"].inputs["metadata"]
    assert "pod-security.kubernetes.io/enforce" not in made["labels"]


def test_the_made_storage_class_keeps_volumes_and_waits_for_a_pod(build: Build) -> None:
    made = build(cluster={"provisioner": "driver.longhorn.io"}).of("StorageClass")["xgen-retain"].inputs
    assert (made["provisioner"], made["reclaimPolicy"]) == ("driver.longhorn.io", "Retain")
    assert made["volumeBindingMode"] == "WaitForFirstConsumer"


def test_images_come_from_the_mirror_where_the_customer_has_one(build: Build) -> None:
    built = build(argocd={"imageRegistry": "nexus.mart.example:5000"})
    images = {
        container["image"]
        for made in built.of("StatefulSet").values()
        for container in made.inputs["spec"]["template"]["spec"]["containers"]
    }
    assert all(image.startswith("nexus.mart.example:5000/") for image in images)


def test_logical_names_do_not_carry_the_customer(build: Build) -> None:
    assert not [made.name for made in build().made if "mart" in made.name]


def test_both_kinds_of_cluster_give_the_services_the_same_environment() -> None:
    eks = site_of().model_copy(
        update={
            "cluster": EksCluster(
                kind="eks", account="123456789012", region="ap-northeast-2", vpc_cidr="10.40.0.0/16"
            )
        }
    )
    keys = [{variable.name for variable in environment.wired(site)} for site in (site_of(), eks)]
    assert keys[0] == keys[1]
    assert environment.secret_keys(site_of()) == environment.secret_keys(eks)
