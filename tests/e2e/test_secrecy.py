"""Drift, support bundle and the search for secrets on one running customer; everything by use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
import yaml
from kubernetes.client.exceptions import ApiException
from standins.definitions import define_argo_cd

from e2e.planting import SPACE, in_files, in_git, in_objects
from xgen_infra import catalog
from xgen_infra.engine.events import parse
from xgen_infra.folder import read_site
from xgen_infra.preview.markdown import markdown
from xgen_infra.preview.plan import plan_of
from xgen_infra.preview.site import SitePreview
from xgen_infra.rehearsal.control_plane.api import Api
from xgen_infra.rehearsal.observe import ClusterView, until
from xgen_infra.rehearsal.ports import free_ports
from xgen_infra.rehearsal.report import Phase, Report
from xgen_infra.rehearsal.secrecy import Watch, places
from xgen_infra.rehearsal.secrecy.kinds import Kind
from xgen_infra.rehearsal.secrecy.phase import Secrecy, judge
from xgen_infra.rehearsal.tools import ensure
from xgen_infra.rehearsal.world import World, tools_of, world
from xgen_infra.secrecy import Search

if TYPE_CHECKING:
    from xgen_infra.rehearsal.phases import Rehearsal

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
STACK = "lotteimall"
DATA = "xgen-system"
KEY = "xgen-infra:postgresPassword"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    _, site = read_site(ROOT, STACK)
    site = site.model_copy(update={"delivery": "helm"})
    root = tmp_path_factory.mktemp("secrecy")
    with world(site, ROOT / f"Pulumi.{STACK}.yaml", root, ensure(tools_of(site), print)) as made:
        (root / places.PREVIEWS).mkdir()
        plan = str(root / places.PREVIEWS / "plan.json")
        places.commented(made, "preview", made.engine.preview(made.stack, "--save-plan", plan))
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

BESIDE = {
    Kind.ENGINE_LOG: {Kind.PREVIEWS_AS_TEXT},
    Kind.PREVIEWS_AS_TEXT: {Kind.ENGINE_LOG},
    Kind.FOR_GIT: {Kind.FILE},
}
"""Kinds in which a secret is found as well: a part of the other, or made of it."""
ELSEWHERE = {
    Kind.RUNBOOK: "test_a_secret_in_what_is_written_for_people_is_found",
    Kind.BUNDLE: "test_a_secret_in_what_is_written_for_people_is_found",
    Kind.ARGUMENTS: "test_a_secret_in_the_arguments_of_a_short_process_is_found",
    Kind.REPORT: "test_a_secret_in_the_report_is_found",
}
"""Kinds in which another test of this module plants."""


def failed(made: World, search: Search) -> dict[str, str]:
    return judged(search, places.every(made)[0])


def judged(search: Search, found: list[places.Place]) -> dict[str, str]:
    phase = Phase("search")
    judge(phase, search, found, ())
    return {check.name: check.saw for check in phase.checks if not check.passed}


def test_a_secret_that_is_planted_is_found_in_each_place(
    running: World, view: ClusterView, tmp_path: Path
) -> None:
    with closing(Api(running.kubeconfig)) as api:
        define_argo_cd(api)
    git = SimpleNamespace(repository=tmp_path / "git")
    made = replace(running, git=git)
    plants = {**in_files(made), **in_objects(view), Kind.GIT: in_git(git.repository)}
    assert plants.keys() | ELSEWHERE.keys() == set(Kind)
    assert all(name in globals() for name in ELSEWHERE.values())
    values = {kind: f'planted-{number:02}-"7f/+&\\e1' for number, kind in enumerate(plants)}
    everything = Search({str(kind): value for kind, value in values.items()})
    assert failed(made, everything) == {}
    try:
        for kind, (plant, _) in plants.items():
            plant(values[kind])
        found = places.every(made)[0]
    finally:
        for _, remove in plants.values():
            with suppress(ApiException, FileNotFoundError):
                remove()
    for kind, value in values.items():
        where = judged(Search({"the planted": value}), found)
        assert "the planted" in where.pop(kind, ""), kind
        assert set(where) <= BESIDE.get(kind, set()), kind
    assert failed(made, everything) == {}


def test_a_secret_in_what_is_written_for_people_is_found(
    running: World, view: ClusterView, tmp_path: Path
) -> None:
    """The bundle does not know this one: it goes into it, and the rehearsal's search has to find it there."""
    value = "planted-7f3a9e1c"
    search = Search({"the planted": value})
    outputs = running.engine.outputs(STACK)
    (tmp_path / "outputs.json").write_text(json.dumps({**outputs, "owner": value}))
    runbook, bundled, bug = places.documents_of(STACK)
    runbook = replace(runbook, words=(*runbook.words, "--outputs", str(tmp_path / "outputs.json")))
    with told(view, value):
        found = places.documents(running, [runbook, bundled, bug])
    assert [place.wrong for place in found] == [""] * len(found)
    assert judged(search, found).keys() == {Kind.RUNBOOK, Kind.BUNDLE}
    logs = [place for place in places.files(running) if place.kind is Kind.BUGS]
    assert [place.wrong for place in logs] == [""]
    assert b"RuntimeError" in logs[0].content
    assert judged(Search(running.file.canaries), [*found, *logs]) == {}


def test_a_bundle_with_a_secret_in_it_is_not_written_and_that_is_no_bundle_that_was_searched(
    running: World, view: ClusterView
) -> None:
    _, bundled, _ = places.documents_of(STACK)
    with told(view, running.file.canaries[KEY]):
        (said,) = places.documents(running, [bundled])
    assert said.name.endswith("status 1")
    assert f"cluster/{SPACE}/events.json: {KEY}" in said.content.decode()
    assert Search(running.file.canaries).in_bytes("what it said", said.content) == []
    assert f"cluster/{SPACE}/events.json" in judged(Search({}), [said])[Kind.BUNDLE]


def test_a_secret_in_the_report_is_found(running: World) -> None:
    report = Report(STACK, STACK, "k3s", "helm", running.root, error="refused: planted-7f3a9e1c")
    rehearsal = cast("Rehearsal", SimpleNamespace(world=running, report=report))
    found = Secrecy(rehearsal, Watch()).moving()
    assert judged(Search({"the planted": "planted-7f3a9e1c"}), found).keys() == {Kind.REPORT}


def test_a_secret_in_the_arguments_of_a_short_process_is_found() -> None:
    """It lives for two looks, however long one takes here."""
    value = "planted-7f3a9e1c"
    command = [sys.executable, "-c", "input()", value]
    with Watch() as watch, subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        seen = watch.looks
        looked = until(lambda: watch.looks >= seen + 2, 60)
        process.communicate(b"\n")
    assert looked
    assert process.returncode == 0
    assert Search({"the planted": value}).in_bytes("arguments", watch.arguments())
    assert watch.processes > 1


def test_a_kind_of_place_of_which_there_is_none_fails() -> None:
    phase = Phase("search")
    judge(phase, Search({}), [places.Place(Kind.EVENTS, "empty", b"")], (Kind.STATE, Kind.EVENTS))
    assert [(check.name, check.passed) for check in phase.checks] == [
        (Kind.STATE, False),
        (Kind.EVENTS, False),
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
    plan, events = running.root / "replaced.json", running.root / "events.json"
    try:
        saved = ("--save-plan", str(plan), "--event-log", str(events))
        said = running.engine.run("preview", "--diff", *saved, "-s", STACK)
        shown = running.engine.run("preview", "--json", "-s", STACK)
    finally:
        running.file.path.write_text(text)
    search = Search({**running.file.canaries, "the new one": new})
    assert "workspace-secrets" in said
    comment = markdown([SitePreview(STACK, "previewed", plan_of(parse(events)))])
    assert "`workspace-secrets`" in comment
    assert "(secret)" in comment
    texts = {"text": said, "JSON": shown, "plan": plan.read_text(), "Markdown": comment}
    for place, found in texts.items():
        assert search.in_text(place, found) == []
