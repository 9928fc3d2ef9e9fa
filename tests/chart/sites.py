"""The manifests of every sample customer: the chart rendered by real Helm with each site's own values."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from xgen_infra import catalog
from xgen_infra.delivery import services
from xgen_infra.delivery.schema import CHART
from xgen_infra.folder import read_site
from xgen_infra.site import Site

ROOT = Path(__file__).parents[2]
STACKS = tuple(sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml")))


@cache
def site_of(stack: str) -> Site:
    return read_site(ROOT, stack)[1]


@cache
def manifests(helm: Path, stack: str, service: catalog.ServiceName) -> tuple[dict[str, Any], ...]:
    """Return what Argo CD, or Helm, applies for one service of a site."""
    site = site_of(stack)
    command = [str(helm), "template", service, str(CHART), "--namespace", site.namespace, "--values", "-"]
    done = subprocess.run(
        command,
        input=json.dumps(services.whole(site, service, {})),
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(item for item in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if item)


def variables(objects: tuple[dict[str, Any], ...]) -> set[str]:
    """Return the names of the variables that the service's container gets."""
    configured = {item["metadata"]["name"]: item["data"] for item in objects if item["kind"] == "ConfigMap"}
    (container,) = next(o for o in objects if o["kind"] == "Deployment")["spec"]["template"]["spec"][
        "containers"
    ]
    sources = [source["configMapRef"]["name"] for source in container.get("envFrom", [])]
    given = {variable["name"] for variable in container.get("env", [])}
    return given.union(*(configured[name] for name in sources))
