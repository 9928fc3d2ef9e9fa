"""The store: what it keeps survives, changes together, and may drift."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xgen_infra.rehearsal import ports
from xgen_infra.rehearsal.moto_server import MotoServer, MotoServerError, Tls, start
from xgen_infra.rehearsal.standins.aws.store import Store

from .aws_bench import ACCOUNT, REGION, Bench


def test_an_item_is_kept_for_the_next_process_and_gone_when_dropped(tmp_path: Path) -> None:
    Store(tmp_path / "s.json").put("addons", "c:vpc-cni", {"version": "1"})
    again = Store(tmp_path / "s.json")
    assert again.get("addons", "c:vpc-cni") == {"version": "1"}
    assert again.all("addons") == {"c:vpc-cni": {"version": "1"}}
    assert again.drop("addons", "c:vpc-cni")
    assert not again.drop("addons", "c:vpc-cni")
    assert Store(tmp_path / "s.json").get("addons", "c:vpc-cni") is None


def test_no_change_is_lost_among_many_at_once(tmp_path: Path) -> None:
    def put(number: int) -> None:
        Store(tmp_path / "s.json").put("addons", str(number), {"n": number})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(40)))
    assert len(Store(tmp_path / "s.json").all("addons")) == 40


def test_a_failed_change_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.json")
    store.put("addons", "a", {"n": 1})
    with pytest.raises(TypeError):
        store.put("addons", "b", {"n": object()})
    assert json.loads((tmp_path / "s.json").read_text()) == {"addons": {"a": {"n": 1}}}


def test_an_add_on_taken_away_elsewhere_is_gone_at_the_next_refresh(bench: Bench) -> None:
    addon = bench.make("aws:eks/addon:Addon", clusterName=bench.cluster().id, addonName="vpc-cni")
    assert addon.kind.backed_by == "store"
    Store(bench.world.root / "aws-store" / f"{ACCOUNT}-{REGION}.json").drop("addons", addon.id)
    assert addon.read() is None
    addon.delete()


def test_a_cluster_taken_away_elsewhere_takes_its_add_ons_along(bench: Bench) -> None:
    cluster = bench.cluster()
    addon = bench.make("aws:eks/addon:Addon", clusterName=cluster.id, addonName="vpc-cni")
    bench.boto("eks").delete_cluster(name=cluster.id)
    assert (cluster.read(), addon.read()) == (None, None)


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    (port,) = ports.free_ports(1)
    missing = Tls(port + 1, tmp_path / "no.crt", tmp_path / "no.key")
    with pytest.raises(MotoServerError, match=r"did not come up(.|\n)*No such file"):
        start(MotoServer(port, tmp_path, missing))
    ports.release([port])


def test_a_cluster_s_endpoint_is_the_local_control_plane_s(bench: Bench, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        json.dumps(
            {
                "clusters": [
                    {"cluster": {"server": "https://127.0.0.1:6443", "certificate-authority-data": "Q0E="}}
                ]
            }
        )
    )
    local = Bench(type(bench.world)(bench.world.root, bench.world.moto_url, kubeconfig, ACCOUNT))
    cluster = local.cluster()
    assert cluster["endpoint"] == "https://127.0.0.1:6443"
    assert cluster["certificateAuthority"] == {"data": "Q0E="}
