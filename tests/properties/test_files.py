"""Whatever a valid file says: it is read as it was written, and no two customers share a physical name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from aws.physical import parts
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from xgen_infra import catalog, naming
from xgen_infra.authoring.text import stack_text
from xgen_infra.delivery import services
from xgen_infra.explain.inputs import Inputs
from xgen_infra.rules.across import across
from xgen_infra.site import Site, with_defaults
from xgen_infra.stackfile import StackFile
from xgen_infra.yamlfile import Document

from .sites import VENDOR, bases, inputs, site_of

READ, RENDERED, PAIRS = 80, 100, 150
"""How many are generated; docs/reliability.md says so."""
SETTINGS: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
}


def dumped(site: Site, *, defaults: bool) -> str:
    plain = site.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=not defaults)
    return stack_text(plain, {}, {})


@settings(max_examples=READ, **SETTINGS)
@given(inputs(), st.booleans(), st.booleans())
def test_a_site_that_is_written_and_read_is_the_same(made: Inputs, defaults: bool, quick: bool) -> None:
    site = site_of(made)
    reader = Document.read_quickly if quick else Document.read
    file = StackFile(
        Path("Pulumi.x.yaml"), site.stack, reader(dumped(site, defaults=defaults), "Pulumi.x.yaml")
    )
    data = with_defaults(file.site, site.stack, VENDOR)
    assert Site.model_validate(data, by_alias=True, by_name=False) == site


@settings(max_examples=RENDERED, **SETTINGS)
@given(inputs(8))
def test_the_chart_takes_the_values_that_are_made_of_a_valid_file(made: Inputs) -> None:
    for name in catalog.NAMES:
        services.whole(site_of(made), name, {})


STEMS = st.from_regex(r"[a-z][a-z0-9]{0,3}(-[a-z0-9]{1,3}){0,3}", fullmatch=True)


def names(site: Site) -> Iterator[tuple[Any, ...]]:
    """Every physical name of a site that exists once in its space: the world, an account, a store, a cluster."""
    eks = site.eks
    if eks:
        yield "s3", naming.bucket(site)
        yield "s3", naming.state_bucket(site, eks.account)
        for kind, part, limit in parts():
            region = "" if kind.startswith("aws:iam/") else eks.region
            yield kind, eks.account, region, naming.aws(site, part, limit)
    elif site.infra.minio.endpoint:
        yield "store", site.infra.minio.endpoint, naming.bucket(site)
        yield "store", site.infra.minio.endpoint, naming.backup_bucket(site)


def named(made: Inputs, stack: str, project: str) -> Inputs:
    return replace(made, stack=stack, raw={**made.raw, "project": project})


@settings(max_examples=PAIRS, **SETTINGS)
@given(inputs(3), inputs(3), STEMS, STEMS, STEMS, STEMS)
@example(bases()[0], bases()[0], "a-b", "b", "xgen", "xgen-a")
@example(bases()[0], bases()[0], "a", "a-state", "xgen", "xgen")
@example(bases()[1], bases()[1].varied(("cluster", "context"), "other"), "a", "b", "xgen", "xgen")
def test_no_physical_name_of_two_valid_sites_collides(
    one: Inputs, two: Inputs, stack: str, other: str, project: str, another: str
) -> None:
    assume(stack != other)
    pair = [named(one, stack, project), named(two, other, another)]
    assume(all(made.passes for made in pair))
    files = [
        (
            StackFile(Path(f"Pulumi.{made.stack}.yaml"), made.stack, Document.read("{}", made.stack)),
            site_of(made),
        )
        for made in pair
    ]
    assume(not across(files))
    first, second = (set(names(site)) for _, site in files)
    assert first & second == set()
