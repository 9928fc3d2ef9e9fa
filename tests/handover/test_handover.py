"""From releases that Pulumi owns to Applications that Argo CD owns, on a stack that runs: no pod notices."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from xgen_infra import catalog
from xgen_infra.engine import EngineError
from xgen_infra.rehearsal.gitops.observe import TRACKING
from xgen_infra.rehearsal.observe import until

from .conftest import INTERRUPTED, STACK, Place, Watch, marks

pytestmark = pytest.mark.e2e


def applications(place: Place) -> dict[str, Any]:
    try:
        return place.view.applications()
    except Exception:  # noqa: BLE001 - their kind is not there yet
        return {}


STEPS: dict[str, Callable[[Place, list[str]], bool]] = {
    "the mirror": lambda _, lines: any(line.startswith("git: ") for line in lines),
    "some Applications": lambda place, _: len(applications(place)) > 0,
    "the stack": lambda _, lines: any(line.startswith("stack: ") for line in lines),
    "Argo CD's first look": lambda _, lines: any(line.startswith("xgen-") for line in lines),
    "Helm's first release": lambda _, lines: any("Helm let go" in line for line in lines),
}
"""When a handover is interrupted: by what it has said, and what is there."""


def test_nothing_is_begun_while_the_file_says_helm(place: Place) -> None:
    done = place.xgen("handover", STACK)
    assert done.status == 1
    assert f"write delivery: argocd into Pulumi.{STACK}.yaml" in done.said
    assert not place.scene.git("for-each-ref")


def test_nothing_is_begun_where_pods_would_restart(place: Place) -> None:
    text = place.world.file.path.read_text()
    place.change(("delivery",), "argocd")
    place.change(("services", "xgen-core", "vars"), {"BEFORE_THE_HANDOVER": "changed"})
    before = place.pods(place.namespace)
    done = place.xgen("handover", STACK)
    assert done.status == 1
    assert "xgen-core: env.BEFORE_THE_HANDOVER" in done.said
    assert "Pods would restart" in done.said
    assert not place.scene.git("for-each-ref")
    assert place.pods(place.namespace) == before
    place.world.file.path.write_text(text)


def test_interrupted_at_each_step_and_run_again_every_pod_runs_on_without_a_gap(place: Place) -> None:
    place.change(("delivery",), "argocd")
    before = place.pods(place.namespace)
    assert place.scene.releases()
    with Watch(place.view, place.namespace) as watch:
        for name, when in STEPS.items():
            interrupted = place.interrupt("handover", STACK, when=partial(when, place))
            assert interrupted.status == INTERRUPTED, (name, interrupted.said)
            assert "Traceback" not in interrupted.said
            assert place.pods(place.namespace) == before, name
        done = place.xgen("handover", STACK)
    assert done.status == 0, done.said
    assert f"{len(before)} of {len(before)} run on" in done.said
    assert place.pods(place.namespace) == before
    assert watch.looks > len(STEPS)
    assert not watch.gaps


def test_nothing_of_helm_is_left(place: Place) -> None:
    assert place.scene.releases() == []
    for name in catalog.NAMES:
        deployment = place.scene.deployment(name)
        assert deployment.metadata.annotations[TRACKING].startswith(f"{name}:")
        assert marks(deployment) == []
        assert marks(place.view.core.read_namespaced_service(name, place.namespace)) == []


def test_a_second_handover_changes_nothing(place: Place) -> None:
    before = place.pods(place.namespace)
    done = place.xgen("handover", STACK)
    assert done.status == 0, done.said
    assert "nothing to do" in done.said
    assert place.pods(place.namespace) == before


def test_argo_cd_can_take_away_what_helm_once_set(place: Place) -> None:
    assert place.configured("xgen-core")["BEFORE_THE_HANDOVER"] == "yes"
    before = place.pods(place.namespace)
    place.change(("services", "xgen-core", "vars"), {"AFTER_THE_HANDOVER": "yes"})
    assert place.xgen("mirror", STACK).status == 0
    assert until(lambda: "AFTER_THE_HANDOVER" in place.configured("xgen-core"), 300)
    assert "BEFORE_THE_HANDOVER" not in place.configured("xgen-core")
    old = {name for name in before if "/xgen-core-" in name}
    assert until(lambda: not old & place.pods(place.namespace).keys() and place.ready(), 300)


def test_the_way_back_is_refused_with_its_reason_by_preview_and_by_up(place: Place) -> None:
    text = place.world.file.path.read_text()
    place.change(("delivery",), "helm")
    before = place.pods(place.namespace)
    for operation in (place.world.engine.preview, place.world.engine.up):
        with pytest.raises(EngineError, match="no way back that keeps the pods running"):
            operation(STACK)
    assert set(place.scene.applications()) == set(catalog.NAMES)
    assert place.pods(place.namespace) == before
    place.world.file.path.write_text(text)
