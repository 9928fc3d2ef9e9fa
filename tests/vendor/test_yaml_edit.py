"""Editing a customer's file touches the lines it must and no other."""

from __future__ import annotations

import difflib
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from xgen_infra.yaml_edit import EditError, edit_file, read_text, remove, set_value

DIGEST = "sha256:" + "ab" * 32
FILE = """\
# The customer's file.
config:
  xgen-infra:site:
    description: a # b     # a comment
    infra:
      postgres: {host: 10.0.0.1}   # the management server
    # About the registry.
    registry:
        kind: nexus
        host: 'nexus.example:5000'
    services:
      xgen-core:
        replicas: 1

      # The end of the services.
    exposure: {kind: none}
  xgen-infra:registryPassword:
    secure: v1:abc
encryptionsalt: v1:def
"""
SITE = ("config", "xgen-infra:site")


def changes(before: str, after: str) -> list[str]:
    """The changed lines alone: removed ones with '-', added ones with '+'."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in list(lines)[2:] if not line.startswith("@@")]


def test_a_pin_adds_its_own_lines_only() -> None:
    after = set_value(FILE, (*SITE, "services", "xgen-core", "image", "digest"), DIGEST)
    assert changes(FILE, after) == ["+        image:", f"+          digest: {DIGEST}"]


def test_a_service_that_is_not_named_yet_goes_behind_the_last_one() -> None:
    after = set_value(FILE, (*SITE, "services", "xgen-frontend", "image", "digest"), DIGEST)
    assert changes(FILE, after) == [
        "+      xgen-frontend:",
        "+        image:",
        f"+          digest: {DIGEST}",
    ]
    assert after.index("xgen-frontend") < after.index("# The end of the services.")


def test_a_new_pin_replaces_the_old_one_in_its_line() -> None:
    path = (*SITE, "services", "xgen-core", "image", "digest")
    pinned = set_value(FILE, path, DIGEST)
    other = "sha256:" + "cd" * 32
    assert changes(pinned, set_value(pinned, path, other)) == [
        f"-          digest: {DIGEST}",
        f"+          digest: {other}",
    ]


def test_a_value_in_braces_is_changed_within_its_line() -> None:
    after = set_value(FILE, (*SITE, "infra", "postgres", "port"), 5433)
    assert changes(FILE, after) == [
        "-      postgres: {host: 10.0.0.1}   # the management server",
        "+      postgres: {host: 10.0.0.1, port: 5433}   # the management server",
    ]


def test_what_lies_deeper_in_braces_stays_on_one_line() -> None:
    text = "services: {xgen-core: {}}\n"
    after = set_value(text, ("services", "xgen-core", "image", "digest"), DIGEST)
    assert after == f'services: {{xgen-core: {{image: {{digest: "{DIGEST}"}}}}}}\n'


def test_quotes_comments_and_a_deeper_indentation_stay() -> None:
    after = set_value(FILE, (*SITE, "registry", "host"), "other.example:443")
    assert changes(FILE, after) == [
        "-        host: 'nexus.example:5000'",
        "+        host: 'other.example:443'",
    ]
    grown = set_value(FILE, (*SITE, "registry", "plainHttp"), True)
    assert changes(FILE, grown) == ["+        plainHttp: true"]


@pytest.mark.parametrize("empty", ["services:", "services: {}", "services: ~", "services:  # none yet"])
def test_an_empty_parent_is_filled(empty: str) -> None:
    text = f"a: 1\n{empty}\nb: 2\n"
    after = set_value(text, ("services", "xgen-core", "replicas"), 2)
    assert yaml.safe_load(after) == {"a": 1, "services": {"xgen-core": {"replicas": 2}}, "b": 2}
    assert ("# none yet" in after) == ("# none yet" in text)
    assert len(changes(text, after)) <= 4


def test_a_file_without_a_last_line_break_keeps_none() -> None:
    assert set_value("a:\n  b: 1", ("a", "c"), 2) == "a:\n  b: 1\n  c: 2"


def test_windows_line_ends_stay() -> None:
    text = FILE.replace("\n", "\r\n")
    after = set_value(text, (*SITE, "services", "xgen-core", "image", "digest"), DIGEST)
    assert after.count("\r\n") == after.count("\n") == text.count("\n") + 2


def test_a_list_is_replaced_as_a_whole() -> None:
    block = "a:\n  keys:  # retired\n    - 1\n    - 2\n  b: 3\n"
    assert set_value(block, ("a", "keys"), [1, 2, 3]) == "a:\n  keys: [1, 2, 3]  # retired\n  b: 3\n"
    assert set_value("keys: [1]\n", ("keys",), []) == "keys: []\n"


def test_a_text_over_several_lines_is_replaced_without_its_neighbours() -> None:
    text = "a:\n  ca: |\n    one\n    two\n\n  # next\n  b: 1\n"
    assert set_value(text, ("a", "ca"), "x") == "a:\n  ca: x\n\n  # next\n  b: 1\n"
    assert set_value("ca: |+\n  one\n\n", ("b",), 1) == "ca: |+\n  one\n\nb: 1\n"


def test_an_aliased_value_is_refused_because_others_share_it() -> None:
    text = "small: &small\n  replicas: 1\ncore: *small\n"
    with pytest.raises(EditError, match="core is an alias"):
        set_value(text, ("core", "replicas"), 2)
    with pytest.raises(EditError, match="anchor"):
        set_value(text, ("small", "replicas"), 2)
    merged = "base: &base\n  core: {replicas: 1}\nservices:\n  <<: *base\n"
    with pytest.raises(EditError, match="anchor"):
        set_value(merged, ("services", "core", "digest"), DIGEST)


def test_a_key_is_added_behind_an_alias() -> None:
    text = "a: &a {x: 1}\nb:\n  c: *a  # shared\n# end\n"
    assert set_value(text, ("b", "d"), 1) == "a: &a {x: 1}\nb:\n  c: *a  # shared\n  d: 1\n# end\n"


@pytest.mark.parametrize(
    ("path", "reason"),
    [(("config", "xgen-infra:site", "description", "x"), "plain value"), (("list", "x"), "a list")],
)
def test_a_path_through_a_value_is_refused(path: tuple[str, ...], reason: str) -> None:
    with pytest.raises(EditError, match=reason):
        set_value(f"{FILE}list: [1]\n", path, 1)


@pytest.mark.parametrize("text", ["a: 1\n---\nb: 2\n", "- 1\n", "", "a: [\n"])
def test_what_is_no_single_mapping_is_refused(text: str) -> None:
    with pytest.raises(EditError):
        set_value(text, ("a",), 1)


def test_removing_a_pin_removes_the_parents_it_alone_filled() -> None:
    path = (*SITE, "services", "xgen-core", "image", "digest")
    assert remove(set_value(FILE, path, DIGEST), path) == FILE
    assert remove(FILE, path) == FILE
    assert remove("a: {b: 1, c: 2}\n", ("a", "b")) == "a: {c: 2}\n"
    assert remove("a: {b: 1, c: 2}\n", ("a", "c")) == "a: {b: 1}\n"


def test_a_file_keeps_its_mode_and_its_byte_order_mark(tmp_path: Any) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\n")
    file.chmod(0o640)
    edit_file(file, set_value(read_text(file), ("a",), 2))
    assert file.read_bytes() == b"\xef\xbb\xbfa: 2\r\n"
    assert file.stat().st_mode & 0o777 == 0o640
    assert [entry.name for entry in tmp_path.iterdir()] == ["Pulumi.x.yaml"]


KEYS = st.text("abcxyz-", min_size=1, max_size=6) | st.sampled_from(["yes", "on", "1", "~", "a: b", "#"])
SCALARS = (
    st.text(max_size=12)
    | st.integers(-9, 9999)
    | st.booleans()
    | st.sampled_from(
        ["yes", "1.5", "0o17", "1_000", "sha256:ab", "a: b", "# no", "'", '"', "\\", "2026-01-01"]
    )
)
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS,
        lambda inner: st.dictionaries(KEYS, inner, max_size=3) | st.lists(inner, max_size=3),
        max_leaves=12,
    ),
    min_size=1,
    max_size=4,
)


@given(
    tree=TREES,
    path=st.lists(KEYS, min_size=1, max_size=4),
    value=SCALARS,
    flow=st.sampled_from([True, False, None]),
    indent=st.sampled_from([2, 3, 4]),
)
def test_any_change_of_any_text_changes_that_value_alone(
    tree: Any, path: list[str], value: Any, flow: bool | None, indent: int
) -> None:
    text = yaml.safe_dump(tree, default_flow_style=flow, sort_keys=False, indent=indent, allow_unicode=True)
    try:
        after = set_value(text, tuple(path), value)
    except EditError as refused:
        if "plain value" in str(refused) or "a list" in str(refused):
            return
        raise
    expected = yaml.safe_load(text)
    parent = expected
    for key in path[:-1]:
        if not isinstance(parent.get(key), dict):
            parent[key] = {}
        parent = parent[key]
    parent[path[-1]] = value
    assert yaml.safe_load(after) == expected
    if flow is False:
        kept = set(text.splitlines()) - set(after.splitlines())
        assert len(kept) <= len(yaml.safe_dump(tree.get(path[0]), default_flow_style=False).splitlines()) + 1
