"""The engine, the language host, the plugin protocol and a component, together, with a provider of boxes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.provider import ConstructResult
from standins.provider_client import BOX, Boxes

from xgen_infra.engine import Engine, EngineError
from xgen_infra.rehearsal.standins import faults, journal, language
from xgen_infra.rehearsal.standins.contract import ConstructRequest
from xgen_infra.rehearsal.standins.faults import Fault, Kind
from xgen_infra.rehearsal.standins.server import serve
from xgen_infra.rehearsal.tools import Tool, ensure

pytestmark = pytest.mark.e2e
CHEST = "tiny:index:Chest"
PROGRAM = """
import pulumi

class Box(pulumi.CustomResource):
    def __init__(self, name, opts=None, **props):
        super().__init__("tiny:index:Box", name, {"key": None, "owner": None, "made": None, **props}, opts)

class Chest(pulumi.ComponentResource):
    def __init__(self, name, opts=None, **props):
        super().__init__("tiny:index:Chest", name, {"size": None, "key": None, **props}, opts, remote=True)
"""


@pytest.fixture(scope="session")
def pulumi_binary() -> Path:
    return ensure([Tool.PULUMI], print)[Tool.PULUMI]


class Box(pulumi.CustomResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions, **props: Any) -> None:
        super().__init__(BOX, name, {"key": None, "owner": None, **props}, opts)


def chest(req: ConstructRequest) -> ConstructResult:
    """A component: a box for each size it is given."""
    component = pulumi.ComponentResource(req.type, req.name, None, req.options)
    inside = pulumi.ResourceOptions(parent=component)
    sizes = [int(size) for size in req.inputs["sizes"]]
    if not sizes:
        raise ValueError("a chest holds at least one box")
    boxes = [Box(f"{req.name}-{size}", inside, size=size) for size in sizes]
    return ConstructResult(
        component.urn,
        {"size": req.inputs["label"], "key": pulumi.Output.secret("chest-s3cret"), "boxes": boxes},
    )


@dataclass
class World:
    """A project folder with one program, and a provider of boxes."""

    engine: Engine
    folder: Path
    boxes: Boxes = field(default_factory=Boxes)

    def program(self, text: str) -> None:
        (self.folder / "__main__.py").write_text(PROGRAM + text)

    @property
    def methods(self) -> list[str]:
        return [entry["method"] for entry in journal.read(self.folder)]


@pytest.fixture
def world(pulumi_binary: Path, tmp_path: Path) -> Iterator[World]:
    for name in ("home", "state", "bin"):
        (tmp_path / name).mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    language.install(tmp_path / "bin")
    boxes = Boxes()
    server, port = serve(boxes.stand(construct={CHEST: chest}), journal.Journal(tmp_path, "tiny"))
    environment = {
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "not used",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_DEBUG_PROVIDERS": f"tiny:{port}",
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    engine = Engine(tmp_path, pulumi_binary, environment)
    engine.init("dev")
    yield World(engine, tmp_path, boxes)
    server.stop(0)


def test_a_component_registers_its_children_under_itself(world: World) -> None:
    world.program(
        'c = Chest("c", sizes=[1, 2], label="big")\npulumi.export("size", c.size)\npulumi.export("key", c.key)'
    )
    result = world.engine.up("dev")
    assert dict(result.changes)["create"] == 4
    urns = {step.name: step.urn for step in result.steps}
    assert urns["c-1"].split("::")[2] == f"{CHEST}${BOX}"
    assert world.engine.outputs("dev") == {"size": "big", "key": "[secret]"}
    assert world.engine.outputs("dev", show_secrets=True)["key"] == "chest-s3cret"
    assert sorted(box["size"] for box in world.boxes.boxes.values()) == [1, 2]


def test_what_a_component_refuses_is_one_text(world: World) -> None:
    world.program('Chest("c", sizes=[], label="empty")')
    with pytest.raises(EngineError) as refused:
        world.engine.up("dev")
    assert "a chest holds at least one box" in str(refused.value)
    assert "Traceback" not in str(refused.value)


def test_an_up_without_a_change_changes_nothing_and_a_change_only_what_changed(world: World) -> None:
    world.program('Box("one", size=1)\nBox("two", size=1)')
    assert world.engine.up("dev").changes["create"] == 3
    assert not world.engine.up("dev").changed
    world.program('Box("one", size=1)\nBox("two", size=2)')
    before = world.methods.count("Update")
    assert [(step.name, step.op, step.diffs) for step in world.engine.up("dev").changed] == [
        ("two", "update", ("size",))
    ]
    assert world.methods.count("Update") == before + 1


def test_a_change_of_what_is_immutable_replaces(world: World) -> None:
    world.program('Box("one", size=1, place={"shelf": 1})')
    world.engine.up("dev")
    world.program('Box("one", size=1, place={"shelf": 2})')
    assert {step.name for step in world.engine.preview("dev").replaced} == {"one"}
    world.engine.up("dev")
    assert [box["place"]["shelf"] for box in world.boxes.boxes.values()] == [2]


def test_a_preview_takes_what_is_not_known_yet(world: World) -> None:
    world.program('one = Box("one", size=1)\nBox("two", size=one.owner)')
    planned = {step.name: step.op for step in world.engine.preview("dev").changed if step.type == BOX}
    assert planned == {"one": "create", "two": "create"}
    assert world.boxes.boxes == {}


def test_a_secret_of_a_provider_is_not_plain_in_the_state(world: World) -> None:
    world.program('pulumi.export("key", Box("one", size=1, label=pulumi.Output.secret("lab3l")).key)')
    world.engine.up("dev")
    state = "".join(file.read_text() for file in (world.folder / "state").rglob("*.json"))
    assert "s3cret" not in state
    assert "lab3l" not in state
    assert world.engine.outputs("dev", show_secrets=True) == {"key": "s3cret"}


def test_a_partial_create_is_kept_and_updated_by_the_next_run(world: World) -> None:
    world.program('Box("one", size=1, colour="slow")')
    with pytest.raises(EngineError, match="still being painted"):
        world.engine.up("dev")
    assert [step.op for step in world.engine.up("dev").changed] == ["update"]
    assert len(world.boxes.boxes) == 1


def test_drift_is_seen_by_a_refresh_and_mended_by_the_next_run(world: World) -> None:
    world.program('Box("one", size=1)')
    world.engine.up("dev")
    world.boxes.boxes["1"]["size"] = 9
    world.engine.refresh("dev")
    assert [(step.op, step.diffs) for step in world.engine.up("dev").changed] == [("update", ("size",))]
    assert world.boxes.boxes["1"]["size"] == 1


def test_a_resource_that_is_gone_is_made_again_after_a_refresh(world: World) -> None:
    world.program('Box("one", size=1)')
    world.engine.up("dev")
    world.boxes.boxes.clear()
    world.engine.refresh("dev")
    assert [step.op for step in world.engine.up("dev").changed] == ["create"]


def test_a_message_of_a_resource_type_reaches_the_user(world: World) -> None:
    create = world.boxes.create

    def talking(req: Any) -> Any:
        req.say("warning", "this box is made of paper")
        return create(req)

    world.boxes.create = talking  # type: ignore[method-assign]
    server, port = serve(world.boxes.stand(), journal.Journal(world.folder, "tiny"))
    world.engine.environment["PULUMI_DEBUG_PROVIDERS"] = f"tiny:{port}"  # type: ignore[index]
    world.program('Box("one", size=1)')
    assert "this box is made of paper" in world.engine.up("dev").diagnostics
    server.stop(0)


def test_a_run_error_of_the_program_is_told_by_its_message_alone(world: World) -> None:
    world.program('raise pulumi.RunError("stack file: cluster.kind is missing")')
    with pytest.raises(EngineError) as refused:
        world.engine.preview("dev")
    assert "stack file: cluster.kind is missing" in str(refused.value)
    assert "Traceback" not in str(refused.value)


def test_a_defect_of_the_program_is_told_with_its_line(world: World) -> None:
    world.program("x = {}\nx['missing']\n")
    with pytest.raises(EngineError, match="KeyError: 'missing'") as failed:
        world.engine.preview("dev")
    assert "__main__.py" in str(failed.value)


def test_each_run_imports_the_program_anew(world: World) -> None:
    (world.folder / "size.py").write_text("SIZE = 1\n")
    world.program('import size\nBox("one", size=size.SIZE)')
    world.engine.up("dev")
    (world.folder / "size.py").write_text("SIZE = 22\n")
    assert [step.diffs for step in world.engine.up("dev").changed] == [("size",)]


def test_an_ordered_error_fails_the_run_and_the_next_one_converges(world: World) -> None:
    world.program(
        'one = Box("one", size=1)\nBox("two", size=2, opts=pulumi.ResourceOptions(depends_on=[one]))'
    )
    faults.order(world.folder, [Fault(Kind.ERROR, call=2)])
    with pytest.raises(EngineError, match="ordered fault: Create"):
        world.engine.up("dev")
    assert [step.name for step in world.engine.up("dev").changed] == ["two"]
    assert sorted(box["size"] for box in world.boxes.boxes.values()) == [1, 2]


def test_a_killed_engine_leaves_a_lock_that_cancel_clears(world: World) -> None:
    world.program('Box("one", size=1)')
    faults.order(world.folder, [Fault(Kind.KILL_ENGINE)])
    with pytest.raises(EngineError):
        world.engine.up("dev")
    with pytest.raises(EngineError, match="lock"):
        world.engine.up("dev")
    world.engine.cancel("dev")
    result = world.engine.up("dev")
    assert [step.op for step in result.changed] == ["create"]
    assert any("pending" in said or "interrupted" in said for said in result.diagnostics)


def test_a_destroy_removes_everything(world: World) -> None:
    world.program('Box("one", size=1)\nChest("c", sizes=[3], label="x")')
    world.engine.up("dev")
    assert world.engine.destroy("dev").changes["delete"] == 4
    assert world.boxes.boxes == {}
    assert not world.engine.export("dev")["deployment"].get("resources")


def test_two_stacks_run_at_once(world: World) -> None:
    world.program("Box(pulumi.get_stack(), size=1)")
    (world.folder / "Pulumi.prod.yaml").write_text("config: {}\n")
    world.engine.init("prod")
    runs = [threading.Thread(target=world.engine.up, args=(stack,)) for stack in ("dev", "prod")]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(world.boxes.boxes) == 2
    for stack in ("dev", "prod"):
        names = [
            one["urn"].rsplit("::", 1)[-1] for one in world.engine.export(stack)["deployment"]["resources"]
        ]
        assert stack in names
