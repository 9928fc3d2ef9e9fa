"""From Argo CD there is no way back to releases: the engine says so before anything is registered."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from xgen_infra.engine import Engine, EngineError
from xgen_infra.load import STACK_FILE_VARIABLE

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
PREFIX = "urn:pulumi:aww::xgen-infra::"
APPLICATION = "kubernetes:argoproj.io/v1alpha1:Application"
COMPONENT = "xgen:delivery:Applications"
EXPLANATION = r"Argo CD owns services of this stack \(xgen-core\)[\s\S]*Write delivery: argocd"


def resource(kind: str, name: str, parent: str = "", **more: Any) -> dict[str, Any]:
    path = f"{parent}${kind}" if parent else kind
    return {"urn": f"{PREFIX}{path}::{name}", "type": kind, "custom": False, **more}


def state_of_an_argo_cd_stack() -> dict[str, Any]:
    stack = resource("pulumi:pulumi:Stack", "xgen-infra-aww")
    component = resource(COMPONENT, "applications", parent="pulumi:pulumi:Stack") | {"parent": stack["urn"]}
    component["urn"] = f"{PREFIX}{COMPONENT}::applications"
    provider = resource("pulumi:providers:kubernetes", "eks-provider", custom=True, id="p")
    application = resource(
        APPLICATION, "applications-xgen-core", parent=COMPONENT, custom=True, id="argocd/xgen-core"
    )
    application |= {"parent": component["urn"], "provider": f"{provider['urn']}::p"}
    return {"version": 3, "deployment": {"resources": [stack, provider, component, application]}}


@pytest.fixture
def argo_cds(bare_engine: Callable[[Path], Engine], tmp_path: Path) -> Callable[[], Engine]:
    """Return the engine of a stack that Argo CD delivers, and whose file says helm."""

    def engine() -> Engine:
        file = tmp_path / "Pulumi.aww.yaml"
        text = (ROOT / "Pulumi.aww.yaml").read_text()
        assert "    source:\n" in text
        file.write_text(text.replace("    source:\n", "    delivery: helm\n    source:\n", 1))
        made = bare_engine(file)
        state = tmp_path / "state.json"
        state.write_text(json.dumps(state_of_an_argo_cd_stack()))
        made.run("stack", "import", "--stack", "aww", "--file", str(state))
        return made

    return engine


@pytest.mark.parametrize("operation", [Engine.preview, Engine.up])
def test_the_way_back_is_refused_with_its_reason_and_nothing_is_registered(
    operation: Callable[[Engine, str], Any], argo_cds: Callable[[], Engine]
) -> None:
    engine = argo_cds()
    before = engine.export("aww")["deployment"]["resources"]
    with pytest.raises(EngineError, match=EXPLANATION) as refused:
        operation(engine, "aww")
    assert refused.value.result is not None
    # The engine makes a provider for its own functions as soon as one is called.
    assert {step.type for step in refused.value.result.steps} <= {"pulumi:providers:pulumi"}
    after = engine.export("aww")["deployment"]["resources"]
    assert {one["urn"] for one in before} == {
        one["urn"] for one in after if one["type"] != "pulumi:providers:pulumi"
    }


def test_a_state_that_is_just_being_written_is_read_again(
    argo_cds: Callable[[], Engine], tmp_path: Path
) -> None:
    engine = argo_cds()
    backend = Path(engine.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))
    (attributes,) = backend.rglob("stacks/**/aww.json.attrs")
    given = tmp_path / "given" / "Pulumi.aww.yaml"
    given.parent.mkdir()
    os.mkfifo(given)
    text = (tmp_path / "Pulumi.aww.yaml").read_text()
    engine = replace(engine, environment={**engine.environment, STACK_FILE_VARIABLE: str(given)})
    with ThreadPoolExecutor(1) as writer:
        written = writer.submit(empty_for_a_moment, attributes, given, text)
        with pytest.raises(EngineError, match=EXPLANATION):
            engine.preview("aww")
        written.result(60)


def empty_for_a_moment(attributes: Path, given: Path, text: str) -> None:
    """Empty a file as its writer does, from when the program reads the customer's file (a pipe) on."""
    whole = attributes.read_text()
    with given.open("w") as stream:
        attributes.write_text("")
        stream.write(text)
    time.sleep(1.5)
    attributes.write_text(whole)
