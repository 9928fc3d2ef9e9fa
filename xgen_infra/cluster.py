"""The seam between the two kinds of cluster and the delivery side: all that delivery needs to know of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi
import pulumi_kubernetes as kubernetes

DataService = Literal["postgres", "redis", "qdrant"]


@dataclass(frozen=True)
class ObjectStore:
    """The S3-compatible store of documents. `endpoint` is a URL; `secret_key` and `access_key` are secret."""

    bucket: pulumi.Input[str]
    endpoint: pulumi.Input[str]
    region: str
    access_key: pulumi.Input[str]
    secret_key: pulumi.Input[str]


@dataclass(frozen=True)
class Cluster:
    """A Kubernetes cluster that is ready for the six services.

    `hosts` says where PostgreSQL, Redis and Qdrant are; `ready` is what has to stand before a workload can run
    and go only after the last one (nodes, network, load-balancer controller, data services); `outputs` are
    this kind of cluster's own facts for people and runbooks, by output name, secret ones marked.
    """

    name: pulumi.Input[str]
    provider: kubernetes.Provider
    kubeconfig: pulumi.Output[str]
    object_store: ObjectStore
    hosts: Mapping[DataService, pulumi.Input[str]]
    ready: tuple[pulumi.Resource, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
