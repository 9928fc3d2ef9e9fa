"""The comment of a merge request: loudest first, no secret, no surprise of Markdown, within GitLab's limit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from xgen_infra.engine import Result, Step, Violation
from xgen_infra.engine.events import SECRET, parse
from xgen_infra.engine.special import UNKNOWN
from xgen_infra.preview.markdown import LIMIT, MARKER, markdown
from xgen_infra.preview.plan import KNOWN_LATER, plan_of
from xgen_infra.preview.site import SitePreview

BUCKET, VPC, SECRET_KIND = "aws:s3/bucket:Bucket", "aws:ec2/vpc:Vpc", "kubernetes:core/v1:Secret"


def step(
    op: str, kind: str, name: str, before: Mapping[str, Any] = {}, after: Mapping[str, Any] = {}, **more: Any
) -> Step:
    paths = tuple(sorted({*before, *after}))
    urn = f"urn:pulumi:s::p::{kind}::{name}"
    return Step(op, urn, kind, paths, before=before, after=after, **more)


def previewed(*steps: Step, stack: str = "aww", **more: Any) -> SitePreview:
    plan = plan_of(Result(tuple(steps), (), {}, 1.0))
    return SitePreview(stack, "previewed", plan, **more)


def test_data_that_would_go_comes_before_everything_else() -> None:
    one = previewed(
        step("create", VPC, "new"),
        step("update", VPC, "changed", {"cidrBlock": "a"}, {"cidrBlock": "b"}),
        step("delete-replaced", BUCKET, "documents"),
        step(
            "create-replacement",
            BUCKET,
            "documents",
            {"bucket": "a"},
            {"bucket": "b"},
            protect=True,
            keys=("bucket",),
        ),
        step("delete", VPC, "gone"),
        step("same", VPC, "still"),
    )
    assert one.plan
    assert [change.name for change in one.plan.changes] == ["documents", "gone", "changed", "new"]
    assert one.plan.counts == {"create": 1, "update": 1, "replace": 1, "delete": 1}
    assert one.plan.unchanged == 1
    text = markdown([one], "main")
    assert text.startswith(f"{MARKER}\n")
    assert text.index("Data would be lost") < text.index("Replacements and deletions") < text.index("Updates")
    assert "protected: the engine refuses" in text
    assert "look at this: data" in text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"password": "hunter2"}, {"password": "hunter3"}),
        ({"data": {"dbPassword": "hunter2"}}, {"data": {"dbPassword": "hunter3"}}),
        ({"stringData": SECRET}, {"stringData": SECRET}),
        ({"list": [{"token": "hunter2"}]}, {"list": [{"token": "hunter3"}]}),
    ],
    ids=["a key by its name", "inside a map", "as the engine marks it", "inside a list"],
)
def test_what_nobody_should_read_is_not_shown(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    text = markdown([previewed(step("update", SECRET_KIND, "secret", before, after))])
    assert "hunter" not in text
    assert "(secret)" in text


def test_a_secret_is_one_as_the_engine_writes_it_into_its_log(tmp_path: Path) -> None:
    boxed = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}
    inputs = {"inputs": {"kind": "Secret", "stringData": boxed, "list": [{"of": boxed}]}}
    changed = {
        'stringData[".dockerconfigjson"]': {"diffKind": "update"},
        "list[0].of": {"diffKind": "update"},
    }
    metadata = {
        "op": "update",
        "urn": "urn:pulumi:a::b::c::d",
        "type": SECRET_KIND,
        "old": inputs,
        "new": inputs,
    }
    log = tmp_path / "events.json"
    log.write_text(
        json.dumps({"resourcePreEvent": {"metadata": {**metadata, "detailedDiff": changed}}}) + "\n"
    )
    (change,) = plan_of(parse(log)).changes
    assert {(one.path, one.before, one.after) for one in change.properties} == {
        (path, "(secret)", "(secret)") for path in changed
    }


def test_a_value_that_is_not_known_yet_is_said_to_be_unknown() -> None:
    changes = plan_of(
        Result(
            (step("update", VPC, "x", {"a": "1", "b": ["1"]}, {"a": UNKNOWN, "b": [UNKNOWN, "2"]}),),
            (),
            {},
            1,
        )
    ).changes
    assert [one.after for one in changes[0].properties] == [KNOWN_LATER, KNOWN_LATER]
    assert changes[0].unknown


def test_no_value_is_taken_for_markdown_html_or_a_command_of_gitlab() -> None:
    nasty = "| x </details> `code` **bold**\n/close\n@everyone <script>"
    one = previewed(
        step("update", VPC, "x", {"a": "old"}, {"a": nasty}),
        problem=f"/merge\n```\n{nasty}",
        values={"values/x.yaml": f"+/unlabel\n{nasty}"},
    )
    text = markdown([one])
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    html = [token.content for token in tokens if token.type == "html_block"]
    assert all("script" not in content for content in html), html
    inline = [part for token in tokens for part in token.children or [] if part.type != "code_inline"]
    assert not any("@everyone" in part.content for part in inline)
    fenced = {line for token in tokens if token.type == "fence" for line in token.content.splitlines()}
    commands = [line for line in text.splitlines() if line.startswith("/") and line not in fenced]
    assert not commands


def test_a_comment_that_is_too_long_leaves_out_the_diffs_first_and_says_so() -> None:
    big = {"values/x.yaml": "+line\n" * 100_000}
    sites = [
        previewed(step("delete", BUCKET, f"documents-{number}"), stack=f"site{number}", values=big)
        for number in range(3)
    ]
    text = markdown(sites)
    assert len(text) <= LIMIT
    assert "parts are left out" in text
    assert text.count("Left out: 100001 lines of what goes to Git") == 2
    for number in range(3):
        assert f"documents-{number}" in text
        assert f"| `site{number}` |" in text


def test_a_comment_that_cannot_be_shortened_is_cut_with_a_word() -> None:
    sites = [previewed(step("delete", BUCKET, "b"), stack=f"site{number}") for number in range(200)]
    text = markdown(sites, limit=9_000)
    assert len(text) <= 9_000
    assert text.endswith("writes all of it._\n")


def test_a_broken_policy_comes_before_all_changes_and_advice_does_not_stop() -> None:
    rules = [("no-advice", "advisory"), ("no-public-bucket", "mandatory")]
    broken = [
        Violation("xgen", rule, level, f"urn:pulumi:s::p::{BUCKET}::documents", "a `|` </details>\n/close")
        for rule, level in rules
    ]
    plan = plan_of(Result((step("delete", BUCKET, "documents"),), (), {}, 1.0, tuple(broken)))
    assert plan.stopped
    assert [one.rule for one in plan.violations] == ["no-public-bucket", "no-advice"]
    text = markdown([SitePreview("aww", "refused", plan)])
    assert "| `aww` | **`up` would be refused: policies** |" in text
    order = [
        "Policies are broken",
        "no-public-bucket: documents: ",
        "advise against",
        "no-advice",
        "Data would",
    ]
    places = [text.index(one) for one in order]
    assert places == sorted(places)
    assert not plan_of(Result((), (), {}, 1.0, (broken[0],))).stopped


def test_what_the_engine_warns_of_is_said_once_before_all_changes_and_without_a_credential() -> None:
    gone = "configured Kubernetes cluster is unreachable: no route\n/close </details>"
    said = (gone, gone, "password=hunter2 is old", "an error")
    plan = plan_of(Result((step("update", VPC, "x"),), said, {}, 1.0, errors=("an error",)))
    assert plan.warnings == (gone, "password=[redacted] is old")
    one = SitePreview("aww", "previewed", plan)
    text = markdown([one, previewed(stack="calm")])
    assert "| `aww` | **warnings** | 0 | 1 |" in text
    assert "| `calm` | no resource changes | 0 |" in text
    assert "hunter2" not in text
    order = [text.index(word) for word in ("The engine warns", "is unreachable", "Updates")]
    assert order == sorted(order)
    assert text.count("is unreachable") == 1
    (fence,) = [token for token in MarkdownIt("commonmark").parse(text) if token.type == "fence"]
    assert "/close </details>" in fence.content
    assert one.as_data()["plan"]["warnings"] == list(plan.warnings)
    assert "warns" not in markdown([previewed()])


def test_what_did_not_work_is_said_for_each_customer() -> None:
    text = markdown(
        [
            SitePreview("broken", "failed", problem="the program fails"),
            SitePreview("gone", "removed"),
            previewed(stack="calm"),
        ],
        "main",
    )
    assert "| `broken` | **the preview failed** | - |" in text
    assert "That alone touches nothing" in text
    assert "| `calm` | no resource changes | 0 | 0 | 0 | 0 | 0 |" in text
