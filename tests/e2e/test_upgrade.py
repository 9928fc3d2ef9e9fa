"""`xgen rehearse SITE --from REV`: a running stack is taken over by another revision's program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from preview.repository import Repository
from standins.engine_bench import engine_bench

from xgen_infra.engine import Result, Step
from xgen_infra.preview.revision import Revision
from xgen_infra.rehearsal.hosts import LanguageHosts
from xgen_infra.rehearsal.report import Phase
from xgen_infra.rehearsal.tools import Tool, ensure
from xgen_infra.rehearsal.upgrade import Upgrade, announced, judge_replacements, last_release

TYPE = "aws:s3/bucket:Bucket"
URN = f"urn:pulumi:x::p::{TYPE}::bucket-"
BUCKET = Step("replace", f"{URN}bucket", TYPE)
PROGRAM = """
aws.ec2.Vpc("{name}", cidr_block="10.40.0.0/16", opts=pulumi.ResourceOptions(provider=site, aliases=[{aliases}]))
"""


@pytest.mark.long
@pytest.mark.e2e
def test_an_upgrade_restarts_only_the_pods_whose_inputs_changed(tmp_path: Path) -> None:
    tree = Repository(tmp_path / "tree")
    tree.edit(
        "Pulumi.lotteimall.yaml",
        "    exposure:\n",
        '    services: {xgen-core: {vars: {UPGRADED: "yes"}}}\n    exposure:\n',
    )
    of_one_service = 'timeout=601 if service == "xgen-documents" else 600'
    tree.edit("xgen_infra/delivery/releases.py", "timeout=600", of_one_service)
    done = tree.xgen("rehearse", "lotteimall", "--delivery", "helm", "--from", "HEAD", "--json")
    report = json.loads(done.stdout)
    checks = {check["name"]: check for phase in report["phases"] for check in phase["checks"]}
    assert report["passed"], (report["error"], checks)
    assert done.returncode == 0
    by_program, by_file = "update releases-xgen-documents", "update releases-xgen-core"
    assert checks["what changed"]["saw"] == f"{by_file}, {by_program}", "each side ran its own program"
    restarted = checks["only pods whose inputs changed were restarted"]["saw"]
    assert restarted == "restarted: xgen-core; inputs changed: xgen-core, xgen-documents"
    assert checks["no replacement or deletion that CHANGELOG's State changes do not name"]["passed"]


@pytest.mark.parametrize(
    "steps",
    [
        (BUCKET,),
        (Step("delete", f"{URN}bucket", TYPE),),
        (Step("create", f"{URN}other", TYPE), Step("delete", f"{URN}bucket", TYPE)),
        (Step("delete-replaced", f"{URN}bucket", TYPE),),
    ],
    ids=["replaced", "deleted", "renamed without an alias", "what is left of a replacement"],
)
def test_a_replacement_or_deletion_fails_the_upgrade_unless_the_changelog_names_it(
    steps: tuple[Step, ...],
) -> None:
    result = Result(steps, (), {}, 1.0)
    for named, passed in (
        ("", False),
        ("- `bucket-bucket` is replaced", True),
        ("- bucket-bucket is replaced", False),
        ("- `bucket-other` is new", False),
        ("all `aws:s3/bucket:Bucket`", True),
    ):
        phase = Phase("upgrade")
        judge_replacements(phase, result, named)
        assert phase.passed is passed, named
        told = f"bucket-bucket ({TYPE}); not announced: {'none' if passed else 'bucket-bucket'}"
        assert phase.checks[0].saw == told


@pytest.mark.e2e
def test_a_rename_with_an_alias_passes_and_one_without_it_is_named(
    tmp_path: Path, hosts: LanguageHosts
) -> None:
    """The engine's own steps, as the upgrade judges them."""
    binary = ensure([Tool.PULUMI], print)[Tool.PULUMI]
    with engine_bench(binary, tmp_path, hosts) as bench:
        bench.program(PROGRAM.format(name="first", aliases=""))
        bench.engine.up("dev")
        judged = {}
        for name, aliases in (("second", 'pulumi.Alias(name="first")'), ("third", "")):
            bench.program(PROGRAM.format(name=name, aliases=aliases))
            judged[name] = Phase(name)
            judge_replacements(judged[name], bench.engine.up("dev"), "")
    assert judged["second"].checks[0].saw == "none; not announced: none"
    assert judged["second"].passed
    assert judged["third"].checks[0].saw == "second (aws:ec2/vpc:Vpc); not announced: second"
    assert not judged["third"].passed


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
