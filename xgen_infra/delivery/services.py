"""The chart's values of each service: pure functions of the customer's file and the resources' outputs.

Which value travels which way is `WITH_THE_STACK`: what it names goes with `pulumi up`; all the rest goes through
the customer's Git.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xgen_infra import catalog, environment, naming
from xgen_infra.delivery.network import policy
from xgen_infra.delivery.values import ServiceValues
from xgen_infra.site import NexusRegistry, ServiceSpec, Site

NAMES = catalog.NAMES
WITH_THE_STACK = ("imagePullSecrets", "secretEnv", "generations", "outputs")
"""Top-level values that only the stack knows: names and generations of Secrets, outputs of resources."""


def from_git(site: Site, name: catalog.ServiceName) -> dict[str, Any]:
    """Return `values/<service>.yaml` of the customer's Git: what the file says, offline, no secret in it."""
    return {key: value for key, value in _validated(site, name, {}).items() if key not in WITH_THE_STACK}


def overlay(site: Site, name: catalog.ServiceName, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Application's `valuesObject`. `outputs` are resources' outputs by the environment's source."""
    values = _validated(site, name, {})
    return {key: values[key] for key in WITH_THE_STACK if key in values} | {
        "outputs": {"env": output_env(site, outputs)}
    }


def whole(site: Site, name: catalog.ServiceName, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return all values of a service, as a Helm release of its own takes them."""
    return from_git(site, name) | overlay(site, name, outputs)


def output_env(site: Site, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables that resources own, each with its output or, where none is given, its planned value."""
    return {
        variable.name: outputs.get(variable.source, variable.value)
        for variable in environment.wired(site)
        if variable.owner == "resource"
    }


def _validated(site: Site, name: catalog.ServiceName, outputs: Mapping[str, Any]) -> dict[str, Any]:
    raw = _values(site, site.service(name)) | {"outputs": {"env": output_env(site, outputs)}}
    return ServiceValues.model_validate(raw).to_values()


def _values(site: Site, spec: ServiceSpec) -> dict[str, Any]:
    service, scale = spec.service, spec.scale
    pulls = isinstance(site.registry, NexusRegistry)
    generations = {naming.SERVICE_SECRET: site.generations.secrets}
    if pulls:
        generations[naming.REGISTRY_SECRET] = site.generations.registry
    return {
        "name": service.name,
        "site": site.site,
        "global": {
            "registry": {"host": naming.registry_host(site), "project": site.project, "site": site.site}
        },
        "image": {"tag": spec.tag, "digest": spec.digest or ""},
        "imagePullSecrets": [naming.REGISTRY_SECRET] if pulls else [],
        "replicas": scale.replicas,
        "autoscaling": {
            "enabled": scale.autoscaling,
            "minReplicas": scale.min_replicas,
            "maxReplicas": scale.max_replicas,
            "targetCPUUtilizationPercentage": scale.target_cpu,
        },
        "resources": {
            "requests": {"cpu": spec.requests.cpu, "memory": spec.requests.memory},
            "limits": {"cpu": spec.limits.cpu, "memory": spec.limits.memory},
        },
        "env": _env(site, spec),
        "secretEnv": {
            key: {"secret": naming.SERVICE_SECRET, "key": key} for key in environment.secret_keys(site)
        },
        "generations": generations,
        "service": {"port": service.port},
        "probes": _probes(service),
        "dotenv": _dotenv(site, spec),
        "ingress": _ingress(site, spec),
        "networkPolicy": policy(site, spec),
        "podSecurity": {
            "runAsUser": spec.pod_security.run_as_user,
            "runAsNonRoot": not spec.pod_security.run_as_root,
            "readOnlyRootFilesystem": spec.pod_security.read_only_root_filesystem,
        },
    }


def _env(site: Site, spec: ServiceSpec) -> dict[str, str]:
    wired = {v.name: v.value for v in environment.wired(site) if v.owner == "file" and v.value is not None}
    resources = {v.name for v in environment.wired(site) if v.owner == "resource"}
    extra = {key: value for key, value in {**site.vars, **spec.vars}.items() if key not in resources}
    return {**extra, **wired}


def _probes(service: catalog.Service) -> dict[str, Any]:
    probe = {"path": service.health} if service.health else {"tcp": True}
    return {"readiness": probe, "liveness": probe, "startup": probe}


def _dotenv(site: Site, spec: ServiceSpec) -> dict[str, Any]:
    if not spec.service.dotenv:
        return {"enabled": False}
    keys = [variable.name for variable in environment.wired(site)]
    return {"enabled": True, "path": spec.service.dotenv, "keys": sorted({*keys, *site.vars, *spec.vars})}


def _ingress(site: Site, spec: ServiceSpec) -> dict[str, Any]:
    exposure = site.exposure
    if exposure.kind == "none" or not spec.has_domain:
        return {"enabled": False}
    ingress: dict[str, Any] = {
        "enabled": True,
        "className": "alb" if site.eks else "traefik",
        "host": spec.host or exposure.domain or "",
        "path": spec.service.path,
        "annotations": _alb(site) if site.eks else {},
    }
    if exposure.tls_secret:
        ingress["tls"] = {"secretName": exposure.tls_secret}
    return ingress


def _alb(site: Site) -> dict[str, str]:
    """Return the annotations that make one load balancer for all Ingresses of the site.

    Source: AWS Load Balancer Controller documentation, "Ingress annotations".
    """
    exposure, prefix = site.exposure, "alb.ingress.kubernetes.io"
    annotations = {
        f"{prefix}/group.name": naming.stem(site),
        f"{prefix}/scheme": "internet-facing" if exposure.kind == "public" else "internal",
        f"{prefix}/target-type": "ip",
    }
    if exposure.certificate_arn:
        annotations[f"{prefix}/certificate-arn"] = exposure.certificate_arn
        annotations[f"{prefix}/listen-ports"] = '[{"HTTP": 80}, {"HTTPS": 443}]'
        annotations[f"{prefix}/ssl-redirect"] = "443"
    if exposure.allow_from:
        annotations[f"{prefix}/inbound-cidrs"] = ",".join(map(str, exposure.allow_from))
    if site.eks and (vpc := site.eks.vpc):
        # A VPC that is only used may lack the tags by which the controller finds subnets.
        subnets = vpc.public_subnet_ids if exposure.kind == "public" else vpc.private_subnet_ids
        annotations[f"{prefix}/subnets"] = ",".join(subnets)
    return annotations
