"""The Jenkins pipelines, run: the right registry and credential for every site, and nothing promoted that failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from vendor.folder import SERVICES, k3s, nexus, xgen_json

from .agent import SECRETS, Agent, Outcome, git
from .test_registry import SITES, authorities, plan_of
from .world import PUSHERS, VENDOR, World


@pytest.fixture(scope="module")
def agent(registries: World, tmp_path_factory: pytest.TempPathFactory) -> Agent:
    authorities(registries, plan_of(registries, "lab"))
    return Agent(registries, tmp_path_factory.mktemp("agent"))


def image_of(agent: Agent, site: str, service: str) -> Any:
    (image,) = (one for one in plan_of(agent.world, site)["images"] if one["service"] == service)
    return image


def keeps_secrets(outcome: Outcome) -> None:
    """No secret stands in what Docker was called with, in the log that `sh -x` fills, or in the build's environment."""
    for secret in SECRETS:
        assert secret not in outcome.log
        assert all(secret not in word for call in outcome.docker for word in call["argv"])
    assert all(call["secrets"] == [] for call in outcome.docker)


@pytest.mark.parametrize("site", SITES)
def test_each_site_gets_its_image_in_its_registry_by_its_credential(agent: Agent, site: str) -> None:
    target = plan_of(agent.world, site)
    outcome = agent.run("Jenkinsfile", {"SITE": site, "SERVICE": "xgen-core", "BRANCH": ""})
    assert outcome.result == "SUCCESS", outcome.log
    registry = target["registry"]
    assert outcome.credentials() == {registry["credentialId"]}
    commit = git(agent.services / "xgen-core.git", "rev-parse", site)
    moving = image_of(agent, site, "xgen-core")
    built = f"{moving['repository']}:{commit[:12]}-amd64"
    assert outcome.pushed() == [built, moving["reference"]]
    assert all(call["logins"] == [registry["host"]] for call in outcome.docker)
    (build,) = (call["argv"] for call in outcome.docker if call["argv"][0] == "build")
    assert build[build.index("--platform") + 1] == "linux/amd64"
    assert f"org.opencontainers.image.revision={commit}" in build
    assert list(agent.pins(site)) == ["xgen-core"]
    assert agent.pins(site)["xgen-core"].startswith("sha256:")
    keeps_secrets(outcome)


def test_a_push_to_a_branch_builds_for_the_site_of_that_branch(agent: Agent) -> None:
    outcome = agent.run("Jenkinsfile", hook=("xgen/xgen-workflow", "aww"))
    assert outcome.result == "SUCCESS", outcome.log
    assert outcome.description == "xgen-workflow for aww"
    assert outcome.pushed()[1] == image_of(agent, "aww", "xgen-workflow")["reference"]
    assert outcome.credentials() == {"aww-nexus-credentials"}
    (source,) = (one for one in outcome.steps("checkout") if "services" in one["url"])
    assert source["branch"] == "refs/heads/aww"


@pytest.mark.parametrize("branch", ["feature/x", "a;touch${IFS}pwned", "$(touch pwned)", "--help"])
def test_a_push_to_a_branch_of_no_site_builds_nothing(agent: Agent, branch: str) -> None:
    outcome = agent.run("Jenkinsfile", hook=("xgen/xgen-core", branch))
    assert outcome.docker == []
    assert outcome.result == "NOT_BUILT", outcome.log
    assert not list(agent.root.rglob("pwned"))


def test_a_push_to_a_repository_that_is_no_service_builds_nothing(agent: Agent) -> None:
    outcome = agent.run("Jenkinsfile", hook=("xgen/xgen-infra", "aww"))
    assert (outcome.result, outcome.docker) == ("FAILURE", [])
    assert "xgen/xgen-infra is none of the services" in outcome.error


@pytest.mark.parametrize("script", ["Jenkinsfile", "build-all.Jenkinsfile"])
def test_an_unknown_site_stops_before_any_build(agent: Agent, script: str) -> None:
    outcome = agent.run(script, {"SITE": "atlantis", "SERVICE": "xgen-core", "BRANCH": ""})
    assert (outcome.result, outcome.docker, outcome.credentials()) == ("FAILURE", [], set())
    assert "there is no site 'atlantis'" in outcome.log
    assert not any("services" in one["url"] for one in outcome.steps("checkout"))


def test_a_failed_push_fails_the_build_and_promotes_nothing(agent: Agent) -> None:
    before = git(agent.infra, "rev-parse", "main")
    for failing in ("latest-amd64", "xgen-mcp-station:"):
        outcome = agent.run(
            "Jenkinsfile", {"SITE": "aww", "SERVICE": "xgen-mcp-station", "BRANCH": ""}, failing=failing
        )
        assert outcome.result == "FAILURE"
        assert "exit code 1" in outcome.error
        assert not any("promote" in one["script"] for one in outcome.steps("sh"))
    assert git(agent.infra, "rev-parse", "main") == before


def test_a_wrong_credential_stops_before_the_build(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PUSHERS, "aww-nexus-credentials", ("jenkins-aww", "yesterday"))
    outcome = agent.run("Jenkinsfile", {"SITE": "aww", "SERVICE": "xgen-core", "BRANCH": ""})
    assert (outcome.result, outcome.docker) == ("FAILURE", [])
    assert "refuses the user jenkins-aww" in outcome.log


def test_the_choices_are_the_sites_of_the_program_and_a_first_run_sets_them(agent: Agent) -> None:
    for script in ("Jenkinsfile", "build-all.Jenkinsfile"):
        outcome = agent.run(script)
        assert (outcome.result, outcome.docker) == ("NOT_BUILT", [])
        offered = [choice for choice in outcome.choices("SITE") if choice and not choice.startswith("(")]
        assert offered == [one["site"] for one in xgen_json(agent.world.folder, "sites")["sites"]]
    assert agent.run("Jenkinsfile").choices("SERVICE") == ["", *SERVICES]


def test_the_webhook_is_guarded_by_a_token_that_jenkins_holds(agent: Agent) -> None:
    (properties,) = agent.run("Jenkinsfile").steps("properties")
    (trigger,) = next(
        one["triggers"] for one in properties["properties"] if one["kind"] == "pipelineTriggers"
    )
    assert trigger["tokenCredentialId"] == "xgen-webhook-token"
    assert "token" not in trigger


def test_a_new_customer_is_offered_and_built_by_its_file_alone(agent: Agent) -> None:
    site = k3s(
        "canary-7f3",
        registry=nexus(VENDOR.removesuffix(":443"), credentialId="nexus-credentials", username="pull-canary"),
    )
    text = yaml.safe_dump(stack_of(agent.world.folder, site))
    agent.commit(agent.infra, "main", "Pulumi.canary-7f3.yaml", text)
    git(agent.services / "xgen-frontend.git", "branch", "canary-7f3", "main")
    outcome = agent.run("Jenkinsfile", hook=("xgen/xgen-frontend", "canary-7f3"))
    assert outcome.result == "SUCCESS", outcome.log
    assert "canary-7f3" in outcome.choices("SITE")
    assert outcome.pushed()[1] == f"{VENDOR.removesuffix(':443')}/xgen/canary-7f3/xgen-frontend:latest-amd64"
    assert list(agent.pins("canary-7f3")) == ["xgen-frontend"]
    changed = git(agent.infra, "log", "--format=", "--name-only", "-2", "main").split()
    assert set(changed) == {"Pulumi.canary-7f3.yaml"}


def stack_of(folder: Path, site: dict[str, Any]) -> dict[str, Any]:
    """A new customer's file: the site's values with the sealed keys of a sample."""
    data: dict[str, Any] = yaml.safe_load((folder / "Pulumi.main.yaml").read_text())
    data["config"]["xgen-infra:site"] = site
    return data


def test_a_broken_customers_file_stops_nobody_else(agent: Agent) -> None:
    agent.commit(agent.infra, "main", "Pulumi.broken.yaml", "config:\n  xgen-infra:site: {clutser: 1}\n")
    try:
        outcome = agent.run("Jenkinsfile", hook=("xgen/xgen-core", "aww"))
        assert outcome.result == "SUCCESS", outcome.log
        assert "Left out: broken" in outcome.log
        broken = agent.run("Jenkinsfile", {"SITE": "broken", "SERVICE": "xgen-core", "BRANCH": ""})
        assert (broken.result, broken.docker) == ("FAILURE", [])
    finally:
        site = stack_of(agent.world.folder, k3s("broken"))
        agent.commit(agent.infra, "main", "Pulumi.broken.yaml", yaml.safe_dump(site))


def test_an_older_build_does_not_overtake_a_newer_commit(agent: Agent) -> None:
    remote = agent.services / "xgen-backend-gateway.git"
    newer = f"cd {agent.root} && rm -rf newer && git clone -q -b lab {remote} newer && cd newer"
    author = "git -c user.name=Someone -c user.email=someone@example.com"
    outcome = agent.run(
        "Jenkinsfile",
        {"SITE": "lab", "SERVICE": "xgen-backend-gateway", "BRANCH": ""},
        meanwhile=f"{newer}\n{author} commit -q --allow-empty -m Newer\ngit push -q",
    )
    assert outcome.result == "SUCCESS", outcome.log
    assert len(outcome.pushed()) == 1
    assert "latest-amd64" not in outcome.pushed()[0]
    assert "xgen-backend-gateway" not in agent.pins("lab")


def test_all_services_of_a_site_end_in_six_pins(agent: Agent) -> None:
    before = int(git(agent.infra, "rev-list", "--count", "main"))
    commit = agent.commit(
        agent.services / "xgen-core.git", "lotteimall", "Dockerfile", "FROM scratch\n# newer\n"
    )
    outcome = agent.run("build-all.Jenkinsfile", {"SITE": "lotteimall"})
    assert outcome.result == "SUCCESS", outcome.log
    assert sorted(agent.pins("lotteimall")) == sorted(SERVICES)
    assert int(git(agent.infra, "rev-list", "--count", "main")) == before + len(SERVICES)
    assert sum("latest-amd64" in one for one in outcome.pushed()) == len(SERVICES)
    assert any(one.endswith(f"xgen-core:{commit[:12]}-amd64") for one in outcome.pushed())
    keeps_secrets(outcome)


def test_all_sites_are_built_each_where_it_belongs_and_one_failure_stops_no_other(agent: Agent) -> None:
    for path in (
        "Pulumi.canary-7f3.yaml",
        "Pulumi.broken.yaml",
        "Pulumi.main.yaml",
        "Pulumi.lotteimall.yaml",
    ):
        agent.remove(agent.infra, "main", path)
    outcome = agent.run("build-all.Jenkinsfile", {"SITE": "(every site)"}, failing="lab/xgen-documents")
    assert outcome.result == "FAILURE"
    assert sorted(agent.pins("aww")) == sorted(SERVICES)
    assert sorted(agent.pins("lab")) == sorted(set(SERVICES) - {"xgen-documents"})
    assert outcome.credentials() == {"aww-nexus-credentials", "lab-credentials"}
    for site in ("aww", "lab"):
        wanted = {image["reference"] for image in plan_of(agent.world, site)["images"]}
        assert len(wanted & set(outcome.pushed())) == len(SERVICES) - (site == "lab")
    keeps_secrets(outcome)
