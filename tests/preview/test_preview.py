"""`xgen preview --against`: the engine's own difference between a revision and the working tree."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from policy.rules import RULES
from preview.repository import Repository
from xgen_infra.engine import Violation
from xgen_infra.preview.markdown import MARKER, markdown
from xgen_infra.preview.plan import Change, Plan, Property
from xgen_infra.preview.site import SitePreview
from xgen_infra.rehearsal.canary import canary
from xgen_infra.secrecy import Search

pytestmark = pytest.mark.e2e
CALLERS = {
    "AWS_SECRET_ACCESS_KEY": "caller-aws-c0ffee",
    "AWS_PROFILE": "caller-profile-c0ffee",
    "KUBECONFIG": "/caller/kubeconfig-c0ffee",
    "CI_JOB_TOKEN": "caller-job-c0ffee",
    "GITLAB_TOKEN": "caller-gitlab-c0ffee",
    "SSH_AUTH_SOCK": "/caller/agent-c0ffee",
    "PULUMI_ACCESS_TOKEN": "caller-pulumi-c0ffee",
    "PULUMI_CONFIG_PASSPHRASE": "caller-phrase-c0ffee",
}
SECRETS = Search({**CALLERS, "a part of them": "c0ffee", "a canary": "canary-"})
"""What no preview may show: what the caller had, and a canary, of which the preview makes its own: by how each begins."""
PRINTS_ITS_ENVIRONMENT = """\
import os, pathlib, pulumi
if pulumi.get_stack() == "main":
    raise pulumi.RunError(f"environment {dict(os.environ)} files {list(pathlib.Path.home().iterdir())}")
"""


def by_name(site: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    assert site["plan"], site["problem"]
    return {change["name"]: change for change in site["plan"]["changes"]}


def previewed(done: Any) -> dict[str, dict[str, Any]]:
    assert "this is a bug" not in done.stderr, done.stderr
    return {site["stack"]: site for site in json.loads(done.stdout)["sites"]}


def shows_no_secret(*texts: str) -> None:
    """Refuse a secret in any encoding; the same text with one in it is found to have one."""
    for text in texts:
        assert SECRETS.in_text("preview", text) == []
        assert SECRETS.in_text("preview", f"{text}{canary()}")


def comment_of(sites: Iterable[Mapping[str, Any]]) -> str:
    """Return the comment that is made of the same previews where --json is not asked for."""
    return markdown([_previewed(site) for site in sites], "HEAD")


def _previewed(site: Mapping[str, Any]) -> SitePreview:
    plan = site["plan"] and Plan(
        tuple(_change(change) for change in site["plan"]["changes"]),
        site["plan"]["unchanged"],
        tuple(Violation(**one) for one in site["plan"]["violations"]),
        site["plan"]["policies"],
    )
    return SitePreview(**{**site, "plan": plan, "notes": tuple(site["notes"])})


def _change(change: Mapping[str, Any]) -> Change:
    rest = {key: value for key, value in change.items() if key not in {"loud", "properties"}}
    return Change(**rest, properties=tuple(Property(**one) for one in change["properties"]))


def test_a_change_on_aws_shows_what_is_replaced_and_that_data_is_protected(tmp_path: Path) -> None:
    tree = Repository(tmp_path / "tree")
    tree.edit(
        "Pulumi.aww.yaml", "vpcCidr: 10.40.0.0/16", "vpcCidr: 10.41.0.0/16\n      bucket: {name: other-aww}"
    )
    tree.edit("Pulumi.aww.yaml", "[m7i.2xlarge]", "[m7i.4xlarge]")
    tree.edit("Pulumi.aww.yaml", "nexus.aww.example:5000", "nexus2.aww.example:5000")
    done = tree.xgen("preview", "aww", "--against", "HEAD", "--json", env=CALLERS)
    site = previewed(done)["aww"]
    changes = by_name(site)

    assert changes["network-vpc"]["op"] == "replace"
    cidr = next(one for one in changes["network-vpc"]["properties"] if one["path"] == "cidrBlock")
    assert (cidr["before"], cidr["after"]) == ("10.40.0.0/16", "10.41.0.0/16")
    assert cidr["forces_replacement"]
    of_subnet = next(one for one in changes["network-s3"]["properties"] if one["path"] == "vpcId")
    assert of_subnet["after"] == "(known only after up)"

    group = {one["path"]: one["after"] for one in changes["nodes-group"]["properties"]}
    assert group["instanceTypes[0]"] == "m7i.4xlarge"
    registry = next(change for name, change in changes.items() if name.endswith("-registry"))
    assert (registry["op"], {one["after"] for one in registry["properties"]}) == ("update", {"(secret)"})

    bucket = changes["bucket-bucket"]
    assert bucket["op"] == "replace"
    assert bucket["loud"]
    assert bucket["protected"]
    assert (site["outcome"], done.returncode) == ("refused", 1)
    assert "protect" in site["problem"]
    assert site["plan"]["changes"][0]["loud"], "what is loud comes first"

    values = site["values"]["values/xgen-core.yaml"]
    assert "-  host: nexus.aww.example:5000" in values or "nexus2.aww.example:5000" in values
    comment = comment_of([site])
    assert "`network-vpc`" in comment
    assert "(secret)" in comment
    shows_no_secret(done.stdout, done.stderr, comment)


def test_a_change_of_program_chart_and_files_reaches_each_customer_in_one_comment(tmp_path: Path) -> None:
    tree = Repository(tmp_path / "tree")
    tree.edit("Pulumi.lotteimall.yaml", "    cluster:\n", "    delivery: helm\n    cluster:\n")
    (tree.folder / "Pulumi.gone.yaml").write_text((tree.folder / "Pulumi.main.yaml").read_text())
    base = tree.commit("Base")
    (tree.folder / "Pulumi.gone.yaml").rename(tree.folder / "Pulumi.fresh.yaml")
    tree.edit(
        "Pulumi.lotteimall.yaml",
        "    exposure:\n",
        "    services: {xgen-core: {replicas: 3}}\n    exposure:\n",
    )
    tree.edit("xgen_infra/delivery/releases.py", "timeout=600", "timeout=601")
    tree.edit(
        "charts/xgen-service/templates/service.yaml", "kind: Service\n", "kind: Service\n# a new line\n"
    )
    program = (tree.folder / "__main__.py").read_text()
    (tree.folder / "__main__.py").write_text(PRINTS_ITS_ENVIRONMENT + program)

    comment = tmp_path / "comment.md"
    words = ("lotteimall", "main", "gone", "fresh", "--against", base)
    done = tree.xgen("preview", *words, "--json", "--output", str(comment), env=CALLERS)
    sites = {site["stack"]: site for site in json.loads(comment.read_text())["sites"]}
    everything = comment.read_text() + done.stdout + done.stderr + comment_of(sites.values())

    changes = by_name(sites["lotteimall"])
    assert set(changes) == {f"releases-{name}" for name in _SIX}
    core = {one["path"]: (one["before"], one["after"]) for one in changes["releases-xgen-core"]["properties"]}
    assert core["timeout"] == ("600", "601")
    assert core["values.replicas"] == ("2", "3")
    assert "description" in core, "a changed template is a change of every release"
    assert "# a new line" in sites["lotteimall"]["values"]["charts/xgen-service/templates/service.yaml"]

    assert sites["lotteimall"]["outcome"] == "previewed", "the policies have nothing against it"
    assert sites["lotteimall"]["plan"]["policies"] >= len(RULES)
    assert sites["lotteimall"]["plan"]["violations"] == []
    assert sites["lotteimall"]["plan"]["warnings"] == []

    assert sites["gone"]["outcome"] == "removed"
    assert sites["fresh"]["outcome"] == "previewed", sites["fresh"]["problem"]
    assert {change["op"] for change in sites["fresh"]["plan"]["changes"]} == {"create"}

    assert sites["main"]["outcome"] == "failed"
    assert "'PULUMI_HOME'" in sites["main"]["problem"], "the program could print what it was given"
    assert done.returncode == 1
    shows_no_secret(everything)


def test_a_change_that_breaks_a_policy_is_refused_and_what_breaks_it_is_named(tmp_path: Path) -> None:
    tree = Repository(tmp_path / "tree")
    tree.edit("xgen_infra/k3s/components.py", "(protect=True, retain_on_delete=True)", "(protect=False)")
    done = tree.xgen(
        "preview", "lotteimall", "--against", "HEAD", "--json", "--output", str(tmp_path / "told")
    )
    (site,) = json.loads((tmp_path / "told").read_text())["sites"]
    assert (site["outcome"], done.returncode) == ("refused", 1), site["problem"]
    (found,) = site["plan"]["violations"]
    assert (found["rule"], found["level"]) == ("protected-data-in-the-stack", "mandatory")
    assert found["urn"].endswith("v1:Namespace::data-ground-namespace")
    assert "register it with protect=True" in found["message"]
    assert site["plan"]["policies"] >= len(RULES)


def test_a_program_that_fails_at_the_base_and_a_chart_that_does_not_render_are_told(tmp_path: Path) -> None:
    tree = Repository(tmp_path / "tree")
    program = (tree.folder / "__main__.py").read_text()
    (tree.folder / "__main__.py").write_text("raise RuntimeError('the base is broken')\n")
    base = tree.commit("Broken")
    (tree.folder / "__main__.py").write_text(program)
    tree.edit("charts/xgen-service/templates/service.yaml", "kind: Service\n", 'kind: {{ fail "no way" }}\n')
    done = tree.xgen("preview", "main", "--against", base, env=CALLERS)
    assert done.returncode == 1
    assert done.stdout.startswith(f"{MARKER}\n")
    shows_no_secret(done.stdout, done.stderr)
    assert "the base is broken" in done.stdout
    assert "the chart does not render" in done.stdout
    assert "no way" in done.stdout
    assert "Creations: " in done.stdout


def test_a_revision_or_customer_that_is_nowhere_is_said_before_anything_runs(tmp_path: Path) -> None:
    tree = Repository(tmp_path / "tree")
    unknown = tree.xgen("preview", "aww", "--against", "no-such-branch")
    assert unknown.returncode == 1
    assert "no-such-branch" in unknown.stderr
    nobody = tree.xgen("preview", "nobody", "--against", "HEAD")
    assert nobody.returncode == 2
    assert "Pulumi.nobody.yaml" in nobody.stderr


_SIX = (
    "xgen-frontend",
    "xgen-backend-gateway",
    "xgen-core",
    "xgen-workflow",
    "xgen-documents",
    "xgen-mcp-station",
)
