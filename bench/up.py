"""`up` of a K3s site with delivery helm against bare Helm installing the same six releases."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from bench.measure import Figure, seconds
from bench.world import ROOT, sample
from xgen_infra import catalog
from xgen_infra.delivery import services
from xgen_infra.rehearsal.observe import ClusterView, until
from xgen_infra.rehearsal.tools import Tool
from xgen_infra.rehearsal.world import World
from xgen_infra.site.parts import Infra

_EXTERNAL = Infra.model_validate(
    {
        "postgres": {"host": "10.0.0.10"},
        "redis": {"host": "10.0.0.10"},
        "qdrant": {"host": "10.0.0.10"},
        "minio": {"endpoint": "http://10.0.0.10:9000"},
    }
)


def against_helm() -> Iterator[Figure]:
    """Yield `up` until six services are ready, divided by six `helm install --wait` on the same control plane."""
    with sample("lotteimall", delivery="helm", infra=_EXTERNAL) as made:
        made.file.change(("infra",), _EXTERNAL.model_dump(mode="json", exclude_none=True))
        view = ClusterView(made.kubeconfig)
        least: dict[str, int] = {name: 1 for name in catalog.NAMES}  # noqa: C420

        def up() -> None:
            made.engine.up(made.stack)
            until(lambda: view.all_ready(made.site.namespace, least), 60)

        bare = seconds(lambda: _install(made, view, least))
        ours = seconds(up)
    yield Figure("up to six ready services / six bare helm installs", ours / bare, 1.5)
    yield Figure("up to six ready services", ours, unit="s")


def _install(made: World, view: ClusterView, least: Mapping[str, int]) -> None:
    helm, target = str(made.binaries[Tool.HELM]), "bare"
    with tempfile.TemporaryDirectory(prefix="xgen-bare-") as folder:
        for name in catalog.NAMES:
            values = Path(folder) / f"{name}.yaml"
            values.write_text(yaml.safe_dump(services.whole(made.site, name, {})))
            command = [helm, "install", name, str(ROOT / "charts" / "xgen-service"), "--values", str(values)]
            command += ["--namespace", target, "--create-namespace", "--wait"]
            command += ["--kubeconfig", str(made.kubeconfig)]
            subprocess.run(command, check=True, capture_output=True)
    until(lambda: view.all_ready(target, least), 60)
