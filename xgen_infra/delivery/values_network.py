"""Values of the chart that say who may reach a service, and what it may reach."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, StrictBool

from xgen_infra.delivery.values_types import (
    AbsolutePath,
    Annotations,
    Cidr,
    DnsLabel,
    HostName,
    Port,
    Selector,
    Values,
)


class Service(Values):
    """The Service and the container's port, which are one number."""

    port: Port = 8000


class IngressTls(Values):
    """The certificate, for Ingress controllers that read it from a Secret; an ALB has it in an annotation."""

    secret_name: DnsLabel


class Ingress(Values):
    """The way in from outside, for services that have a domain."""

    enabled: StrictBool = False
    class_name: Literal["alb", "traefik"] = "alb"
    host: HostName | Literal[""] = ""
    """Empty: every host name."""
    path: AbsolutePath = "/"
    """Prefix."""
    annotations: Annotations = Field(default_factory=dict)
    tls: IngressTls | None = None


class Pods(Values):
    """Pods of another namespace; without podLabels all of them."""

    namespace: DnsLabel
    pod_labels: Selector = Field(default_factory=dict)


class Namespace(Values):
    """All pods of another namespace."""

    name: DnsLabel
    ports: tuple[Port, ...] = ()
    """None: every port."""


class Peer(Values):
    """Another service of this chart in the namespace."""

    name: DnsLabel
    port: Port


class Network(Values):
    """Addresses outside the cluster."""

    cidr: Cidr
    ports: tuple[Port, ...] = ()
    """None: every port."""


class IngressRules(Values):
    """Who may connect to the service's port; with all empty, nobody but the node's probes."""

    from_services: tuple[DnsLabel, ...] = ()
    """Names of other services of this chart in the namespace."""
    from_cidrs: tuple[Cidr, ...] = ()
    """Networks, such as the load balancer's subnets."""
    from_pods: tuple[Pods, ...] = ()
    """Pods elsewhere in the cluster, such as Traefik's."""


class EgressRules(Values):
    """Where the pods may connect to."""

    dns: StrictBool = True
    """kube-dns (CoreDNS) in kube-system, port 53."""
    https: StrictBool = True
    """Port 443 anywhere but the instance metadata addresses: services call LLM and MCP endpoints."""
    services: tuple[Peer, ...] = ()
    """The other services that this one calls."""
    cidrs: tuple[Network, ...] = ()
    namespaces: tuple[Namespace, ...] = ()


class NetworkPolicy(Values):
    """What may reach the pods, and what they may reach."""

    enabled: StrictBool = True
    ingress: IngressRules = IngressRules()
    egress: EgressRules = EgressRules()
