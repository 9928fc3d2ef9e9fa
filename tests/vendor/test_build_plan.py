"""What the vendor builds, for whom and where to, comes from the customers' files and from nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from .folder import ROOT, SERVICES, eks, k3s, nexus, write, write_stack, xgen, xgen_json

AWW = nexus("nexus.aww.example:5000", plainHttp=True, credentialId="aww-nexus-credentials")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(
        tmp_path, {"main": k3s("main"), "lotteimall": k3s("lotteimall"), "aww": eks(1, registry=AWW)}
    )


def target(folder: Path, site: str, *words: str) -> Any:
    (only,) = xgen_json(folder, "build-plan", "--site", site, *words)["targets"]
    return only


def references(plan: Any) -> list[str]:
    return [image["reference"] for image in plan["images"]]


def test_a_site_without_a_registry_is_built_for_the_vendors_own(folder: Path) -> None:
    plan = target(folder, "main")
    assert references(plan) == [f"docker.x2bee.com/xgen/main/{name}:latest-amd64" for name in SERVICES]
    assert plan["registry"]["credentialId"] == "nexus-credentials"
    assert plan["registry"]["plainHttp"] is False


def test_a_site_with_a_registry_is_built_for_that_one(folder: Path) -> None:
    plan = target(folder, "aww")
    assert references(plan) == [f"nexus.aww.example:5000/xgen/aww/{name}:latest-amd64" for name in SERVICES]
    assert plan["registry"]["credentialId"] == "aww-nexus-credentials"
    assert plan["registry"]["plainHttp"] is True
    assert plan["branch"] == "aww"


def test_the_samples_of_this_repository_give_the_registries_they_name() -> None:
    plans = {one["site"]: one for one in xgen_json(ROOT, "build-plan")["targets"]}
    hosts = {
        site: plan["registry"]["host"]
        for site, plan in plans.items()
        if site in {"aww", "main", "lotteimall"}
    }
    assert hosts == {
        "aww": "nexus.aww.example:5000",
        "main": "docker.x2bee.com",
        "lotteimall": "docker.x2bee.com",
    }


def test_one_service_of_one_site_for_another_architecture(folder: Path) -> None:
    (image,) = target(folder, "aww", "--service", "xgen-core", "--arch", "arm64")["images"]
    assert image["reference"] == "nexus.aww.example:5000/xgen/aww/xgen-core:latest-arm64"
    assert image["platform"] == "linux/arm64"


def test_two_stacks_that_share_a_site_give_one_target(folder: Path) -> None:
    write_stack(folder, "aww-stg", eks(2, site="aww", registry=AWW, canary=True))
    plan = target(folder, "aww")
    assert [stack["stack"] for stack in plan["stacks"]] == ["aww", "aww-stg"]
    assert len(plan["images"]) == len(SERVICES)
    sites = [one["site"] for one in xgen_json(folder, "sites")["sites"]]
    assert sites == ["aww", "lotteimall", "main"]


def test_where_one_of_a_sites_stacks_is_a_canary_a_build_pins_that_one(folder: Path) -> None:
    assert target(folder, "aww")["promote"] == ["aww"]
    write_stack(folder, "aww-dev", eks(2, site="aww", registry=AWW))
    assert target(folder, "aww")["promote"] == ["aww", "aww-dev"]
    write_stack(folder, "aww-stg", eks(3, site="aww", registry=AWW, canary=True))
    assert target(folder, "aww")["promote"] == ["aww-stg"]


@pytest.mark.parametrize(
    ("other", "path"),
    [
        (
            {"registry": nexus("elsewhere.example", plainHttp=True, credentialId="aww-nexus-credentials")},
            "host",
        ),
        ({"registry": {**AWW, "plainHttp": False}}, "plainHttp"),
        ({"registry": {**AWW, "credentialId": "other"}}, "credentialId"),
        ({"registry": AWW, "branch": "release"}, "branch"),
        ({"registry": AWW, "images": {"tag": "v1"}}, "images.tag"),
        ({"registry": AWW, "project": "other"}, "project"),
        ({"registry": {"kind": "ecr"}}, "registry.kind"),
    ],
)
def test_two_stacks_that_disagree_about_their_site_are_refused(folder: Path, other: Any, path: str) -> None:
    write_stack(folder, "aww-stg", eks(2, site="aww", **other))
    refusal = xgen(folder, "build-plan", "--site", "aww", status=1).stderr
    assert refusal.startswith("Pulumi.aww-stg.yaml:")
    assert path in refusal
    assert "Pulumi.aww.yaml, of the same site 'aww'" in refusal
    assert target(folder, "main")["site"] == "main"


def test_a_broken_file_stops_its_own_builds_alone(folder: Path) -> None:
    (folder / "Pulumi.broken.yaml").write_text("config:\n  xgen-infra:site: {clutser: 1}\n")
    assert target(folder, "aww")["site"] == "aww"
    assert "Pulumi.broken.yaml" in xgen(folder, "build-plan", "--site", "broken", status=1).stderr
    assert "Pulumi.broken.yaml" in xgen(folder, "build-plan", status=1).stderr
    assert xgen_json(folder, "build-plan", "--branch", "aww")["targets"][0]["site"] == "aww"
    assert "Pulumi.broken.yaml" in xgen(folder, "build-plan", "--branch", "broken", status=1).stderr
    listed = xgen_json(folder, "sites")
    assert [one["site"] for one in listed["sites"]] == ["aww", "lotteimall", "main"]
    assert "Pulumi.broken.yaml" in listed["refused"]["broken"][0]


def test_an_unknown_site_is_refused_with_the_nearest_name(folder: Path) -> None:
    assert "did you mean 'aww'?" in xgen(folder, "build-plan", "--site", "awww", status=2).stderr


def test_ecr_says_what_a_login_needs(folder: Path) -> None:
    role = "arn:aws:iam::999999999999:role/xgen-push"
    write_stack(folder, "cloud", eks(7, registry={"kind": "ecr", "pushPrincipal": role}))
    registry = target(folder, "cloud")["registry"]
    assert registry["host"] == "000000000007.dkr.ecr.ap-northeast-2.amazonaws.com"
    assert registry["ecr"] == {"account": "000000000007", "region": "ap-northeast-2", "pushPrincipal": role}
    assert registry["variables"]["username"] == "AWS_ACCESS_KEY_ID"
    assert role in registry["login"][0]
    assert "--region ap-northeast-2" in registry["login"][1]


def test_a_registry_inside_the_cluster_needs_no_credential(folder: Path) -> None:
    write_stack(folder, "lab", k3s("lab", registry={"kind": "local"}))
    plan = target(folder, "lab", "--service", "xgen-core")
    assert references(plan) == ["localhost:30500/xgen/lab/xgen-core:latest-amd64"]
    registry = plan["registry"]
    assert (registry["plainHttp"], registry["credentialId"], registry["variables"]) == (True, "", None)


def test_a_branch_selects_every_site_that_is_built_from_it(folder: Path) -> None:
    write_stack(folder, "shop", k3s("shop", branch="main"))
    plans = xgen_json(folder, "build-plan", "--branch", "main")["targets"]
    assert [one["site"] for one in plans] == ["main", "shop"]
    assert xgen_json(folder, "build-plan", "--branch", "feature/x")["targets"] == []


def test_the_older_project_yaml_says_the_same_as_the_plan(folder: Path) -> None:
    write_stack(folder, "lab", k3s("lab", registry={"kind": "local"}))
    old = yaml.safe_load(xgen(folder, "build-plan", "--format", "project-yaml").stdout)
    assert old == {
        "registry": {
            "nexus": {"host": "docker.x2bee.com", "credentialId": "nexus-credentials"},
            "local": {"host": "localhost:30500"},
        },
        "sites": ["aww", "lab", "lotteimall", "main"],
        "siteRegistries": {
            "aww": {"host": "nexus.aww.example:5000", "credentialId": "aww-nexus-credentials"},
            "lab": {"host": "localhost:30500", "credentialId": ""},
        },
    }
    for plan in xgen_json(folder, "build-plan")["targets"]:
        registry = old["siteRegistries"].get(plan["site"]) or old["registry"]["nexus"]
        assert registry["host"] == plan["registry"]["host"]
        assert registry["credentialId"] == plan["registry"]["credentialId"]


def test_a_tag_pinned_for_one_service_is_not_what_the_build_overwrites(folder: Path) -> None:
    write_stack(folder, "shop", k3s("shop", services={"xgen-core": {"image": {"tag": "v1.2.3"}}}))
    (image,) = target(folder, "shop", "--service", "xgen-core")["images"]
    assert image["tag"] == "latest-amd64"


def test_the_vendors_credential_at_another_host_is_remarked_upon(folder: Path) -> None:
    write_stack(folder, "shop", k3s("shop", registry=nexus("nexus.shop.example")))
    outcome = xgen(folder, "build-plan", "--site", "shop", "--json")
    assert "nexus-credentials" in outcome.stderr
    assert "nexus.shop.example" in outcome.stderr
    assert json.loads(outcome.stdout)["targets"][0]["site"] == "shop"


def test_a_new_customer_is_one_file_and_shows_no_other_sites_words(folder: Path) -> None:
    before = xgen_json(folder, "build-plan")["targets"]
    words = {"host": "registry.canary-7f3.example:5443", "credentialId": "canary-7f3-push"}
    site = k3s("canary-7f3", branch="canary-7f3-branch", registry={"kind": "nexus", **words})
    write_stack(folder, "canary-7f3", site)
    after = xgen_json(folder, "build-plan")["targets"]
    assert [one for one in after if one["site"] != "canary-7f3"] == before
    own = json.dumps(target(folder, "canary-7f3"))
    assert words["host"] in own
    assert words["credentialId"] in own
    assert "canary-7f3-branch" in own
    for other in ("aww", "lotteimall", "docker.x2bee.com", '"main"'):
        assert other not in own
