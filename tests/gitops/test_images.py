"""`xgen images` lists what the program installs, by the names under which it is pulled."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from xgen_infra.folder import read_site
from xgen_infra.platform_images import charts, images
from xgen_infra.site import Site

from .conftest import ROOT, Customers
from .recording import Recorded, record

_IMAGE = re.compile(r"[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+:[A-Za-z0-9._-]+")
MIRROR = "nexus.lotteimall.example:5000"


def site(**argocd: Any) -> Site:
    found = read_site(ROOT, "lotteimall")[1]
    return found.model_copy(update={"argocd": found.argocd.model_copy(update=argocd)})


def used(node: Any) -> Iterator[str]:
    """Yield every image that a resource's inputs name: `image: text` or `image: {repository, tag}`."""
    if isinstance(node, dict):
        image = node.get("image")
        if isinstance(image, str) and _IMAGE.fullmatch(image):
            yield image
        elif isinstance(image, dict) and "repository" in image:
            yield f"{image['repository']}:{image['tag']}"
        for value in node.values():
            yield from used(value)
    elif isinstance(node, list):
        for value in node:
            yield from used(value)


def installed(made: Recorded) -> set[str]:
    return {name for one in made.resources for name in used(one.inputs)}


OPTIONS = {
    "plain": {},
    "everything": {"high_availability": True, "dex": True},
    "without internet": {"image_registry": MIRROR, "dex": True, "high_availability": True},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_the_list_is_what_the_program_installs(name: str) -> None:
    chosen = site(**OPTIONS[name])
    seen = installed(record(chosen))
    listed = {one.pulled for one in images(chosen)}
    # What is switched off keeps its value in the chart's values; nothing pulls it.
    off = {image for image in seen if "/dex" in image} if not chosen.argocd.dex else set()
    assert seen - off == listed


def test_without_internet_everything_comes_from_the_mirror_under_the_same_path() -> None:
    for one in images(site(image_registry=MIRROR)):
        assert one.pulled == f"{MIRROR}/{one.image.repository}:{one.image.tag}"
    repository = "https://charts.lotteimall.example"
    assert {one.repository for one in charts(site(chart_repository=repository))} == {repository}


def test_the_charts_are_those_that_the_program_installs() -> None:
    chosen = site()
    made = {
        (one.inputs["chart"], one.inputs["version"])
        for one in record(chosen).resources
        if one.type.endswith(":Release") and "version" in one.inputs
    }
    assert {(one.chart.name, one.chart.version) for one in charts(chosen)} == made


def test_delivery_by_helm_needs_nothing_of_argo_cd() -> None:
    chosen = site().model_copy(update={"delivery": "helm"})
    assert not [one for one in images(chosen) if "argo" in one.image.repository]
    assert charts(chosen) == ()


def test_an_eks_site_lists_its_controllers_with_the_minor_of_its_cluster() -> None:
    aww = read_site(ROOT, "aww")[1]
    names = {one.image.repository: one.image.tag for one in images(aww)}
    assert aww.eks
    assert names["autoscaling/cluster-autoscaler"].startswith(f"v{aww.eks.version}.")
    assert not [name for name in names if "postgres" in name]
    assert [one.chart.name for one in charts(aww)] == [
        "argo-cd",
        "cluster-autoscaler",
        "aws-load-balancer-controller",
    ]


def test_the_command_gives_both_lists_for_programs(customers: Customers) -> None:
    done = customers.xgen("images", "aww", "--json")
    said = json.loads(done.stdout)
    assert {"for", "image", "pulledAs"} == set(said["images"][0])
    assert next(one["chart"] for one in said["charts"]) == "argo-cd"
