"""What two customers' files may not both claim, and that good ones stand side by side."""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from checking import findings, folder_with, sample
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xgen_infra.folder import check_folder
from xgen_infra.rules.across import across
from xgen_infra.site import Site
from xgen_infra.stackfile import StackFile
from xgen_infra.yamlfile import Document


def cloud(name: str, number: int) -> str:
    """Return the cloud sample as a customer of its own."""
    text = sample("cloud").replace("cloud", name).replace("10.40.0.0/16", f"10.{number}.0.0/16")
    return text.replace("123456789012", f"{number:012}")


def renamed(stack: str, name: str) -> str:
    return sample(stack).replace(stack, name)


ONE, TWO = cloud("one", 41), cloud("two", 42)
SHARED = renamed("shared", "one")
ALSO_SHARED = renamed("shared", "two").replace("xgen-two?", "xgen-one?")
ON_K3S, ALSO_ON_K3S = renamed("vendors", "one"), renamed("vendors", "two")
PLAIN = "    source: {"
ON_STORE, ALSO_ON_STORE = (
    renamed("onprem", "one"),
    renamed("onprem", "two").replace("{name: documents}", "{name: of-two}"),
)
ONE_STORE = ("minio.two.example:9000", "minio.one.example:9000")

TWICE = {
    "a bucket": (ONE, TWO, "name: xgen-two-documents", "name: xgen-one-documents", "cluster.bucket.name", "the bucket xgen-one-documents"),
    "a domain": (ONE, TWO, "domain: xgen.two.example", "domain: xgen.one.example", "exposure.domain", "the host name xgen.one.example"),
    "a service's host": (ONE, TWO, "host: front.two.example", "host: front.one.example", "services.xgen-frontend.host", "front.one.example"),
    "a domain that is another's service": (ONE, TWO, "domain: xgen.two.example", "domain: front.one.example", "exposure.domain", "front.one.example"),
    "a mirror": (ONE, TWO, "gitlab.two.example/xgen/xgen-infra.git", "gitlab.one.example/xgen/xgen-infra", "source.repoURL", "the mirror"),
    "a mirror by SSH": (ONE, TWO, "https://gitlab.two.example/xgen/", "ssh://git@gitlab.one.example:2222/xgen/", "source.repoURL", "the mirror"),
    "a namespace of an EKS cluster": (SHARED, ALSO_SHARED, "existingCluster: platform", "existingCluster: platform\n      bucket: {name: of-two}", "cluster.existingCluster", "namespace xgen of the EKS cluster platform"),
    "Argo CD of an EKS cluster": (SHARED, ALSO_SHARED, "    infra:", "    namespace: other\n    infra:", "cluster.existingCluster", "Argo CD's Applications of the EKS cluster platform"),
    "ECR repositories": (SHARED, ALSO_SHARED, "    infra:", "    site: one\n    delivery: helm\n    infra:", "registry.create", "ECR repositories xgen/one/*"),
    "a namespace of K3s": (ON_K3S, ALSO_ON_K3S, "context: two", "context: one", "cluster.context", "namespace xgen of context one"),
    "Argo CD of K3s": (ON_K3S, ALSO_ON_K3S.replace(PLAIN, f"    namespace: other\n{PLAIN}"), "context: two", "context: one", "cluster.context", "Argo CD's Applications of context one"),
    "the data services of K3s": (ON_K3S, ALSO_ON_K3S.replace(PLAIN, f"    namespace: other\n    delivery: helm\n{PLAIN}"), "context: two", "context: one", "cluster.context", "the data services in xgen-system of context one"),
    "a bucket of a store": (ON_STORE, ALSO_ON_STORE.replace("of-two", "documents"), *ONE_STORE, "cluster.bucket.name", "the bucket documents of http://minio.one.example:9000"),
    "the dumps of a store": (ON_STORE.replace("documents", "d" * 55), ALSO_ON_STORE.replace("of-two", "d" * 55 + "e"), *ONE_STORE, "cluster.bucket.name", f"the bucket {'d' * 55}-backups of"),
    "the current context": (ON_K3S.replace(", context: one", ""), ALSO_ON_K3S, ", context: two", "", "cluster.context", "of the current context"),
}  # fmt: skip


@pytest.mark.parametrize(("one", "two", "old", "new", "path", "says"), TWICE.values(), ids=TWICE)
def test_what_exists_once_is_claimed_once(
    tmp_path: Path, one: str, two: str, old: str, new: str, path: str, says: str
) -> None:
    assert two.count(old) == 1
    found = findings(tmp_path, {"one": one, "two": two.replace(old, new)})
    told = [finding for finding in found if says in finding.message]
    assert {Path(finding.file).name for finding in told} == {"Pulumi.one.yaml", "Pulumi.two.yaml"}, found
    assert path in {finding.path for finding in told}
    for finding in told:
        other = re.search(r"(Pulumi\.\w+\.yaml):(\d+)", finding.found)
        assert other
        partner = next(one for one in told if one.file.endswith(other[1]))
        assert (partner.line, partner.file != finding.file) == (int(other[2]), True)


def test_a_stack_whose_name_would_take_the_state_s_key_of_another_is_refused(tmp_path: Path) -> None:
    state = (
        ONE.replace("xgen-one-documents", "other")
        .replace("gitlab.one", "gitlab.other")
        .replace(".one.", ".o.")
    )
    found = findings(tmp_path, {"one": ONE, "one-state": state.replace("10.41.", "10.43.")})
    told = [finding for finding in found if "alias/xgen-one-state in" in finding.message]
    assert {Path(finding.file).name for finding in told} == {"Pulumi.one.yaml", "Pulumi.one-state.yaml"}, (
        found
    )


def test_customers_who_share_a_management_network_and_nothing_else_pass(tmp_path: Path) -> None:
    assert findings(tmp_path, {"one": ONE, "two": TWO, "four": renamed("vendors", "four")}) == ()


def test_two_stacks_share_a_repository_by_path_or_by_revision(tmp_path: Path) -> None:
    two = TWO.replace("gitlab.two.example", "gitlab.one.example")
    assert findings(tmp_path, {"one": ONE, "two": two.replace("path: deploy", "path: two")}) == ()
    assert (
        findings(tmp_path, {"one": ONE, "two": two.replace("targetRevision: main", "targetRevision: two")})
        == ()
    )


def test_two_stacks_of_one_site_share_its_registry(tmp_path: Path) -> None:
    two = TWO.replace("site: two\n", "site: one\n")
    same = two.replace("host: nexus.two.example:5000", "host: nexus.one.example:5000")
    assert findings(tmp_path, {"one": ONE, "two": same}) == ()
    (other,) = findings(tmp_path, {"one": ONE, "two": two})
    assert (other.path, other.rule) == ("registry", "one-registry")
    assert "nexus.one.example:5000" in other.found


def test_overlapping_networks_on_one_management_network_are_told_at_both_ends(tmp_path: Path) -> None:
    two = TWO.replace("10.42.0.0/16", "10.41.128.0/20")
    found = findings(tmp_path, {"one": ONE, "two": two})
    assert [(Path(one.file).name, one.path, one.rule) for one in found] == [
        ("Pulumi.one.yaml", "cluster.vpcCidr", "networks-overlap"),
        ("Pulumi.two.yaml", "cluster.vpcCidr", "networks-overlap"),
    ]


def test_overlapping_networks_on_two_management_networks_pass(tmp_path: Path) -> None:
    two = TWO.replace("10.42.0.0/16", "10.41.0.0/16").replace(
        "vpc-0a1b2c3d4e5f60718", "vpc-0bbbbbbbbbbbbbbbb"
    )
    assert findings(tmp_path, {"one": ONE, "two": two}) == ()


def test_a_network_that_another_file_calls_the_management_network_is_told(tmp_path: Path) -> None:
    two = TWO.replace("cidr: 10.20.0.0/16", "cidr: 10.41.0.0/20").replace("10.20.1.10", "10.41.1.10")
    found = findings(tmp_path, {"one": ONE, "two": two})
    assert [(Path(one.file).name, one.path) for one in found] == [("Pulumi.one.yaml", "cluster.vpcCidr")]
    assert "management.cidr 10.41.0.0/20" in found[0].found


def test_three_claims_name_one_other_file_and_how_many_more(tmp_path: Path) -> None:
    files = {name: cloud(name, 50 + n) for n, name in enumerate(("one", "two", "three"))}
    files = {name: re.sub(r"xgen-\w+-documents", "documents", text) for name, text in files.items()}
    found = findings(tmp_path, files)
    assert [one.found.count("and 1 more") for one in found] == [1, 1, 1]


def test_a_check_of_one_customer_tells_what_it_shares_with_another_and_no_more(tmp_path: Path) -> None:
    folder = folder_with(
        tmp_path,
        {"one": ONE, "two": TWO.replace("xgen-two-documents", "xgen-one-documents"), "bad": "config: 5"},
    )
    report = check_folder(folder, ("two",))
    assert [(Path(one.file).name, one.path) for one in report.findings] == [
        ("Pulumi.two.yaml", "cluster.bucket.name")
    ]
    assert report.files == 1


def _site(cidr: IPv4Network, management: str) -> Site:
    raw = {
        "source": {"repoURL": "https://g.example/x/y.git"},
        "cluster": {"kind": "eks", "account": "123456789012", "region": "eu-west-1", "vpcCidr": str(cidr)},
        "management": {"vpcId": management, "cidr": "203.0.113.0/24"},
        "registry": {"kind": "local"},
    }
    return Site.model_validate({**raw, "stack": "x", "site": "x", "appSite": "x"})


NETWORKS = st.tuples(st.integers(0, 255), st.integers(16, 20)).map(
    lambda pair: IPv4Network((0x0A000000 + (pair[0] << 12), pair[1]), strict=False)
)
PEERS = st.sampled_from(["vpc-0aaaaaaaa", "vpc-0bbbbbbbb"])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(NETWORKS, PEERS), max_size=12))
def test_exactly_the_networks_that_meet_another_are_told(networks: list[tuple[IPv4Network, str]]) -> None:
    pairs = []
    for number, (cidr, management) in enumerate(networks):
        document = Document.read("config: {'xgen-infra:site': {}}\n", f"Pulumi.{number}.yaml")
        pairs.append((StackFile(Path(document.name), str(number), document), _site(cidr, management)))
    told = {one.file for one in across(pairs) if one.rule == "networks-overlap"}
    meeting = {
        f"Pulumi.{one}.yaml"
        for one, (cidr, management) in enumerate(networks)
        for two, (other, theirs) in enumerate(networks)
        if one != two and management == theirs and cidr.overlaps(other)
    }
    assert told == meeting
