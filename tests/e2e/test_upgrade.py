"""`xgen rehearse SITE --from REV`: a running stack is taken over by another revision's program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from preview.repository import Repository

from xgen_infra.engine import Result, Step
from xgen_infra.preview.revision import Revision
from xgen_infra.rehearsal.report import Phase
from xgen_infra.rehearsal.upgrade import Upgrade, announced, judge_replacements, last_release

BUCKET = Step("replace", "urn:pulumi:x::p::aws:s3/bucket:Bucket::bucket-bucket", "aws:s3/bucket:Bucket")


@pytest.mark.long
@pytest.mark.e2e
def test_an_upgrade_restarts_only_the_pods_whose_inputs_changed(tmp_path: Path) -> None:
    tree = Repository(tmp_path / "tree")
    tree.edit(
        "Pulumi.lotteimall.yaml",
        "    exposure:\n",
        '    services: {xgen-core: {vars: {UPGRADED: "yes"}}}\n    exposure:\n',
    )
    done = tree.xgen("rehearse", "lotteimall", "--delivery", "helm", "--from", "HEAD", "--json")
    report = json.loads(done.stdout)
    checks = {check["name"]: check for phase in report["phases"] for check in phase["checks"]}
    assert report["passed"], (report["error"], checks)
    assert done.returncode == 0
    assert checks["what changed"]["saw"] == "update releases-xgen-core"
    restarted = checks["only pods whose inputs changed were restarted"]["saw"]
    assert restarted == "restarted: xgen-core; inputs changed: xgen-core"
    assert checks["no replacement or deletion that CHANGELOG's State changes do not name"]["passed"]


def test_a_replacement_fails_the_upgrade_unless_the_changelog_names_it(tmp_path: Path) -> None:
    result = Result((BUCKET,), (), {"replace": 1}, 1.0)
    for named, passed in (
        ("", False),
        ("- `bucket-bucket` is replaced", True),
        ("all `aws:s3/bucket:Bucket`", True),
    ):
        phase = Phase("upgrade")
        judge_replacements(phase, result, named)
        assert phase.passed is passed, named


def test_only_what_the_changelog_says_since_the_base_counts(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, text in ((old, "`old-thing`"), (new, "`old-thing`\n`new-thing`")):
        folder.mkdir()
        (folder / "CHANGELOG.md").write_text(
            f"# Changelog\n\n### Added\n\n`other`\n\n### State changes\n\n{text}\n"
        )
    source = new / "Pulumi.x.yaml"
    said = announced(Upgrade(new, source, Revision("v1", "0" * 40, old), tmp_path / "link"))
    assert said == "`new-thing`"


def test_the_last_release_is_a_tag_or_there_is_none(tmp_path: Path) -> None:
    tree = Repository(tmp_path / "tree")
    done = tree.xgen("rehearse", "lotteimall", "--from-last-release")
    assert done.returncode == 0
    assert "no release tag" in done.stdout
    tree.git("tag", "v1.0.0")
    tree.git("tag", "not-a-release")
    assert last_release(tree.folder) == "v1.0.0"
