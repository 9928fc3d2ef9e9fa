"""Drift, support bundle and the search for secrets on one running customer; everything by use."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tarfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client.exceptions import ApiException

from xgen_infra import catalog
from xgen_infra.folder import read_site
from xgen_infra.rehearsal.observe import ClusterView, until
from xgen_infra.rehearsal.ports import free_ports
from xgen_infra.rehearsal.report import Phase
from xgen_infra.rehearsal.secrecy import Watch, places
from xgen_infra.rehearsal.secrecy.phase import judge
from xgen_infra.rehearsal.tools import ensure
from xgen_infra.rehearsal.world import World, tools_of, world
from xgen_infra.secrecy import Search

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
STACK = "lotteimall"
SPACE, DATA = "xgen", "xgen-system"
KEY = "xgen-infra:postgresPassword"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    _, site = read_site(ROOT, STACK)
    site = site.model_copy(update={"delivery": "helm"})
    root = tmp_path_factory.mktemp("secrecy")
    with world(site, ROOT / f"Pulumi.{STACK}.yaml", root, ensure(tools_of(site), print)) as made:
        (root / places.PREVIEWS).mkdir()
        made.engine.preview(made.stack, "--save-plan", str(root / places.PREVIEWS / "plan.json"))
        made.engine.up(made.stack)
        until(lambda: ClusterView(made.kubeconfig).all_ready(SPACE, dict.fromkeys(catalog.NAMES, 1)), 60)
        yield made


@pytest.fixture(scope="module")
def view(running: World) -> ClusterView:
    return ClusterView(running.kubeconfig)


def xgen(made: World, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "xgen_infra.cli", "-C", str(made.root), *words],
        env={**os.environ, **made.environment, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert not Search(made.file.canaries).in_text("what it said", done.stdout + done.stderr)
    return done


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


@pytest.mark.parametrize("way", ["plain", "base64 at 1", "base64 at 2", "base64 at 3"])
def test_a_bundle_with_a_secret_in_it_is_not_written_and_names_the_place(
    running: World, view: ClusterView, tmp_path: Path, way: str
) -> None:
    value = running.file.canaries[KEY]
    if way != "plain":
        value = b64encode(f"{'x' * int(way[-1])}{value}".encode()).decode()
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


@contextmanager
def told(view: ClusterView, value: str) -> Iterator[None]:
    """An event whose message holds a secret."""
    event = {
        "metadata": {"name": "leaks", "namespace": SPACE},
        "involvedObject": {"kind": "Pod", "namespace": SPACE, "name": "x"},
        "message": f"connection as {value} refused",
        "reason": "Leak",
        "type": "Warning",
    }
    view.core.create_namespaced_event(SPACE, event)
    try:
        yield
    finally:
        view.core.delete_namespaced_event("leaks", SPACE)


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


# The search


def plants(made: World, view: ClusterView) -> dict[str, tuple[Callable[[str], None], Callable[[], object]]]:
    """How a secret gets to each kind of place in the running world, and how it goes from there."""
    root = made.root

    def file(path: Path) -> tuple[Callable[[str], None], Callable[[], object]]:
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_bytes() if path.exists() else None
        back = (lambda: path.write_bytes(before)) if before is not None else path.unlink
        return (lambda value: path.open("a").write(f"\n# {value}\n") and None), back

    def config_map(value: str) -> None:
        body = {"metadata": {"name": "planted"}, "data": {"key": value}}
        view.core.create_namespaced_config_map(SPACE, body)

    def event(value: str) -> None:
        about = {"kind": "Pod", "namespace": SPACE, "name": "x"}
        body = {"metadata": {"name": "planted"}, "involvedObject": about, "message": value}
        view.core.create_namespaced_event(SPACE, body)

    def annotation(value: str | None) -> None:
        view.core.patch_namespace(SPACE, {"metadata": {"annotations": {"planted": value}}})

    def record(value: str) -> None:
        release = gzip.compress(json.dumps({"config": {"password": value}}).encode())
        data = {"release": b64encode(b64encode(release)).decode()}
        body = {"metadata": {"name": "planted"}, "type": "helm.sh/release.v1", "data": data}
        view.core.create_namespaced_secret(SPACE, body)

    return {
        "state files": file(root / "state" / "planted.json"),
        "update plans": file(root / places.PREVIEWS / "plan.json"),
        "previews as JSON": file(root / places.PREVIEWS / "preview.json"),
        "the engine's log": file(root / "logs" / "engine.log"),
        "xgen's logs": file(root / "logs" / "xgen.log"),
        "servers' logs": file(root / "logs" / "planted.log"),
        "the record of provider calls": file(made.journal),
        "the engine's own folder": file(root / "pulumi-home" / "planted.json"),
        "the customer's file": file(root / "Pulumi.yaml"),
        "Kubernetes events": (event, lambda: view.core.delete_namespaced_event("planted", SPACE)),
        "ConfigMaps": (config_map, lambda: view.core.delete_namespaced_config_map("planted", SPACE)),
        "other Kubernetes objects": (annotation, lambda: annotation(None)),
        "Helm's records of releases": (record, lambda: view.core.delete_namespaced_secret("planted", SPACE)),
    }


def failed(made: World, search: Search) -> dict[str, str]:
    phase = Phase("search")
    judge(phase, search, places.every(made)[0], ())
    return {check.name: check.saw for check in phase.checks if not check.passed}


def test_a_secret_that_is_planted_is_found_in_each_place(running: World, view: ClusterView) -> None:
    value = 'planted-"7f/+&\\e1'
    search = Search({"the planted": value})
    assert failed(running, search) == {}
    escaped = json.dumps(value)[1:-1]
    for kind, (plant, remove) in plants(running, view).items():
        plant(
            value if "Kubernetes" in kind or kind in {"ConfigMaps", "Helm's records of releases"} else escaped
        )
        try:
            found = failed(running, search)
        finally:
            with suppress(ApiException):
                remove()
        assert "the planted" in found.pop(kind, ""), kind
        assert set(found) <= {"previews as text"}, kind
    assert failed(running, search) == {}


def test_a_secret_in_the_arguments_of_a_short_process_is_found() -> None:
    value = "planted-7f3a9e1c"
    with Watch() as watch:
        subprocess.run([sys.executable, "-c", "import time; time.sleep(0.1)", value], check=True)
    assert Search({"the planted": value}).in_bytes("arguments", watch.arguments())
    assert watch.processes > 1


def test_a_kind_of_place_of_which_there_is_none_fails() -> None:
    phase = Phase("search")
    judge(phase, Search({}), [places.Place("events", "empty", b"")], ("state files", "events"))
    assert [(check.name, check.passed) for check in phase.checks] == [
        ("state files", False),
        ("events", False),
    ]


def test_no_secret_of_the_customer_is_where_none_belongs(running: World) -> None:
    assert failed(running, Search(running.file.canaries)) == {}


def test_the_engines_own_verbose_log_holds_secrets_as_the_documents_say(running: World) -> None:
    """docs/secrets.md warns of it. Where this fails, the engine has become better than its documents."""
    done = subprocess.run(
        [str(running.engine.binary), "preview", "-v=9", "--logtostderr", "--non-interactive", "-s", STACK],
        cwd=running.project,
        env={**os.environ, **running.environment},
        capture_output=True,
        check=False,
    )
    assert Search(running.file.canaries).in_bytes("the log", done.stderr)
    default = subprocess.run(
        [str(running.engine.binary), "preview", "--non-interactive", "--diff", "-s", STACK],
        cwd=running.project,
        env={**os.environ, **running.environment},
        capture_output=True,
        check=False,
    )
    assert default.returncode == 0
    assert Search(running.file.canaries).in_bytes("the log", default.stdout + default.stderr) == []


def test_a_replaced_secret_is_in_no_preview_and_no_plan(running: World) -> None:
    text = running.file.path.read_text()
    new = 'replaced-"7f3a/+9e1c'
    loaded = yaml.safe_load(text)
    loaded["config"][KEY] = {"secure": running.file.shared.vault.encrypt(new)}
    running.file.path.write_text(yaml.safe_dump(loaded))
    plan = running.root / "replaced.json"
    try:
        said = running.engine.run("preview", "--diff", "--save-plan", str(plan), "-s", STACK)
        shown = running.engine.run("preview", "--json", "-s", STACK)
    finally:
        running.file.path.write_text(text)
    search = Search({**running.file.canaries, "the new one": new})
    assert "workspace-secrets" in said
    for place, found in {"text": said, "JSON": shown, "plan": plan.read_text()}.items():
        assert search.in_text(place, found) == []
