"""An existing K3s cluster as the delivery side needs it: reached by kubeconfig, with the data services in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from xgen_infra import environment, naming
from xgen_infra.cluster import Cluster, DataService, ObjectStore
from xgen_infra.delivery.secrets import docker_config
from xgen_infra.k3s import objects
from xgen_infra.k3s.adopted import AdoptedServices
from xgen_infra.k3s.data_services import DataServices, Keys, Settings, in_cluster
from xgen_infra.load import Credentials
from xgen_infra.site import K3sCluster, NexusRegistry, Site


def build(site: Site, credentials: Credentials) -> Cluster:
    """Register what a site on K3s needs below its six services, and nothing at AWS.

    The cluster exists and is reached as kubectl would reach it: by the file (or files) of KUBECONFIG or the
    default one, and the context of the customer's file. None of that enters the stack's state.
    """
    cluster = site.cluster
    assert isinstance(cluster, K3sCluster)  # noqa: S101
    provider = _provider(site, cluster)
    ready, facts = _data_services(site, cluster, credentials, provider)
    return Cluster(
        name=cluster.context or naming.stem(site),
        provider=provider,
        kubeconfig=pulumi.Output.from_input(kubeconfig(cluster.context)),
        object_store=ObjectStore(
            bucket=naming.bucket(site),
            endpoint=environment.minio_endpoint(site),
            region=objects.REGION,
            access_key=credentials.minio_access_key or "",
            secret_key=credentials.minio_secret_key or "",
        ),
        hosts=hosts(site),
        ready=ready,
        outputs={"context": cluster.context or "", **facts},
    )


def _provider(site: Site, cluster: K3sCluster) -> kubernetes.Provider:
    """Return the provider. An empty kubeconfig means the ambient one, read when it is used and kept nowhere.

    `cluster_identifier` alone decides whether the provider, and so every object, is replaced
    (pulumi_kubernetes.Provider). Objects that exist are taken over only where the file says `adopt`.
    """
    adopt = cluster.adopt
    taking_over = adopt.namespace or adopt.argocd or adopt.data_services
    return kubernetes.Provider(
        "k3s-provider",
        kubeconfig="",
        context=cluster.context,
        cluster_identifier=f"k3s/{naming.stem(site)}",
        enable_server_side_apply=True,
        enable_secret_mutable=True,
        enable_config_map_mutable=True,
        upsert_existing_objects=taking_over,
        enable_patch_force=taking_over,
    )


def kubeconfig(context: str | None) -> str:
    """Return a kubeconfig without any credential, which put before the administrator's own chooses the context.

    Kubernetes documentation, "Organizing Cluster Access Using kubeconfig Files": the first file of KUBECONFIG
    that sets current-context wins.
    """
    choice = {"current-context": context} if context else {}
    return json.dumps({"apiVersion": "v1", "kind": "Config", **choice})


def hosts(site: Site) -> dict[DataService, pulumi.Input[str]]:
    """Return where PostgreSQL, Redis and Qdrant are: the file's hosts, or names inside the cluster."""
    infra = site.infra
    return {
        "postgres": infra.postgres.host or environment.in_cluster("postgres"),
        "redis": infra.redis.host or environment.in_cluster("redis"),
        "qdrant": infra.qdrant.host or environment.in_cluster("qdrant"),
    }


def _data_services(
    site: Site, cluster: K3sCluster, credentials: Credentials, provider: kubernetes.Provider
) -> tuple[tuple[pulumi.Resource, ...], Mapping[str, Any]]:
    """Register the data services; return what to wait for, and the facts for people."""
    inside = in_cluster(site.infra)
    if not inside:
        return (), _facts(site, made=())
    if cluster.adopt.data_services:
        return (AdoptedServices("adopted", provider=provider, names=inside),), _facts(site, made=())
    made = DataServices(
        "data",
        provider=provider,
        settings=Settings(
            infra=site.infra,
            storage=cluster.storage,
            backup=cluster.backup,
            bucket=naming.bucket(site),
            backup_bucket=naming.backup_bucket(site),
            provisioner=cluster.provisioner,
            namespace_existed=cluster.adopt.namespace,
            client_namespace=site.namespace,
            generation=site.generations.secrets,
            image_registry=site.argocd.image_registry,
            pull_secret=_pull_secret(site, credentials),
        ),
        keys=Keys(
            postgres=credentials.postgres_password,
            redis=credentials.redis_password,
            qdrant=credentials.qdrant_api_key,
            access=credentials.minio_access_key,
            secret=credentials.minio_secret_key,
        ),
    )
    backups: dict[str, Any] = {}
    if made.dumps:
        backups = {
            "bucket": made.dumps.bucket,
            "schedule": made.dumps.schedule,
            "keepDays": made.dumps.keep_days,
        }
    facts = {"storageClass": made.storage_class, "dataNamespace": naming.DATA_NAMESPACE, "backups": backups}
    return (made,), {**_facts(site, made=tuple(made.services)), **facts}


def _pull_secret(site: Site, credentials: Credentials) -> pulumi.Output[str] | None:
    """Return what pulls the data services' images, where they come from the registry of the services' own."""
    registry, password = site.registry, credentials.registry_password
    if not isinstance(registry, NexusRegistry) or password is None:
        return None
    if site.argocd.image_registry != naming.registry_host(site):
        return None
    return docker_config(registry.host, registry.username, password)


def _facts(site: Site, made: tuple[str, ...]) -> dict[str, Any]:
    """Return who runs each data service: this stack, the cluster's owner (adopted), or somebody elsewhere."""
    inside = in_cluster(site.infra)
    places = {
        **{str(name): host for name, host in hosts(site).items()},
        objects.NAME: environment.minio_endpoint(site),
    }
    return {
        "dataServices": {
            name: {
                "at": place,
                "runBy": "stack" if name in made else "adopted" if name in inside else "external",
            }
            for name, place in places.items()
        }
    }
