"""One data service as data: what the manifests of postgres, redis, qdrant and the object store have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Literal

import pulumi

from xgen_infra import catalog, naming, versions

PART_OF = "xgen"
GENERATION = "xgen/secret-generation"
CONFIG_MOUNT = "/etc/xgen"
DATA_MOUNT = "/data"

Manifest = dict[str, Any]
Component = Literal["data", "client"]
"""Whether a pod serves data or is a job of this program that uses it."""


@dataclass(frozen=True)
class Mirror:
    """Where the platform's images come from: their makers' registries, or one that mirrors them.

    `authenticated` says that the Secret registry-credentials is needed to pull.
    """

    registry: str | None = None
    authenticated: bool = False

    def name_of(self, image: versions.Image) -> str:
        """Return an image's full name."""
        return image.mirrored(self.registry)


@dataclass(frozen=True)
class Port:
    """A port by name: where the container listens, and the Service too."""

    name: str
    number: int


@dataclass(frozen=True)
class Workload:
    """A StatefulSet of one pod with one volume, mounted at /data, and what belongs to it.

    `container` and each of `init` are containers without image, security context and volume mounts of their own
    but those given; `secret` is what its Secret `<name>-credentials` holds; `config` what its ConfigMap
    `<name>-config` holds, mounted at /etc/xgen; `scratch` are paths that are writable and start empty.
    """

    name: str
    image: str
    mirror: Mirror
    user: int
    ports: tuple[Port, ...]
    size: str
    requests: catalog.Size
    limits: catalog.Size
    container: Mapping[str, Any]
    secret: Mapping[str, pulumi.Input[str]]
    config: Mapping[str, str] = field(default_factory=dict)
    init: tuple[Mapping[str, Any], ...] = ()
    volumes: tuple[Mapping[str, Any], ...] = ()
    mounts: tuple[Mapping[str, Any], ...] = ()
    scratch: tuple[str, ...] = ("/tmp",)  # noqa: S108
    grace_seconds: int = 60

    @property
    def secret_name(self) -> str:
        return f"{self.name}-credentials"

    @property
    def config_name(self) -> str:
        return f"{self.name}-config"


def script(name: str) -> str:
    """Return a file that ships with this package (xgen_infra/k3s/files)."""
    return files("xgen_infra.k3s").joinpath("files", name).read_text(encoding="utf-8")


def labels(name: str, component: Component = "data") -> dict[str, str]:
    """Return an object's labels (Kubernetes documentation, "Recommended Labels")."""
    return {
        **selector(name, component),
        "app.kubernetes.io/part-of": PART_OF,
        "app.kubernetes.io/managed-by": "pulumi",
    }


def selector(name: str, component: Component = "data") -> dict[str, str]:
    """Return the labels by which a pod is selected; never changed, since a StatefulSet's selector cannot be."""
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/component": component}


def client(name: str) -> str:
    """Return the label that lets a pod of the data namespace reach a data service."""
    return f"xgen/reaches-{name}"


def metadata(name: str, owner: str | None = None, annotations: Mapping[str, str] | None = None) -> Manifest:
    """Return metadata of an object in the data namespace."""
    meta: Manifest = {"name": name, "namespace": naming.DATA_NAMESPACE, "labels": labels(owner or name)}
    if annotations:
        meta["annotations"] = dict(annotations)
    return meta


def from_secret(variable: str, secret: str, key: str) -> Manifest:
    """Return an environment variable whose value is in a Secret."""
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def plain(variables: Mapping[str, str]) -> list[Manifest]:
    """Return environment variables that are no secret."""
    return [{"name": name, "value": value} for name, value in variables.items()]


def pod_base(user: int, mirror: Mirror) -> Manifest:
    """Return what every pod's spec has (Kubernetes documentation, "Pod Security Standards", restricted)."""
    pull: Manifest = {"imagePullSecrets": [{"name": naming.REGISTRY_SECRET}]} if mirror.authenticated else {}
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": user,
            "runAsGroup": user,
            "fsGroup": user,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **pull,
    }


def container_security() -> Manifest:
    """Return a container's securityContext under the same standard."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
    }


def resources(requests: catalog.Size, limits: catalog.Size) -> Manifest:
    """Return a container's resources."""
    return {
        "requests": {"cpu": requests.cpu, "memory": requests.memory},
        "limits": {"cpu": limits.cpu, "memory": limits.memory},
    }


def scratch_volumes(paths: Sequence[str]) -> tuple[list[Manifest], list[Manifest]]:
    """Return (volumes, mounts) that make paths writable; their contents go with the pod."""
    names = [f"scratch{path.replace('/', '-')}" for path in paths]
    volumes = [{"name": name, "emptyDir": {}} for name in names]
    return volumes, [{"name": name, "mountPath": path} for name, path in zip(names, paths, strict=True)]
