"""Five customers' stacks brought up at once on one machine: each ends as if it were alone."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bench import customers
from xgen_infra.folder import read_site
from xgen_infra.rehearsal.canary import Canaries
from xgen_infra.rehearsal.contents import Contents
from xgen_infra.rehearsal.memory import memory_world
from xgen_infra.rehearsal.tools import MEMORY_TOOLS, ensure

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
FIVE = ("eks0", "eks1", "k3s0", "k3s1", "k3s2")
NETWORK = (r"\b10\.0\.\d+\.0/(\d+)\b", r"network/\1")
"""A customer's own network: bench/customers.py gives each another."""
GIVEN = (
    (r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)", "moment"),
    (r"\bAKIA[A-Z0-9]{16}\b", "access key"),
    (r'(SECRET_KEY": ")[A-Za-z0-9+/]{40}"', r'\1secret key"'),
    (r"\bvpc-[0-9a-f]{17}\b", "vpc"),
)
"""What every run is given anew: the moments at which Helm did something, and AWS' own ids and keys."""
CHECKSUM = (r"\b[0-9a-f]{64}\b", "checksum")
"""Of a stack's own secrets: another stack has another."""
BASIC = re.compile(r'(?<=\\"auth\\": \\")[A-Za-z0-9+/=]+')
LINES = 1000
_HERE = threading.local()
"""Which stack the thread brings up."""


@dataclass
class Five:
    """What five stacks that came up at once, and two of them that came up alone, ended with."""

    at_once: dict[str, Contents] = field(default_factory=dict)
    alone: dict[str, Contents] = field(default_factory=dict)
    secrets: dict[str, tuple[str, ...]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Five:
    folder = customers.write(tmp_path_factory.mktemp("customers"), 6)
    binaries, found = ensure(MEMORY_TOOLS, print), Five()

    def brought_up(stack: str, *, only: bool = False) -> Contents:
        file, site = read_site(folder, stack)
        if site.k3s:
            site = site.model_copy(update={"delivery": "helm"})
        root, _HERE.stack = tmp_path_factory.mktemp(stack), stack
        with memory_world(site, file.path.resolve(), root, binaries, project=ROOT) as made:
            made.engine.up(made.stack)
            if not only:
                found.secrets[stack] = made.file.shared.all
            return made.contents()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Canaries, "of", _same_in_each_run)
        found.alone = {stack: brought_up(stack, only=True) for stack in ("k3s0", "eks0")}
        with ThreadPoolExecutor(len(FIVE)) as pool:
            found.at_once = dict(zip(FIVE, pool.map(brought_up, FIVE), strict=True))
    return found


def _same_in_each_run(self: Canaries, key: str, sealed: str) -> str:
    """A customer's own canary, which does not differ between its two runs: so their contents can be compared."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    return self._given.setdefault((key, sealed), f"canary-{_HERE.stack}-{digest[:24]}/+")


def written(contents: Contents) -> str:
    return json.dumps([contents.clusters, contents.aws])


def of_the_file(contents: Contents, stack: str, *more: tuple[str, str]) -> list[str]:
    """What clusters hold, line by line, as it would be for a stack called `it`: Secrets opened, what is given left out."""
    opened = [
        {**one, "data": {key: base64.b64decode(value).decode() for key, value in one["data"].items()}}
        if one["kind"] == "Secret"
        else one
        for cluster in contents.clusters.values()
        for one in cluster["objects"]
    ]
    releases = [cluster["releases"] for cluster in contents.clusters.values()]
    text = json.dumps([opened, releases], indent=1, sort_keys=True)
    text = BASIC.sub(lambda found: base64.b64decode(found[0]).decode(), text)
    for pattern, word in (*GIVEN, *more, NETWORK, (rf"(\b|(?<=x2d)){stack}\b", "it")):
        text = re.sub(pattern, word, text)
    return text.splitlines()


def without_ids(contents: Contents) -> list[str]:
    """Names without the ids in them, which EKS makes from the cluster's name, and without the customer's network."""
    return [re.sub(*NETWORK, re.sub(r"-[0-9a-f]{9,17}\b", "-id", name)) for name in contents.names]


def forms(secrets: Iterable[str]) -> Iterable[str]:
    for one in secrets:
        yield from (json.dumps(one)[1:-1], base64.b64encode(one.encode()).decode())


@pytest.mark.parametrize("stack", FIVE)
def test_each_has_what_its_file_says_and_nothing_of_anothers(five: Five, stack: str) -> None:
    text = written(five.at_once[stack])
    assert re.search(rf"\b{stack}\b", text)
    assert any(one in text for one in forms(five.secrets[stack]))
    for other in set(FIVE) - {stack}:
        assert not re.search(rf"\b{other}\b", text), other
        assert not [one for one in forms(five.secrets[other]) if one in text], other


@pytest.mark.parametrize("stack", FIVE)
def test_each_ends_with_the_names_that_it_has_alone(five: Five, stack: str) -> None:
    alone = f"{stack[:3]}0"
    expected = sorted(re.sub(rf"\b{alone}\b", stack, name) for name in without_ids(five.alone[alone]))
    assert expected
    assert sorted(without_ids(five.at_once[stack])) == expected


def test_names_bear_no_id_that_aws_gives_out(five: Five) -> None:
    assert five.at_once["eks0"].names == five.alone["eks0"].names


@pytest.mark.parametrize("stack", FIVE)
def test_what_a_cluster_holds_is_to_the_letter_what_one_holds_alone(five: Five, stack: str) -> None:
    alone = f"{stack[:3]}0"
    more = () if stack == alone else (CHECKSUM,)
    expected = of_the_file(five.alone[alone], alone, *more)
    assert len(expected) > LINES
    assert of_the_file(five.at_once[stack], stack, *more) == expected
