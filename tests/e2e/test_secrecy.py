"""The search for secrets on one running customer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
import yaml
from kubernetes.client.exceptions import ApiException
from standins.definitions import define_argo_cd

from e2e.customer import KEY, STACK, told
from e2e.planting import SPACE, in_files, in_git, in_objects
from xgen_infra.engine.events import parse
from xgen_infra.preview.markdown import markdown
from xgen_infra.preview.plan import plan_of
from xgen_infra.preview.site import SitePreview
from xgen_infra.rehearsal.control_plane.api import Api
from xgen_infra.rehearsal.observe import ClusterView, until
from xgen_infra.rehearsal.report import Phase, Report
from xgen_infra.rehearsal.secrecy import Watch, places
from xgen_infra.rehearsal.secrecy.kinds import Kind
from xgen_infra.rehearsal.secrecy.phase import Secrecy, judge
from xgen_infra.rehearsal.world import World
from xgen_infra.secrecy import Search

if TYPE_CHECKING:
    from xgen_infra.rehearsal.phases import Rehearsal

pytestmark = pytest.mark.e2e

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
