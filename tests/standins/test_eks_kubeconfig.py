"""The kubeconfig holds no credentials: it runs `aws`, and the rehearsal's `aws` lets one in."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, config

from xgen_infra.rehearsal.control_plane import plane as control_plane
from xgen_infra.rehearsal.control_plane.nodes import spread
from xgen_infra.rehearsal.processes import Supervisor
from xgen_infra.rehearsal.standins.eks import command
from xgen_infra.rehearsal.standins.eks.kubeconfig import kubeconfig
from xgen_infra.rehearsal.tools import Tool, ensure

CLUSTER = {
    "name": "xgen-aww",
    "endpoint": "https://127.0.0.1:1",
    "authority": "Q0E=",
    "region": "ap-northeast-2",
}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    admin = tmp_path / "admin"
    user = {"client-certificate-data": _encoded("CERT"), "client-key-data": _encoded("KEY")}
    admin.write_text(yaml.safe_dump({"users": [{"user": user}]}))
    (tmp_path / "private").mkdir()
    return command.install(tmp_path, admin, tmp_path / "private")


def _run(command_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([command_path, *arguments], capture_output=True, text=True, check=False)


def test_a_kubeconfig_names_the_cluster_and_holds_no_credential() -> None:
    made = kubeconfig(CLUSTER, {"roleArn": "arn:aws:iam::123456789012:role/x", "profileName": "work"})
    run = made["users"][0]["user"]
    assert set(run) == {"exec"}
    assert run["exec"]["args"] == [
        "--region", "ap-northeast-2", "eks", "get-token", "--cluster-name", "xgen-aww", "--output", "json",
        "--role", "arn:aws:iam::123456789012:role/x", "--profile", "work",
    ]  # fmt: skip
    assert made["clusters"][0]["cluster"] == {
        "server": CLUSTER["endpoint"],
        "certificate-authority-data": "Q0E=",
    }


def test_the_command_gives_a_credential_for_what_the_kubeconfig_asks(installed: Path) -> None:
    asked = kubeconfig(CLUSTER)["users"][0]["user"]["exec"]["args"]
    answer = json.loads(_run(installed, *asked).stdout)
    assert answer["status"] == {"clientCertificateData": "CERT", "clientKeyData": "KEY"}
    assert answer["apiVersion"] == "client.authentication.k8s.io/v1beta1"


def test_the_command_knows_its_version_and_nothing_else(installed: Path) -> None:
    assert _run(installed, "--version").stdout.startswith("aws-cli/2.")
    refused = _run(installed, "s3", "ls")
    assert (refused.returncode, refused.stdout) == (252, "")
    assert "eks get-token" in refused.stderr


def test_the_credential_is_readable_for_its_owner_alone_and_not_in_the_command(installed: Path) -> None:
    held = installed.parent / "private" / "eks-token.json"
    assert held.stat().st_mode & 0o077 == 0
    assert "KEY" not in installed.read_text()


@dataclass
class Local:
    """A control plane, and a kubeconfig for it in EKS' form."""

    kubeconfig: Path
    environment: dict[str, str]
    tools: dict[Tool, Path]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    root = tmp_path_factory.mktemp("plane")
    tools = dict(ensure([*control_plane.TOOLS, Tool.METRICS_SERVER, Tool.KUBECTL, Tool.HELM], print))
    with Supervisor(root) as supervisor:
        nodes = spread(1, ("ap-northeast-2a",), "m7i.large", cpu="2", memory="8Gi", pods=29)
        plane = control_plane.start(supervisor, root, tools, nodes)
        (root / "bin").mkdir()
        (root / "own").mkdir(mode=0o700)
        command.install(root / "bin", plane.kubeconfig, root / "own")
        admin: dict[str, Any] = yaml.safe_load(plane.kubeconfig.read_text())
        cluster = admin["clusters"][0]["cluster"]
        told = {
            **CLUSTER,
            "endpoint": cluster["server"],
            "authority": cluster.get("certificate-authority-data")
            or _encoded((plane.kubeconfig.parent / cluster["certificate-authority"]).read_text()),
        }
        eks = root / "eks-kubeconfig"
        eks.write_text(json.dumps(kubeconfig(told)))
        path = f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}"
        yield Local(eks, {**os.environ, "PATH": path, "KUBECONFIG": str(eks)}, tools)


@pytest.mark.e2e
def test_kubectl_helm_and_the_python_client_get_in_by_it(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = subprocess.run(
        [local.tools[Tool.KUBECTL], "auth", "can-i", "*", "*"],
        env=local.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert who.stdout.strip() == "yes", who.stderr
    listed = subprocess.run(
        [local.tools[Tool.HELM], "list", "--all-namespaces", "--output", "json"],
        env=local.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(listed.stdout) == [], listed.stderr
    monkeypatch.setenv("PATH", local.environment["PATH"])
    api = client.CoreV1Api(config.new_client_from_config(str(local.kubeconfig)))
    assert "kube-system" in {found.metadata.name for found in api.list_namespace().items}
