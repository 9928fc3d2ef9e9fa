"""Which data services run in the cluster, and all of them together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from xgen_infra import environment
from xgen_infra.k3s import backup, components, objects, postgres, qdrant, redis
from xgen_infra.k3s.workload import Mirror, Workload
from xgen_infra.site.cluster import Backup, Storage
from xgen_infra.site.parts import Infra


@dataclass(frozen=True)
class Keys:
    """The credentials of the data services; None where the site has no use for one."""

    postgres: pulumi.Output[str] | None
    redis: pulumi.Output[str] | None
    qdrant: pulumi.Output[str] | None
    access: pulumi.Output[str] | None
    secret: pulumi.Output[str] | None


@dataclass(frozen=True)
class Settings:
    """The site's slice that the data services take."""

    infra: Infra
    storage: Storage
    backup: Backup
    bucket: str
    backup_bucket: str
    provisioner: str
    namespace_existed: bool
    client_namespace: str
    generation: int
    image_registry: str | None
    pull_secret: pulumi.Output[str] | None
    """The .dockerconfigjson with which images are pulled from that registry, where it asks for one."""


def mirror(settings: Settings) -> Mirror:
    """Return where the images come from."""
    return Mirror(settings.image_registry, authenticated=settings.pull_secret is not None)


def in_cluster(infra: Infra) -> tuple[str, ...]:
    """Return the data services for which the file names no host: they are in the cluster."""
    hosts: Mapping[str, str | None] = {
        postgres.NAME: infra.postgres.host,
        redis.NAME: infra.redis.host,
        qdrant.NAME: infra.qdrant.host,
        objects.NAME: infra.minio.endpoint,
    }
    return tuple(name for name, host in hosts.items() if not host)


def workloads(settings: Settings, keys: Keys) -> tuple[Workload, ...]:
    """Return each data service that is run. Raises ValueError where a credential is missing."""
    infra, sizes, images = settings.infra, settings.storage, mirror(settings)
    make: dict[str, Callable[[], Workload]] = {
        postgres.NAME: lambda: postgres.workload(
            infra.postgres,
            _given(keys.postgres, "postgresPassword"),
            size=sizes.postgres,
            mirror=images,
        ),
        redis.NAME: lambda: redis.workload(
            infra.redis, _given(keys.redis, "redisPassword"), size=sizes.redis, mirror=images
        ),
        qdrant.NAME: lambda: qdrant.workload(
            infra.qdrant, _given(keys.qdrant, "qdrantApiKey"), size=sizes.qdrant, mirror=images
        ),
        objects.NAME: lambda: objects.workload(
            _given(keys.access, "minioAccessKey"),
            _given(keys.secret, "minioSecretKey"),
            size=sizes.object_store,
            mirror=images,
        ),
    }
    return tuple(make[name]() for name in in_cluster(infra))


def _given(value: pulumi.Output[str] | None, key: str) -> pulumi.Output[str]:
    if value is None:
        raise ValueError(f"the data services in the cluster need the secure value xgen-infra:{key}")
    return value


class DataServices(pulumi.ComponentResource):
    """PostgreSQL, Redis, Qdrant and the object store, each where the file names no host for it."""

    def __init__(
        self,
        name: str,
        *,
        provider: kubernetes.Provider,
        settings: Settings,
        keys: Keys,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("xgen:k3s:DataServices", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._provider, self._settings = provider, settings
        ground = components.DataGround(
            f"{name}-ground",
            provider=provider,
            storage_class=settings.storage.class_name,
            provisioner=settings.provisioner,
            existed=settings.namespace_existed,
            store_elsewhere=settings.infra.minio.endpoint,
            pull_secret=settings.pull_secret,
            opts=self._child,
        )
        self.storage_class = ground.storage_class
        self.services = {
            workload.name: components.DataService(
                f"{name}-{workload.name}",
                provider=provider,
                workload=workload,
                storage_class=ground.storage_class,
                client_namespace=settings.client_namespace,
                generation=settings.generation,
                depends_on=ground.resources,
                opts=self._child,
            )
            for workload in workloads(settings, keys)
        }
        if objects.NAME in self.services:
            self._bucket(name)
        self.dumps = self._backups(name, keys) if postgres.NAME in self.services else None
        self.register_outputs({"services": list(self.services)})

    def _bucket(self, name: str) -> None:
        components.Bucket(
            f"{name}-bucket",
            provider=self._provider,
            bucket=self._settings.bucket,
            endpoint=store_endpoint(self._settings.infra),
            generation=self._settings.generation,
            mirror=mirror(self._settings),
            depends_on=[self.services[objects.NAME].service],
            opts=self._child,
        )

    def _backups(self, name: str, keys: Keys) -> backup.Dumps | None:
        settings = self._settings
        if not settings.backup.enabled:
            return None
        inside = objects.NAME in self.services
        dumps = backup.Dumps(
            database=settings.infra.postgres.database,
            user=settings.infra.postgres.user,
            port=settings.infra.postgres.port,
            endpoint=store_endpoint(settings.infra),
            bucket=settings.backup_bucket,
            store_secret=f"{objects.NAME if inside else backup.NAME}-credentials",
            schedule=settings.backup.schedule,
            keep_days=settings.backup.keep_days,
            mirror=mirror(settings),
            generation=settings.generation,
        )
        outside = (_given(keys.access, "minioAccessKey"), _given(keys.secret, "minioSecretKey"))
        components.Backups(
            f"{name}-backups",
            provider=self._provider,
            dumps=dumps,
            store_keys=None if inside else outside,
            depends_on=[service.service for service in self.services.values()],
            opts=self._child,
        )
        return dumps


def store_endpoint(infra: Infra) -> str:
    """Return the object store's URL."""
    return infra.minio.endpoint or f"http://{environment.in_cluster(objects.NAME)}:{objects.PORT}"
