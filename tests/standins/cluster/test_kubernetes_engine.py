"""A program with the real pulumi_kubernetes, the real engine, and the stand-in as a process of its own."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import yaml

from xgen_infra.engine import Engine, EngineError
from xgen_infra.rehearsal.control_plane.api import Api
from xgen_infra.rehearsal.control_plane.plane import ControlPlane
from xgen_infra.rehearsal.processes import Supervisor, clean_environment
from xgen_infra.rehearsal.standins import language
from xgen_infra.rehearsal.standins.main import PORTS
from xgen_infra.rehearsal.tools import Tool

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[3]
CANARIES = ("string-data-canary", "values-canary")
PROGRAM = """
import json, os, pulumi, pulumi_kubernetes as k8s
given = json.load(open("given.json"))
provider = k8s.Provider("cluster", kubeconfig=given["kubeconfig"], cluster_identifier="one")
opts = lambda *after: pulumi.ResourceOptions(provider=provider, depends_on=list(after))
space = k8s.core.v1.Namespace("space", metadata={"name": given["namespace"]}, opts=opts())
name = space.metadata.name
settings = k8s.core.v1.ConfigMap("settings", metadata={"namespace": name}, data={"colour": given["colour"]},
                                 opts=opts())
secret = k8s.core.v1.Secret("secret", metadata={"namespace": name, "name": "secret"},
                            string_data={"password": pulumi.Output.secret("string-data-canary")}, opts=opts())
container = {"name": "c", "image": "nginx:1", "env_from": [{"config_map_ref": {"name": settings.metadata.name}}],
             "resources": {"requests": {"cpu": "1000m", "memory": "0.5Gi"}}}
web = k8s.apps.v1.Deployment("web", metadata={"namespace": name}, spec={
    "replicas": 2, "selector": {"match_labels": {"app": "web"}},
    "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}}, opts=opts())
release = k8s.helm.v3.Release("release", name="tiny", namespace=name, chart="./tiny", values={
    "colour": given["colour"], "password": pulumi.Output.secret("values-canary")}, opts=opts(web))
pulumi.export("revision", release.status.revision)
pulumi.export("secret", secret.data)
"""
TEMPLATE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: tiny}
data: {colour: {{ .Values.colour | quote }}}
"""


@dataclass
class World:
    engine: Engine
    folder: Path
    namespace: str

    def give(self, **given: str) -> None:
        file = self.folder / "given.json"
        before = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps({**before, **given}))


@pytest.fixture
def world(
    plane: ControlPlane, binaries: Mapping[Tool, Path], tmp_path: Path, namespace: str
) -> Iterator[World]:
    folder = tmp_path / "project"
    (folder / "tiny" / "templates").mkdir(parents=True)
    (folder / "tiny" / "Chart.yaml").write_text("apiVersion: v2\nname: tiny\nversion: 0.1.0\n")
    (folder / "tiny" / "templates" / "all.yaml").write_text(TEMPLATE)
    (folder / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text("config: {}\n")
    (folder / "__main__.py").write_text(PROGRAM)
    for name in ("home", "state", "bin", "stand-ins"):
        (tmp_path / name).mkdir(mode=0o700)
    language.install(tmp_path / "bin")
    with Supervisor(tmp_path) as supervisor:
        ports = tmp_path / "stand-ins" / PORTS
        supervisor.start(
            "stand-ins",
            command(tmp_path, folder, binaries[Tool.HELM]),
            env=clean_environment(tmp_path, PYTHONPATH=str(ROOT)),
            ready=ports.exists,
            timeout=30,
        )
        environment = {
            "PULUMI_HOME": str(tmp_path / "home"),
            "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "not used",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DEBUG_PROVIDERS": f"kubernetes:{json.loads(ports.read_text())['kubernetes']}",
            "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        }
        engine = Engine(folder, binaries[Tool.PULUMI], environment, tmp_path / "engine.log")
        engine.init("dev")
        made = World(engine, folder, f"{namespace}-up")
        made.give(kubeconfig=plane.kubeconfig.read_text(), namespace=made.namespace, colour="red")
        yield made


def command(root: Path, project: Path, helm: Path) -> list[str | Path]:
    module = "xgen_infra.rehearsal.standins.main"
    words: list[str | Path] = [sys.executable, "-m", module, "--folder", root / "stand-ins"]
    return [*words, "--providers", "kubernetes", "--project", project, "--helm", helm]


def changed(result):
    return {step.name: step.op for step in result.changed}


def test_a_program_comes_up_changes_drifts_and_goes(world: World, api: Api) -> None:
    planned = world.engine.preview("dev")
    assert set(changed(planned)) == {"cluster", "space", "settings", "secret", "web", "release"}
    assert api.get("/api/v1/namespaces")["items"]
    world.engine.up("dev")
    assert world.engine.outputs("dev") == {"revision": 1, "secret": "[secret]"}
    where = f"/api/v1/namespaces/{world.namespace}"
    assert api.get(f"{where}/configmaps/tiny")["data"] == {"colour": "red"}

    assert changed(world.engine.up("dev")) == {}

    world.give(colour="blue")
    done = world.engine.up("dev")
    assert {step.name for step in done.replaced} == {"settings"}
    assert {name for name, op in changed(done).items() if op == "update"} == {"web", "release"}
    assert api.get(f"{where}/configmaps/tiny")["data"] == {"colour": "blue"}

    api.merge(f"{where}/configmaps/{name_of(world, 'settings')}", {"data": {"colour": "grey"}})
    assert changed(world.engine.preview("dev")) == {}
    world.engine.refresh("dev")
    assert set(changed(world.engine.preview("dev"))) >= {"settings"}
    world.engine.up("dev")
    assert api.get(f"{where}/configmaps/{name_of(world, 'settings')}")["data"] == {"colour": "blue"}

    world.engine.destroy("dev")
    assert world.namespace not in {one["metadata"]["name"] for one in api.get("/api/v1/namespaces")["items"]}
    assert not world.engine.export("dev")["deployment"].get("resources")


def name_of(world: World, logical: str) -> str:
    resources = world.engine.export("dev")["deployment"]["resources"]
    found = next(one for one in resources if one["urn"].endswith(f"::{logical}"))
    return str(found["id"]).split("/")[-1]


def test_no_secret_is_plain_in_state_or_logs_or_records(world: World) -> None:
    world.engine.up("dev")
    world.engine.refresh("dev")
    forms = [form for canary in CANARIES for form in spellings(canary)]
    root = world.folder.parent
    for file in root.rglob("*"):
        if file.is_file() and file.name != "__main__.py":
            text = file.read_bytes()
            assert not [form for form in forms if form in text], file
    world.engine.destroy("dev")


def spellings(text: str) -> list[bytes]:
    """Return a text plain and in base64 at each of the three offsets."""
    encoded = [
        base64.b64encode(b"x" * offset + text.encode())[4 if offset else 0 : -4] for offset in range(3)
    ]
    return [text.encode(), *encoded]


def test_another_kubeconfig_of_the_same_cluster_replaces_nothing(world: World, plane: ControlPlane) -> None:
    world.engine.up("dev")
    content = yaml.safe_load(plane.kubeconfig.read_text())
    content["contexts"][0]["context"]["namespace"] = "other"
    content["clusters"][0]["cluster"]["server"] += "/"
    world.give(kubeconfig=yaml.safe_dump(content))
    planned = world.engine.preview("dev")
    assert changed(planned) == {"cluster": "update"}
    world.engine.destroy("dev")


def test_the_stand_ins_end_with_a_signal_and_with_their_parent(
    tmp_path: Path, binaries: Mapping[Tool, Path]
) -> None:
    (tmp_path / "stand-ins").mkdir()
    parent = subprocess.Popen(["sleep", "600"])
    words = [str(word) for word in command(tmp_path, tmp_path, binaries[Tool.HELM])]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for ending in ("signal", "parent"):
        (tmp_path / "stand-ins" / PORTS).unlink(missing_ok=True)
        process = subprocess.Popen([*words, "--parent", str(parent.pid)], env=environment)
        while not (tmp_path / "stand-ins" / PORTS).exists():
            assert process.poll() is None
        if ending == "signal":
            process.send_signal(signal.SIGTERM)
        else:
            parent.kill()
            parent.wait()
        process.wait(10)
        assert not psutil.pid_exists(process.pid)


def test_an_unreachable_cluster_is_told_at_preview_and_kept_by_a_refresh(world: World) -> None:
    world.engine.up("dev")
    given = json.loads((world.folder / "given.json").read_text())
    content = yaml.safe_load(given["kubeconfig"])
    content["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    world.give(kubeconfig=yaml.safe_dump(content))
    planned = world.engine.preview("dev")
    assert any("configured Kubernetes cluster is unreachable" in said for said in planned.diagnostics)
    world.engine.up("dev", "--target", provider_urn(world))
    with pytest.raises(EngineError, match="PULUMI_K8S_DELETE_UNREACHABLE"):
        world.engine.refresh("dev")
    assert len(world.engine.export("dev")["deployment"]["resources"]) == 7
    world.give(kubeconfig=given["kubeconfig"])
    world.engine.up("dev")
    world.engine.destroy("dev")


def provider_urn(world: World) -> str:
    resources = world.engine.export("dev")["deployment"]["resources"]
    return str(next(one["urn"] for one in resources if one["type"] == "pulumi:providers:kubernetes"))
