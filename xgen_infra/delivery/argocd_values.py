"""Values of the argo-cd chart for one small cluster.

Source: the chart's own values.yaml (argo-helm, charts/argo-cd) and the Argo CD documentation, "Declarative Setup",
"Resource Health", "Notifications".
"""

from __future__ import annotations

from typing import Any

import yaml

from xgen_infra import naming, versions
from xgen_infra.delivery.kinds import READ, RENDERED
from xgen_infra.git import git_address
from xgen_infra.site import Site
from xgen_infra.versions import Image

IN_CLUSTER = "https://kubernetes.default.svc"
NOTIFICATIONS_SECRET = "argocd-notifications-secret"  # noqa: S105 - a Secret's name
WEBHOOK_KEY = "webhook-url"

_HPA_HEALTH = """\
local result = {status = "Progressing", message = "Waiting for the first metrics"}
for _, condition in ipairs((obj.status or {}).conditions or {}) do
  if condition.type == "AbleToScale" and condition.status == "False" then
    return {status = "Degraded", message = condition.message}
  end
  if condition.type == "ScalingActive" then
    if condition.status == "True" or condition.reason == "ScalingDisabled" then
      result = {status = "Healthy", message = condition.message}
    elseif condition.reason == "FailedGetResourceMetric" then
      result = {status = "Progressing", message = condition.message}
    else
      return {status = "Degraded", message = condition.message}
    end
  end
end
return result
"""
"""Pods that have just started have no metrics yet. Argo CD's own rule calls the autoscaler Degraded then, after each
rollout; here it is Progressing, and stays so, with the reason, where metrics never come."""


def argocd_values(site: Site, *, pull_secret: bool = False) -> dict[str, Any]:
    """Return the argo-cd chart's values: pure, from the customer's file, without any secret.

    `pull_secret` says that the Secret registry-credentials is in Argo CD's namespace.
    """
    replicas = 2 if site.argocd.high_availability else 1
    return {
        # Argo CD acts in one namespace: no ClusterRole at all.
        "createClusterRoles": False,
        # Removing a definition removes its Applications, and they what they deployed.
        "crds": {"install": True, "keep": True},
        "global": _global(site, pull_secret),
        "configs": _configs(site),
        "controller": {"resources": _resources("250m", "512Mi", "1Gi")},
        "server": {"replicas": replicas, "resources": _resources("50m", "128Mi", "256Mi")},
        "repoServer": {"replicas": replicas, "resources": _resources("100m", "256Mi", "512Mi")},
        "applicationSet": {"replicas": 0},
        "dex": {
            "enabled": site.argocd.dex,
            "image": _image(site, versions.DEX),
            "resources": _resources("10m", "64Mi", "128Mi"),
        },
        "notifications": _notifications(site),
        **_redis(site, pull_secret),
    }


def _global(site: Site, pull_secret: bool) -> dict[str, Any]:
    values: dict[str, Any] = {
        # The user interface is reached by `kubectl port-forward`, never from outside.
        "domain": "localhost",
        "image": _image(site, versions.ARGO_CD_IMAGE),
    }
    if pull_secret:
        values["imagePullSecrets"] = [{"name": naming.REGISTRY_SECRET}]
    return values


def _configs(site: Site) -> dict[str, Any]:
    source = site.source
    host, _ = git_address(source.repo_url)
    configs: dict[str, Any] = {
        "cm": {
            "timeout.reconciliation": f"{source.poll_seconds}s",
            "timeout.reconciliation.jitter": "0s",
            "application.resourceTrackingMethod": "annotation",
            # By default the label app.kubernetes.io/instance, which the services' chart sets, passes for tracking.
            "application.instanceLabelKey": "argocd.argoproj.io/instance",
            "resource.customizations.health.autoscaling_HorizontalPodAutoscaler": _HPA_HEALTH,
            "resource.inclusions": _inclusions(),
        },
        "params": {"controller.diff.server.side": True, "controller.resource.health.persist": True},
        "clusterCredentials": {
            "in-cluster": {
                "server": IN_CLUSTER,
                "namespaces": site.namespace,
                "config": {"tlsClientConfig": {"insecure": False}},
            }
        },
    }
    if source.ca_certificate and source.repo_url.startswith("https://"):
        configs["tls"] = {"certificates": {host: source.ca_certificate}}
    if source.known_hosts:
        configs["ssh"] = {"extraHosts": source.known_hosts}
    return configs


def _inclusions() -> str:
    """Return the kinds that Argo CD looks at: no Secret is among them."""
    groups: dict[str, list[str]] = {}
    for kind in (*RENDERED, *READ):
        groups.setdefault(kind.group, []).append(kind.kind)
    listed = [
        {"apiGroups": [group], "kinds": sorted(kinds), "clusters": ["*"]}
        for group, kinds in sorted(groups.items())
    ]
    return yaml.safe_dump(listed, sort_keys=False)


def _notifications(site: Site) -> dict[str, Any]:
    """Return what posts to the customer's webhook: an Application is Degraded, or is not what Git says."""
    if not site.argocd.notifications_webhook:
        return {"enabled": False}
    body = (
        '{"site": "' + site.site + '", "application": "{{.app.metadata.name}}", '
        '"sync": "{{.app.status.sync.status}}", "health": "{{.app.status.health.status}}", '
        '"revision": "{{.app.status.sync.revision}}"}'
    )
    posts = {"webhook": {"xgen": {"method": "POST", "body": body}}}
    service = {
        "url": f"${WEBHOOK_KEY}",
        "headers": [{"name": "Content-Type", "value": "application/json"}],
    }
    conditions = {
        "on-degraded": "app.status.health.status == 'Degraded'",
        "on-out-of-sync": "app.status.sync.status == 'OutOfSync'",
    }
    return {
        "enabled": True,
        "secret": {"create": False, "name": NOTIFICATIONS_SECRET},
        "notifiers": {"service.webhook.xgen": yaml.safe_dump(service, sort_keys=False)},
        "templates": {"template.xgen": yaml.safe_dump(posts, sort_keys=False)},
        "triggers": {
            f"trigger.{name}": yaml.safe_dump(
                [{"when": when, "oncePer": "app.status.sync.revision", "send": ["xgen"]}], sort_keys=False
            )
            for name, when in conditions.items()
        },
        "subscriptions": [{"recipients": ["xgen"], "triggers": sorted(conditions)}],
        "resources": _resources("10m", "64Mi", "128Mi"),
    }


def _redis(site: Site, pull_secret: bool) -> dict[str, Any]:
    pulled = {"imagePullSecrets": [{"name": naming.REGISTRY_SECRET}]} if pull_secret else {}
    image = _image(site, versions.ARGO_CD_REDIS)
    if not site.argocd.high_availability:
        return {"redis": {"image": image, "resources": _resources("50m", "64Mi", "128Mi")}}
    return {
        "redis-ha": {
            "enabled": True,
            "image": image,
            "haproxy": {"image": _image(site, versions.ARGO_CD_HAPROXY), **pulled},
            **pulled,
        }
    }


def _image(site: Site, image: Image) -> dict[str, str]:
    """Return an image as the chart takes it, from the customer's mirror where there is one."""
    repository, _, tag = image.mirrored(site.argocd.image_registry).rpartition(":")
    return {"repository": repository, "tag": tag}


def _resources(cpu: str, memory: str, most: str) -> dict[str, Any]:
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": most}}
