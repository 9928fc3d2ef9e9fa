"""Drift and the support bundle of one running customer; everything by use."""

from __future__ import annotations

import json
import subprocess
import tarfile
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from e2e.customer import KEY, STACK, told, xgen
from e2e.planting import SPACE
from xgen_infra.rehearsal.observe import ClusterView
from xgen_infra.rehearsal.ports import free_ports
from xgen_infra.rehearsal.world import World
from xgen_infra.secrecy import Search

pytestmark = pytest.mark.e2e
DATA = "xgen-system"


@pytest.fixture
def nowhere(running: World, tmp_path: Path) -> str:
    """A kubeconfig of the site's context whose cluster does not answer."""
    config = json.loads(running.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{free_ports(1)[0]}"
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    return str(tmp_path / "kubeconfig")


# Drift


def drift(made: World, **environment: str) -> tuple[int, dict[str, Any]]:
    done = xgen(made, "drift", STACK, "--json", **environment)
    assert done.stdout, done.stderr
    (found,) = json.loads(done.stdout)
    return done.returncode, found


def test_a_stack_that_nobody_touched_has_no_drift(running: World) -> None:
    status, found = drift(running)
    assert found["differences"] == []
    assert found["notCompared"] == []
    assert status == 0
    assert found["compared"] > 60


def test_what_was_changed_by_hand_is_told_by_resource_and_property(running: World, view: ClusterView) -> None:
    autoscaled = view.autoscaling.read_namespaced_horizontal_pod_autoscaler("xgen-frontend", SPACE)
    scale = {"spec": {"replicas": autoscaled.spec.max_replicas}}
    view.apps.patch_namespaced_deployment_scale("xgen-frontend", SPACE, scale)
    image = {"spec": {"template": {"spec": {"containers": [{"name": "xgen-core", "image": "by-hand:1"}]}}}}
    view.apps.patch_namespaced_deployment("xgen-core", SPACE, image)
    view.core.delete_namespaced_config_map("xgen-workflow-env", SPACE)
    sets = view.apps.list_namespaced_stateful_set(DATA).items
    name = sets[0].metadata.name
    view.apps.patch_namespaced_stateful_set(name, DATA, {"spec": {"replicas": 0}})
    view.core.patch_namespaced_secret("xgen-secrets", SPACE, {"stringData": {"REDIS_PASSWORD": "by-hand-1"}})
    status, found = drift(running)
    told = {(one["resource"], one["path"]): one for one in found["differences"]}
    assert status == 2
    assert found["notCompared"] == []
    core = told["Deployment xgen-core", "spec.template.spec.containers[xgen-core].image"]
    assert core["found"] == '"by-hand:1"'
    assert told["ConfigMap xgen-workflow-env", ""]["kind"] == "deleted"
    replicas = [one for one in found["differences"] if one["path"] == "spec.replicas"]
    assert [(one["expected"], one["found"]) for one in replicas] == [("1", "0")]
    secret = [one for one in found["differences"] if one["resource"] == "workspace-secrets"]
    assert secret
    assert "by-hand-1" not in json.dumps(found)
    assert b64encode(b"by-hand-1").decode() not in json.dumps(found)
    assert not [one for one in found["differences"] if "xgen-frontend" in one["resource"]], "its autoscaler's"
    said = xgen(running, "drift", STACK)
    assert said.returncode == 2
    assert "Deployment xgen-core" in said.stdout


def test_a_cluster_that_does_not_answer_is_never_no_drift(running: World, nowhere: str) -> None:
    status, found = drift(running, KUBECONFIG=nowhere)
    assert status == 1
    assert found["notCompared"]
    assert (
        "no drift found, but not everything could be compared"
        in xgen(running, "drift", STACK, KUBECONFIG=nowhere).stdout
        or found["differences"]
    )


def test_drift_of_a_stack_without_a_file_is_wrong_usage(running: World) -> None:
    assert xgen(running, "drift", "lotteimal").returncode == 2


# Support bundle


def bundle(made: World, target: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return xgen(made, "support-bundle", STACK, "--no-preview", "--output", str(target), *words, **environment)


def unpacked(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as opened:
        return {
            member.name.partition("/")[2]: opened.extractfile(member).read()  # type: ignore[union-attr]
            for member in opened
        }


def test_a_bundle_holds_what_explains_and_no_secret(
    running: World, view: ClusterView, tmp_path: Path
) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "fails", "labels": {"app.kubernetes.io/name": "xgen-core"}},
        "spec": {
            "containers": [
                {
                    "name": "main",
                    "image": "none:1",
                    "resources": {"requests": {"cpu": "100"}},
                    "env": [{"name": "PASSWORD", "value": running.file.canaries[KEY]}],
                }
            ]
        },
    }
    view.core.create_namespaced_pod(SPACE, pod)
    target = tmp_path / "bundle.tar.gz"
    done = bundle(running, target)
    view.core.delete_namespaced_pod("fails", SPACE)
    assert done.returncode == 0, done.stderr
    files = unpacked(target)
    for path in (
        "manifest.json",
        "versions.json",
        "health.json",
        f"file/Pulumi.{STACK}.yaml",
        "state/state.json",
        "state/outputs.json",
        "state/history.json",
        f"cluster/{SPACE}/events.json",
        f"cluster/{SPACE}/deployments.json",
        f"cluster/{SPACE}/secrets.json",
        f"cluster/{DATA}/stateful-sets.json",
    ):
        assert files.get(path), path
    assert b"xgen-infra:site" in files[f"file/Pulumi.{STACK}.yaml"]
    (fails,) = [
        one for one in json.loads(files[f"cluster/{SPACE}/pods.json"]) if one["metadata"]["name"] == "fails"
    ]
    assert fails["spec"]["containers"][0]["env"] == [{"name": "PASSWORD", "value": "[redacted]"}]
    manifest = json.loads(files["manifest.json"])
    assert {one["path"] for one in manifest["files"]} == files.keys() - {"manifest.json"}
    assert manifest["searchedFor"]["secrets"] > len(running.file.canaries)
    assert manifest["searchedFor"]["notReadable"] == []
    assert "--no-preview" in json.dumps(manifest["missing"])
    assert target.stat().st_mode & 0o077 == 0
    assert Search(running.file.canaries).in_bytes("bundle", target.read_bytes()) == []
    assert bundle(running, target).returncode == 1, "a file that is there stays"


@pytest.mark.parametrize("before", [1, 2, 3])
def test_a_bundle_with_a_secret_in_base64_is_not_written_and_names_the_place(
    running: World, view: ClusterView, tmp_path: Path, before: int
) -> None:
    value = b64encode(f"{'x' * before}{running.file.canaries[KEY]}".encode()).decode()
    with told(view, value):
        done = bundle(running, tmp_path / "bundle.tar.gz")
    assert done.returncode == 1
    assert f"cluster/{SPACE}/events.json: {KEY}" in done.stderr
    assert not (tmp_path / "bundle.tar.gz").exists()


def test_what_holds_a_secret_is_left_out_where_that_is_asked(
    running: World, view: ClusterView, tmp_path: Path
) -> None:
    target = tmp_path / "bundle.tar.gz"
    with told(view, running.file.canaries[KEY]):
        done = bundle(running, target, "--without", f"cluster/{SPACE}/events.json")
    assert done.returncode == 0, done.stderr
    assert f"cluster/{SPACE}/events.json" not in unpacked(target)


def test_without_the_cluster_a_bundle_has_the_rest_and_says_what_is_missing(
    running: World, tmp_path: Path, nowhere: str
) -> None:
    target = tmp_path / "bundle.tar.gz"
    done = bundle(running, target, KUBECONFIG=nowhere)
    assert done.returncode == 0, done.stderr
    files = unpacked(target)
    assert {"state/state.json", "versions.json", "manifest.json"} <= files.keys()
    assert not [path for path in files if path.startswith("cluster/")]
    missing = json.loads(files["manifest.json"])["missing"]
    assert any("does not answer" in one["why"] for one in missing)
    assert "does not answer" in done.stderr
