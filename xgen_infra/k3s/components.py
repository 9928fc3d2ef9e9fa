"""The components of the K3s side: the ground that data stands on, each data service, and the dumps."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

from xgen_infra import naming
from xgen_infra.k3s import backup, manifests, objects
from xgen_infra.k3s.register import register
from xgen_infra.k3s.workload import Mirror, Workload

RETAIN = "xgen-retain"


class DataGround(pulumi.ComponentResource):
    """The data namespace and, where the site names no StorageClass of its own, `xgen-retain`.

    The namespace is protected and stays when the stack goes: with it stay the volumes' claims. One that was
    there before may hold pods of others, which must be able to start again: it does not enforce the restricted
    Pod Security Standard.
    """

    def __init__(
        self,
        name: str,
        *,
        provider: kubernetes.Provider,
        storage_class: str | None,
        provisioner: str,
        existed: bool,
        store_elsewhere: str | None,
        pull_secret: pulumi.Output[str] | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("xgen:k3s:DataGround", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, provider=provider)
        keep = pulumi.ResourceOptions(protect=True, retain_on_delete=True)
        self.namespace = register(
            f"{name}-namespace",
            manifests.namespace(enforce=not existed),
            pulumi.ResourceOptions.merge(child, keep),
        )
        self.storage_class = storage_class or RETAIN
        self.resources: list[pulumi.Resource] = [self.namespace]
        if storage_class is None:
            made = manifests.storage_class(RETAIN, provisioner)
            self.resources.append(register(f"{name}-storage-class", made, child))
        inside = pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[self.namespace]))
        self.resources.append(
            register(f"{name}-clients-network", manifests.clients_policy(store_elsewhere), inside)
        )
        if pull_secret is not None:
            made = manifests.pull_secret(pulumi.Output.secret(pull_secret))
            self.resources.append(register(f"{name}-registry", made, inside))
        self.register_outputs({"namespace": naming.DATA_NAMESPACE, "storageClass": self.storage_class})


class DataService(pulumi.ComponentResource):
    """One data service: Secret, files, two Services, NetworkPolicy and the StatefulSet with its volume.

    The clients' Service comes after the StatefulSet, as its creation waits for a pod that it finds; the headless
    one, which the StatefulSet names, waits for nothing (Pulumi Kubernetes provider, await logic of Services).
    """

    def __init__(
        self,
        name: str,
        *,
        provider: kubernetes.Provider,
        workload: Workload,
        storage_class: str,
        client_namespace: str,
        generation: int,
        depends_on: list[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("xgen:k3s:DataService", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, provider=provider, depends_on=depends_on)
        values = {key: pulumi.Output.secret(value) for key, value in workload.secret.items()}
        before = [
            register(f"{name}-credentials", manifests.secret(workload, values), child),
            register(f"{name}-headless", manifests.headless(workload), child),
            register(f"{name}-network", manifests.network_policy(workload, client_namespace), child),
        ]
        if workload.config:
            before.append(register(f"{name}-config", manifests.config_map(workload), child))
        self.stateful_set = register(
            f"{name}-server",
            manifests.stateful_set(workload, storage_class, generation),
            pulumi.ResourceOptions.merge(
                child,
                # Kubernetes refuses a change of it: a volume that exists keeps its class and size.
                pulumi.ResourceOptions(depends_on=before, ignore_changes=["spec.volumeClaimTemplates"]),
            ),
        )
        self.service = register(
            f"{name}-service",
            manifests.service(workload),
            pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[self.stateful_set])),
        )
        self.register_outputs({})


class Bucket(pulumi.ComponentResource):
    """The document bucket of the in-cluster object store."""

    def __init__(
        self,
        name: str,
        *,
        provider: kubernetes.Provider,
        bucket: str,
        endpoint: str,
        generation: int,
        mirror: Mirror,
        depends_on: list[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("xgen:k3s:Bucket", name, None, opts)
        self.job = register(
            f"{name}-job",
            objects.bucket_job(bucket, endpoint, generation, mirror),
            pulumi.ResourceOptions(
                parent=self,
                provider=provider,
                depends_on=depends_on,
                delete_before_replace=True,
                replace_on_changes=["spec"],
            ),
        )
        self.register_outputs({"bucket": bucket})


class Backups(pulumi.ComponentResource):
    """The dumps of PostgreSQL and the way back."""

    def __init__(
        self,
        name: str,
        *,
        provider: kubernetes.Provider,
        dumps: backup.Dumps,
        store_keys: tuple[pulumi.Input[str], pulumi.Input[str]] | None,
        depends_on: list[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("xgen:k3s:Backups", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, provider=provider, depends_on=depends_on)
        before = [register(f"{name}-scripts", backup.config_map(), child)]
        if store_keys is not None:
            access, secret = (pulumi.Output.secret(key) for key in store_keys)
            before.append(register(f"{name}-store", backup.store_secret(dumps, access, secret), child))
        jobs = pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=before))
        register(f"{name}-schedule", backup.backup(dumps), jobs)
        register(f"{name}-restore", backup.restore(dumps), jobs)
        self.register_outputs({"bucket": dumps.bucket})
