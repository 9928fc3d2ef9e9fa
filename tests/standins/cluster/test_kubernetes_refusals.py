"""What the kubernetes stand-in refuses, and what it does without a cluster."""

from __future__ import annotations

import grpc
import pytest
import yaml
from pulumi.runtime.proto import provider_pb2

from standins.provider_client import bag, plain

pytestmark = pytest.mark.e2e
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"


def config_map(data=None, **metadata):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data or {"a": "1"}}


def urn(token, name="it"):
    return f"urn:pulumi:stack::project::{token}::{name}"


def nowhere(bench):
    content = yaml.safe_load(bench.config["kubeconfig"])
    content["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    return yaml.safe_dump(content)


def test_an_unreachable_cluster_previews_and_refuses_to_act(bench):
    unreachable = {"kubeconfig": nowhere(bench), "deleteUnreachable": "false"}
    client = bench.client(**unreachable)
    inputs = config_map(name="x", namespace="n")
    assert not client.check(inputs, urn=urn(CONFIG_MAP)).failures
    assert plain(client.create(inputs, urn=urn(CONFIG_MAP), preview=True).properties)["data"] == {"a": "1"}
    for act in (
        lambda: client.create(inputs, urn=urn(CONFIG_MAP)),
        lambda: client.update("n/x", inputs, inputs, urn=urn(CONFIG_MAP)),
        lambda: client.read("n/x", inputs, inputs, urn=urn(CONFIG_MAP)),
        lambda: client.delete("n/x", urn(CONFIG_MAP), inputs),
    ):
        with pytest.raises(grpc.RpcError, match="unreachable"):
            act()


def test_an_unreachable_clusters_resources_are_dropped_or_skipped_where_the_provider_says_so(bench):
    inputs = config_map(name="x", namespace="n")
    dropping = bench.client(kubeconfig=nowhere(bench), deleteUnreachable="true")
    dropping.delete("n/x", urn(CONFIG_MAP), inputs)
    assert dropping.read("n/x", inputs, inputs, urn=urn(CONFIG_MAP)).id == ""
    skipping = bench.client(kubeconfig=nowhere(bench), skipUpdateUnreachable="true")
    changed = config_map({"a": "2"}, name="x", namespace="n")
    assert plain(skipping.check({**changed, "immutable": True}, inputs, urn=urn(CONFIG_MAP)).inputs) == inputs
    assert skipping.read("n/x", inputs, inputs, urn=urn(CONFIG_MAP)).id == "n/x"


def test_what_is_no_object_is_refused_by_name(bench):
    with pytest.raises(grpc.RpcError, match=r"has no resource type kubernetes:helm\.sh/v4:Chart"):
        bench.make("kubernetes:helm.sh/v4:Chart", {})


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"kind": "ConfigMap", "metadata": {}}, "apiVersion"),
        ({"apiVersion": "v1", "kind": "ConfigMapList", "metadata": {}}, "a list is not an object"),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "x-"}}, "generateName"),
    ],
)
def test_inputs_that_no_api_server_takes_are_refused_by_check(bench, inputs, said):
    found = bench.client().check(inputs, urn=urn(CONFIG_MAP)).failures
    assert any(said in f"{one.property} {one.reason}" for one in found)


def test_rendering_to_files_is_refused(bench):
    answer = bench.client().stub.CheckConfig(
        provider_pb2.CheckRequest(urn="urn:provider", news=bag({"renderYamlToDirectory": "/x"}))
    )
    assert [one.property for one in answer.failures] == ["renderYamlToDirectory"]
