"""Argo CD's installation at a customer's: what its chart is told, what it may do, and where its secrets are."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from xgen_infra import naming, versions
from xgen_infra.delivery.argocd import rules
from xgen_infra.delivery.argocd_values import NOTIFICATIONS_SECRET, WEBHOOK_KEY, argocd_values
from xgen_infra.delivery.kinds import READ, RENDERED
from xgen_infra.folder import read_site
from xgen_infra.site import Site

from .conftest import ROOT
from .recording import SECRET, Recorded, canary, record

MIRROR = "nexus.lotteimall.example:5000"
SSH_URL = "ssh://git@gitlab.lotteimall.example:2222/xgen/xgen-infra.git"
KNOWN = "[gitlab.lotteimall.example]:2222 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE"
EVERYTHING: dict[str, Any] = {
    "high_availability": True,
    "dex": True,
    "notifications_webhook": True,
    "image_registry": MIRROR,
    "chart_repository": "https://charts.lotteimall.example",
}


def site(source: dict[str, Any] | None = None, **argocd: Any) -> Site:
    found = read_site(ROOT, "lotteimall")[1]
    return found.model_copy(
        update={
            "argocd": found.argocd.model_copy(update=argocd),
            "source": found.source.model_copy(update=source or {}),
        }
    )


def release(made: Recorded) -> dict[str, Any]:
    return dict(made.named("argocd-release").inputs)


def secrets(made: Recorded) -> dict[str, dict[str, Any]]:
    return {one.inputs["metadata"]["name"]: dict(one.inputs["stringData"]) for one in made.of("Secret")}


@pytest.fixture(scope="module")
def plain() -> Recorded:
    return record(site())


@pytest.fixture(scope="module")
def everything() -> Recorded:
    return record(site(**EVERYTHING), without=("git_ssh_key",))


def test_one_small_cluster_gets_one_of_each_and_nothing_that_was_not_asked_for() -> None:
    values = argocd_values(site())
    assert values["dex"]["enabled"] is False
    assert values["notifications"]["enabled"] is False
    assert values["applicationSet"]["replicas"] == 0
    assert values["server"]["replicas"] == values["repoServer"]["replicas"] == 1
    assert "redis-ha" not in values
    bounded = ["controller", "server", "repoServer", "redis"]
    assert all({"requests", "limits"} <= values[part]["resources"].keys() for part in bounded)


def test_high_availability_doubles_what_can_be_doubled() -> None:
    values = argocd_values(site(high_availability=True))
    assert values["server"]["replicas"] == values["repoServer"]["replicas"] == 2
    assert values["redis-ha"]["enabled"] is True
    assert "redis" not in values


def test_without_internet_chart_and_every_image_come_from_the_customers_mirror(everything: Recorded) -> None:
    inputs = release(everything)
    assert inputs["repositoryOpts"] == {"repo": EVERYTHING["chart_repository"]}
    assert inputs["version"] == versions.ARGO_CD.version
    images = re.findall(r"'repository': '([^']+)'", str(inputs["values"]))
    assert len(images) == 4
    assert all(image.startswith(f"{MIRROR}/") for image in images)


def test_by_default_the_chart_is_the_projects_own(plain: Recorded) -> None:
    assert release(plain)["repositoryOpts"] == {"repo": versions.ARGO_CD.repository}


def test_a_webhook_is_told_of_degraded_and_out_of_sync_and_its_address_is_secret(
    everything: Recorded,
) -> None:
    made = everything
    values = release(made)["values"]["notifications"]
    triggers = {name: yaml.safe_load(text)[0] for name, text in values["triggers"].items()}
    assert triggers["trigger.on-degraded"]["when"] == "app.status.health.status == 'Degraded'"
    assert triggers["trigger.on-out-of-sync"]["when"] == "app.status.sync.status == 'OutOfSync'"
    assert values["subscriptions"] == [
        {"recipients": ["xgen"], "triggers": ["on-degraded", "on-out-of-sync"]}
    ]
    assert yaml.safe_load(values["notifiers"]["service.webhook.xgen"])["url"] == f"${WEBHOOK_KEY}"
    assert secrets(made)[NOTIFICATIONS_SECRET] == {WEBHOOK_KEY: canary("argocd_webhook_url")}
    assert canary("argocd_webhook_url") in str(made.named("argocd-notifications").secrets)
    assert canary("argocd_webhook_url") not in json.dumps(release(made))


def test_no_password_passes_through_helm_or_stands_plain(everything: Recorded) -> None:
    told = json.dumps(release(everything))
    assert "canary-" not in told
    assert "adminpassword" not in told.lower()
    assert SECRET not in told
    carried = 0
    for one in everything.resources:
        for value in re.findall(r"canary-[a-z_]+", json.dumps(dict(one.inputs))):
            assert any(value in str(secret) for secret in one.secrets), (one.name, value)
            carried += 1
    assert carried > 5


def test_the_project_allows_this_repository_this_namespace_and_the_charts_kinds(plain: Recorded) -> None:
    chosen = site()
    spec = plain.named("applications-project").inputs["spec"]
    assert spec["sourceRepos"] == [chosen.source.repo_url]
    assert spec["destinations"] == [
        {"server": "https://kubernetes.default.svc", "namespace": chosen.namespace}
    ]
    assert spec["clusterResourceWhitelist"] == []
    assert spec["namespaceResourceWhitelist"] == [{"group": one.group, "kind": one.kind} for one in RENDERED]
    assert "Secret" not in json.dumps(spec)


@pytest.mark.parametrize("account", ["argocd-application-controller", "argocd-server"])
def test_argo_cd_may_act_in_one_namespace_on_the_charts_kinds_and_read_no_secret(
    account: str, plain: Recorded
) -> None:
    made = plain
    assert release(made)["values"]["createClusterRoles"] is False
    assert not made.of("ClusterRole")
    assert not made.of("ClusterRoleBinding")
    (role,) = [one for one in made.of("Role") if one.inputs["metadata"]["name"] == account]
    assert role.inputs["metadata"]["namespace"] == site().namespace
    reached = {resource for rule in rules(account) for resource in rule["resources"]}
    assert "secrets" not in reached
    assert not any("*" in rule[part] for rule in rules(account) for part in rule)
    changed = {
        resource
        for rule in rules(account)
        if {"create", "delete"} & set(rule["verbs"])
        for resource in rule["resources"]
    }
    controls = account == "argocd-application-controller"
    assert changed == ({kind.plural for kind in RENDERED} if controls else set())
    assert {kind.plural for kind in READ} <= reached


def test_git_by_ssh_gets_the_deploy_key_and_the_servers_own_keys() -> None:
    made = record(
        site({"repo_url": SSH_URL, "known_hosts": KNOWN}), without=("git_password", "argocd_webhook_url")
    )
    repository = made.named("applications-repository")
    assert repository.inputs["stringData"]["url"] == SSH_URL
    assert repository.inputs["stringData"]["sshPrivateKey"] == canary("git_ssh_key")
    assert canary("git_ssh_key") in str(repository.secrets)
    assert "password" not in repository.inputs["stringData"]
    assert release(made)["values"]["configs"]["ssh"] == {"extraHosts": KNOWN}


def test_git_by_https_gets_the_password_and_the_private_authority() -> None:
    made = record(site({"ca_certificate": "-----BEGIN CERTIFICATE-----"}))
    chosen = site()
    data = secrets(made)[f"repository-{chosen.project}"]
    assert data["username"] == chosen.source.username
    assert data["password"] == canary("git_password")
    certificates = release(made)["values"]["configs"]["tls"]["certificates"]
    assert certificates == {"gitlab.lotteimall.example": "-----BEGIN CERTIFICATE-----"}


def test_an_argo_cd_that_was_there_is_left_alone_and_its_applications_lose_what_overrules_the_file(
    plain: Recorded,
) -> None:
    chosen = site()
    assert chosen.k3s
    adopt = chosen.k3s.adopt.model_copy(update={"argocd": True})
    cluster = chosen.k3s.model_copy(update={"adopt": adopt})
    made = record(chosen.model_copy(update={"cluster": cluster}))
    assert not [one for one in made.resources if one.name.startswith("argocd")]
    (application,) = [one for one in made.resources if one.name == "applications-xgen-core"]
    source = application.inputs["spec"]["source"]
    assert (source["helm"]["values"], source["helm"]["parameters"]) == ("", [])
    assert application.inputs["metadata"]["namespace"] == naming.ARGOCD_NAMESPACE
    fresh = plain.named("applications-xgen-core").inputs["spec"]["source"]["helm"]
    assert "parameters" not in fresh
