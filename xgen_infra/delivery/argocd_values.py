"""Values of the argo-cd chart for one small cluster."""

from __future__ import annotations

from typing import Any

from xgen_infra.site import Site


def argocd_values(site: Site) -> dict[str, Any]:
    """Return the argo-cd chart's values: pure, from the customer's file."""
    options = site.argocd
    replicas = 2 if options.high_availability else 1
    values: dict[str, Any] = {
        "crds": {"install": True, "keep": True},
        "dex": {"enabled": options.dex},
        "applicationSet": {"replicas": 0},
        "notifications": {"enabled": options.notifications_webhook},
        "redis-ha": {"enabled": options.high_availability},
        "server": {"replicas": replicas},
        "repoServer": {"replicas": replicas},
        "configs": {
            "cm": {
                "timeout.reconciliation": f"{site.source.poll_seconds}s",
                "admin.enabled": True,
                "application.resourceTrackingMethod": "annotation",
            },
            "params": {"server.insecure": False},
        },
    }
    if options.image_registry:
        values["global"] = {"image": {"repository": f"{options.image_registry}/argoproj/argocd"}}
        values["redis"] = {"image": {"repository": f"{options.image_registry}/docker/library/redis"}}
    if site.source.ca_certificate and site.source.repo_url.startswith("https://"):
        host = site.source.repo_url.split("/")[2].split(":")[0]
        values["configs"]["tls"] = {"certificates": {host: site.source.ca_certificate}}
    return values
