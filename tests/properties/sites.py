"""Any valid customer's file: a good one, with fields set to whatever the models and the rules take."""

from __future__ import annotations

import re
from functools import cache
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from xgen_infra.explain.changes import expectation
from xgen_infra.explain.fields import leaf_paths
from xgen_infra.explain.inputs import STACK, Inputs
from xgen_infra.findings import KeyPath
from xgen_infra.folder import vendor_in
from xgen_infra.outline import Expectation
from xgen_infra.outline import at as expected_at
from xgen_infra.site import Site
from xgen_infra.site.base import Cidr, Endpoint, GitUrl, Matching, Quantity
from xgen_infra.stackfile import StackFile

SAMPLES = Path(__file__).parents[1] / "stackfiles"
ROOT = Path(__file__).parents[2]
VENDOR = vendor_in(SAMPLES)
_LETTERS = st.characters(max_codepoint=0x2FFF, exclude_categories=["Cs", "Cn", "Co"])
_HOST = st.from_regex(r"[a-z][a-z0-9-]{0,9}[a-z0-9](\.[a-z]{2,8}){1,3}", fullmatch=True)


@cache
def bases() -> tuple[Inputs, ...]:
    paths = [*sorted(SAMPLES.glob("Pulumi.*.yaml")), *sorted(ROOT.glob("Pulumi.*.yaml"))]
    files = [StackFile.read(path) for path in paths]
    return (*(Inputs(file.site, file.stack, VENDOR) for file in files), _in_an_existing_network())


def _in_an_existing_network() -> Inputs:
    """A cluster that is made in a VPC that is there, half way through a rotation: what no sample file has."""
    file = StackFile.read(SAMPLES / "Pulumi.cloud.yaml")
    vpc = {
        "id": "vpc-0123456789abcdef0",
        "privateSubnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "publicSubnetIds": ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"],
        "privateRouteTableIds": ["rtb-0123456789abcdef0"],
    }
    keys = {"previousAccessKeys": [], "retiredAccessKeys": [2]}
    made = {
        name: value
        for name, value in file.site["cluster"].items()
        if name not in {"zones", "nat", "flowLogs"}
    }
    return Inputs({**file.site, "cluster": {**made, **keys, "vpc": vpc}}, "existing", VENDOR)


def _networks() -> st.SearchStrategy[str]:
    parts = st.tuples(st.integers(0, 2**32 - 1), st.integers(12, 28))
    return parts.map(lambda part: str(IPv4Network(part, strict=False)))


_AMOUNTS = st.builds(
    "{}{}".format, st.integers(1, 999), st.sampled_from(["", "m", "k", "M", "G", "Ki", "Mi", "Gi"])
)
_GIT = st.builds(
    "{}{}/{}.git".format, st.sampled_from(["http://", "https://", "ssh://git@"]), _HOST, st.just("a/b")
)
_SPECIAL: dict[Any, st.SearchStrategy[Any]] = {
    get_args(Cidr)[0]: _networks(),
    get_args(Quantity)[1]: _AMOUNTS,
    get_args(Endpoint)[1]: st.builds("{}{}".format, st.sampled_from(["http://", "https://"]), _HOST),
    get_args(GitUrl)[1]: _GIT,
}
"""Values of types that no pattern describes, by what marks the type."""


def values(expected: Expectation) -> st.SearchStrategy[Any]:
    """Values of one type; most of them are right."""
    special = next(
        (made for mark, made in _SPECIAL.items() if mark is expected.kind or mark in expected.metadata), None
    )
    matching = expected.first(Matching)
    pattern = next(
        (one.pattern for one in expected.metadata if isinstance(getattr(one, "pattern", None), str)), None
    )
    if special is not None:
        return special
    if matching:
        return st.from_regex(re.compile(matching.pattern), fullmatch=True, alphabet=_LETTERS).filter(
            matching.fits
        )
    return st.from_regex(pattern, fullmatch=True) if pattern else _plain(expected)


def _plain(expected: Expectation) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one line a kind of field
    origin = get_origin(expected.kind)
    if expected.model:
        return _part(expected.model.model_fields)
    if expected.kind is bool:
        return st.booleans()
    if expected.kind is int:
        low, high = expected.first(Ge), expected.first(Le)
        return st.integers(low.ge if low else 0, high.le if high else 1000)
    if origin is tuple:
        least, most = expected.first(MinLen), expected.first(MaxLen)
        inner = values(expectation(get_args(expected.kind)[0]))
        return st.lists(
            inner, min_size=least.min_length if least else 0, max_size=most.max_length if most else 3
        )
    if origin is dict:
        key, value = (values(expectation(part)) for part in get_args(expected.kind))
        return st.dictionaries(key, value, max_size=3)
    if expected.kind is str:
        return st.text(_LETTERS, max_size=30)
    return st.sampled_from(get_args(expected.kind))


def _part(fields: dict[str, FieldInfo]) -> st.SearchStrategy[dict[str, Any]]:
    made = {
        info.alias or name: values(expectation(_annotated(info)))
        for name, info in fields.items()
        if info.is_required()
    }
    return st.fixed_dictionaries(made)


def _annotated(info: FieldInfo) -> Any:
    return Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation


@cache
def _fields(number: int) -> list[KeyPath]:
    base = bases()[number]
    usual = [path for path in leaf_paths(base) if path != STACK and path[-1] != "kind"]
    return [*usual, ("vars",), *(("services", name, "vars") for name in ("xgen-core", "xgen-documents"))]


@st.composite
def inputs(draw: st.DrawFn, changes: int = 6) -> Inputs:
    """Return a valid file: each change that the models and the rules do not take is left out."""
    number = draw(st.integers(0, len(bases()) - 1))
    made = bases()[number]
    for path in draw(st.lists(st.sampled_from(_fields(number)), max_size=changes, unique=True)):
        expected = expected_at(Site, made.data, path)
        if not expected:
            continue
        value = draw(values(draw(st.sampled_from(expected))))
        varied = made.varied(path, value)
        made = varied if varied.passes else made
    return made


def site_of(made: Inputs) -> Site:
    assert made.site
    return made.site
