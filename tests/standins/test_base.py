from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from xgen_infra.engine.special import SECRET, SIGNATURE
from xgen_infra.rehearsal.standins import faults, journal
from xgen_infra.rehearsal.standins.contract import UNKNOWN, Failure
from xgen_infra.rehearsal.standins.faults import Fault, Kind
from xgen_infra.rehearsal.standins.server import serve

from .provider_client import BOX, URN, Boxes, Client, bag, initialization_failure, plain

ROOT = Path(__file__).parents[2]
KINDS = provider_pb2.PropertyDiff


@pytest.fixture
def boxes():
    return Boxes()


@pytest.fixture
def port(boxes, tmp_path):
    server, port = serve(boxes.stand(), journal.Journal(tmp_path, "tiny"))
    yield port
    server.stop(0)


@pytest.fixture
def client(port):
    return Client(port)


def kinds(answer):
    return {path: KINDS.Kind.Name(one.kind) for path, one in answer.detailedDiff.items()}


def test_a_resource_is_made_read_changed_and_deleted(client, boxes):
    made = client.create({"size": 1})
    assert made.id == "1"
    assert plain(made.properties)["size"] == 1
    assert plain(client.read("1", {"size": 1}, {}).properties)["size"] == 1
    client.update("1", {"size": 1}, {"size": 2})
    assert boxes.boxes["1"]["size"] == 2
    client.delete("1")
    assert boxes.boxes == {}
    assert client.read("1", {"size": 2}, {}).id == ""


def test_outputs_that_the_provider_calls_secret_are_marked(client):
    assert plain(client.create({"size": 1}).properties)["key"] == {SIGNATURE: SECRET, "value": "s3cret"}


def test_secret_inputs_reach_a_resource_type_as_plain_values(client, boxes):
    client.create({"size": 1, "label": {SIGNATURE: SECRET, "value": "mine"}})
    assert boxes.seen[0].inputs["label"] == "mine"


def test_whole_numbers_arrive_as_int(client, boxes):
    client.create({"size": 3.0, "weight": 0.5})
    assert isinstance(boxes.seen[0].inputs["size"], int)
    assert boxes.seen[0].inputs["weight"] == 0.5


def test_two_provider_instances_keep_their_own_configuration(port, boxes):
    first, second = Client(port, {"owner": "first"}), Client(port, {"owner": "second"})
    first.create({"size": 1})
    second.create({"size": 1})
    first.create({"size": 1})
    assert [box["owner"] for box in boxes.boxes.values()] == ["first", "second", "first"]


def test_check_refuses_a_wrong_input_and_completes_a_right_one(client):
    refused = client.check({"size": "big"})
    assert [(one.property, one.reason) for one in refused.failures] == [
        ("size", "expected a number, found 'big'")
    ]
    fine = client.check({"size": 1})
    assert not fine.failures
    assert plain(fine.inputs) == {"size": 1, "made": "here"}


def test_check_does_not_refuse_what_is_not_known_yet(client):
    assert not client.check({"size": UNKNOWN}).failures


def test_check_does_not_refuse_below_or_above_what_is_not_known_yet(boxes, tmp_path):
    boxes.check = lambda _req: [Failure("place.shelf", "needed"), Failure("list[0].a", "needed")]
    server, port = serve(boxes.stand(), journal.Journal(tmp_path, "tiny"))
    client = Client(port)
    assert not client.check({"place": UNKNOWN, "list": [{"a": {"b": UNKNOWN}}]}).failures
    assert len(client.check({"place": {}, "list": [{"a": 1}]}).failures) == 2
    server.stop(0)


def test_nothing_changed_is_no_difference(client):
    answer = client.diff({"size": 1, "tags": {}}, {"size": 1})
    assert answer.changes == provider_pb2.DiffResponse.DIFF_NONE
    assert not answer.detailedDiff


def test_a_difference_names_each_path_and_how_it_changed(client):
    answer = client.diff(
        {"size": 1, "tags": {"a.b/c": "x"}, "list": [1, 2]}, {"size": 2, "colour": "red", "list": [1]}
    )
    assert kinds(answer) == {"size": "UPDATE", "colour": "ADD", "tags": "DELETE", "list[1]": "DELETE"}
    assert answer.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert not answer.replaces


def test_a_key_that_is_no_name_is_quoted_in_its_path(client):
    answer = client.diff({"tags": {"a.b/c": "x"}}, {"tags": {"a.b/c": "y"}})
    assert kinds(answer) == {'tags["a.b/c"]': "UPDATE"}


@pytest.mark.parametrize(
    ("old", "new", "replaces"),
    [
        ({"place": {"shelf": 1}}, {"place": {"shelf": 2}}, ["place.shelf"]),
        ({"place": {"shelf": {"row": 1}}}, {"place": {"shelf": {"row": 2}}}, ["place.shelf.row"]),
        ({"place": {"shelf": 1}}, {}, ["place"]),
        ({"place": {"room": 1}}, {}, []),
        ({"place": {"shelf": 1, "room": 1}}, {"place": {"shelf": 1, "room": 2}}, []),
        ({"place": {"shelf": 1}}, {"place": {"shelf": UNKNOWN}}, ["place.shelf"]),
    ],
)
def test_only_a_change_of_what_is_immutable_replaces(client, old, new, replaces):
    answer = client.diff(old, new)
    assert list(answer.replaces) == replaces
    assert all(kind.endswith("_REPLACE") for path, kind in kinds(answer).items() if path in replaces)


def test_a_value_that_is_not_known_yet_is_a_possible_update(client):
    assert kinds(client.diff({"size": 1}, {"size": UNKNOWN})) == {"size": "UPDATE"}


def test_ignored_properties_make_no_difference(client):
    answer = client.diff({"size": 1, "a": {"b": 1}}, {"size": 2, "a": {"b": 2}}, ignore=("size", "a"))
    assert answer.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_a_preview_makes_nothing_and_shows_the_inputs(client, boxes):
    shown = client.create({"size": UNKNOWN}, preview=True)
    assert plain(shown.properties) == {"size": UNKNOWN}
    assert shown.id == ""
    assert boxes.boxes == {}


def test_an_error_of_a_resource_type_is_one_clear_text(client):
    with pytest.raises(grpc.RpcError) as refused:
        client.create({"size": 1, "colour": "forbidden"})
    assert refused.value.details() == "tiny: Create box: boxes are never forbidden"


def test_a_partial_create_keeps_the_resource(client):
    with pytest.raises(grpc.RpcError) as partial:
        client.create({"size": 1, "colour": "slow"})
    detail = initialization_failure(partial.value)
    assert detail.id == "1"
    assert list(detail.reasons) == ["it is still being painted"]
    assert plain(detail.properties)["size"] == 1
    assert plain(detail.properties)["key"][SIGNATURE] == SECRET


def test_a_type_that_is_not_there_is_refused_by_name(client):
    with pytest.raises(grpc.RpcError) as refused:
        client.create({}, urn="urn:pulumi:s::p::tiny:index:Bag::bag")
    assert "the rehearsal's tiny provider has no resource type tiny:index:Bag" in refused.value.details()


def test_a_function_answers_and_an_unknown_one_is_refused_by_name(client):
    assert client.invoke("tiny:index:sum", {"of": [1, 2]}) == {"sum": 3}
    with pytest.raises(grpc.RpcError) as refused:
        client.invoke("tiny:index:product", {})
    assert "has no function tiny:index:product" in refused.value.details()


def test_refreshed_inputs_are_what_was_asked_for_as_it_stands(client, boxes):
    client.create({"size": 1, "list": [{"a": 1}]})
    boxes.boxes["1"] |= {"size": 5, "extra": True, "list": [{"a": 2, "added": 1}]}
    read = client.read("1", {"size": 1, "list": [{"a": 1}]}, {})
    assert plain(read.inputs) == {"size": 5, "list": [{"a": 2}]}


def test_an_import_takes_all_outputs_for_inputs(client, boxes):
    client.create({"size": 1})
    assert set(plain(client.read("1", {}, {}).inputs)) == {"size", "key", "owner"}


def test_cancelling_a_run_is_told_to_what_waits(client, boxes):
    client.create({"size": 1})
    assert not boxes.seen[0].cancelled.is_set()
    client.stub.Cancel(empty_pb2.Empty())
    assert boxes.seen[0].cancelled.is_set()


def test_the_journal_holds_every_call(client, tmp_path):
    client.check({"size": 1})
    client.create({"size": 1})
    with pytest.raises(grpc.RpcError):
        client.create({"size": 1, "colour": "forbidden"})
    client.invoke("tiny:index:sum", {"of": []})
    entries = [one for one in journal.read(tmp_path) if one["method"] != "Configure"]
    assert [(one["method"], one["urn"]) for one in entries] == [
        ("Check", URN),
        ("Create", URN),
        ("Create", URN),
        ("Invoke", "tiny:index:sum"),
    ]
    assert [one["outcome"] for one in entries] == ["ok", "ok", "ValueError: boxes are never forbidden", "ok"]
    assert all(one["provider"] == "tiny" and one["seconds"] >= 0 for one in entries)
    assert len({one["n"] for one in entries}) == 4


def test_an_ordered_error_strikes_the_nth_call_once_before_anything_is_done(client, boxes, tmp_path):
    faults.order(tmp_path, [Fault(Kind.ERROR, call=2)])
    client.check({"size": 1})
    client.create({"size": 1})
    with pytest.raises(grpc.RpcError, match="ordered fault: Create"):
        client.create({"size": 2})
    assert len(boxes.boxes) == 1
    client.create({"size": 3})
    assert faults.ordered(tmp_path) == []


def test_an_ordered_timeout_strikes_after_the_work_is_done(client, boxes, tmp_path):
    faults.order(tmp_path, [Fault(Kind.TIMEOUT, methods=("Delete",))])
    client.create({"size": 1})
    with pytest.raises(grpc.RpcError, match="was lost"):
        client.delete("1")
    assert boxes.boxes == {}


def test_an_ordered_partial_failure_keeps_the_resource(client, boxes, tmp_path):
    faults.order(tmp_path, [Fault(Kind.PARTIAL, type=BOX)])
    with pytest.raises(grpc.RpcError) as partial:
        client.create({"size": 1})
    assert initialization_failure(partial.value).id == "1"
    faults.order(tmp_path, [Fault(Kind.PARTIAL, name="b*")])
    with pytest.raises(grpc.RpcError) as partial:
        client.update("1", {"size": 1}, {"size": 7})
    assert plain(initialization_failure(partial.value).properties)["size"] == 7
    assert boxes.boxes["1"]["size"] == 7


def test_a_fault_of_another_provider_or_resource_does_not_strike(client, tmp_path):
    faults.order(tmp_path, [Fault(Kind.ERROR, provider="aws"), Fault(Kind.ERROR, name="other")])
    client.create({"size": 1})
    assert len(faults.ordered(tmp_path)) == 2


def test_an_ordered_kill_ends_the_providers_process_after_the_work(tmp_path):
    faults.order(tmp_path, [Fault(Kind.KILL_PROVIDER, call=2)])
    script = (
        "import sys; from pathlib import Path; from xgen_infra.rehearsal.standins.journal import Journal\n"
        "folder = Path(sys.argv[1]); calls = Journal(folder, 'tiny')\n"
        "for name in ('one', 'two', 'three'):\n"
        "    with calls.call('Create', f'urn:pulumi:s::p::t::{name}'): (folder / name).touch()\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert (tmp_path / "two").exists()
    assert not (tmp_path / "three").exists()
    assert not journal.under_way(tmp_path)


def test_two_faults_strike_two_calls(client, tmp_path):
    faults.order(tmp_path, [Fault(Kind.ERROR), Fault(Kind.ERROR)])
    for _ in range(2):
        with pytest.raises(grpc.RpcError):
            client.create({"size": 1})
    client.create({"size": 1})


def test_calls_that_are_made_while_a_failure_is_held_back_fail_beside_it(client, tmp_path, monkeypatch):
    held, both = [], threading.Barrier(2, timeout=30)

    def hold(seconds):
        held.append(seconds)
        both.wait()

    monkeypatch.setattr(journal, "time", SimpleNamespace(sleep=hold, monotonic=time.monotonic))
    faults.order(tmp_path, [Fault(Kind.ERROR, hold=0.5), Fault(Kind.TIMEOUT, hold=0.25)])
    with ThreadPoolExecutor() as pool:
        calls = [pool.submit(client.create, {"size": size}) for size in (1, 2)]
        failed = [call.exception() for call in calls]
    assert all(isinstance(error, grpc.RpcError) for error in failed)
    assert sorted(held) == [0.25, 0.5]
    assert not both.broken, "one was held back after the other"


def test_a_call_whose_connection_is_closed_under_it_ends_and_the_provider_lives_on(boxes, tmp_path):
    reached, released = threading.Semaphore(0), threading.Event()
    kind = boxes.stand().types[BOX]

    def find(_token):
        reached.release()
        released.wait()
        return kind

    server, port = serve(boxes.stand(types={}, type_of=find), journal.Journal(tmp_path, "tiny"))
    leaving, staying = [Client(port) for _ in range(20)], Client(port)
    request = provider_pb2.CreateRequest(urn=URN, properties=bag({"colour": "forbidden"}))
    # A call that nothing refers to is cancelled.
    calls = [one.stub.Create.future(request) for one in leaving]
    for _call in calls:
        reached.acquire()
    for one in leaving:
        one.channel.close()
    # The server has seen every connection's end once it has answered what came later.
    Client(port)
    released.set()
    assert staying.create({"size": 1}).id == "1"
    server.stop(0)
