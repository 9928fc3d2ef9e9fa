"""The promise: a new customer is exactly one new file. Everything made for it carries its values and no other's."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import yaml
from gitops.conftest import PASSWORD, USERNAME, served, through
from runbook.recording import outputs_of
from vendor.folder import ROOT, SERVICES, xgen, xgen_json

from xgen_infra.delivery.services import overlay
from xgen_infra.folder import read_site
from xgen_infra.site import Site

from .conftest import SOMEONE

NAME = "canary"
FILE = f"Pulumi.{NAME}.yaml"
REPOSITORY = "http://gitlab.kingfisher.example/xgen/xgen-infra.git"
REGISTRY = "nexus.kingfisher.example:8443"
BRANCH = "kingfisher-branch"
ACCOUNT = "987650001234"
TEXT = f"""\
config:
  xgen-infra:site:
    site: kingfisher
    project: birds
    namespace: kingfisher-ns
    branch: {BRANCH}
    canary: true
    source: {{repoURL: "{REPOSITORY}", targetRevision: kingfisher-revision, username: kingfisher-reader}}
    cluster:
      kind: eks
      account: "{ACCOUNT}"
      region: eu-central-1
      vpcCidr: 10.177.0.0/16
      admins: ["arn:aws:iam::{ACCOUNT}:role/kingfisher-admins"]
    management:
      vpcId: vpc-0cafe1cafe1cafe1c
      cidr: 10.178.8.0/24
      routeTableIds: [rtb-0cafe1cafe1cafe1c]
      securityGroupIds: [sg-0cafe1cafe1cafe1c]
    infra:
      postgres: {{host: 10.178.8.31}}
      redis: {{host: 10.178.8.32}}
      qdrant: {{host: 10.178.8.33}}
    registry: {{kind: nexus, host: "{REGISTRY}", credentialId: kingfisher-credentials, username: kingfisher-pull}}
    exposure: {{kind: internal, domain: xgen.kingfisher.example}}
    vars: {{KINGFISHER: blue}}
"""
IMAGE = f"{REGISTRY}/birds/kingfisher/xgen-core"


class Clone:
    """A clean clone of this tree, and the one new file in it."""

    def __init__(self, folder: Path) -> None:
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split(
            "\0"
        )
        for name in filter(None, names):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        self.folder = folder
        for words in (
            ("init", "--quiet", "--initial-branch=main"),
            ("add", "--all"),
            ("commit", "--quiet", "-m", "x"),
        ):
            self.git(*words)
        sealed = yaml.safe_load((folder / "Pulumi.aww.yaml").read_text())
        secrets = {
            key: {"secure": "v1:AAAAAAAAAAAAAAAA:AAAA"}
            for key in sealed["config"]
            if key != "xgen-infra:site"
        }
        dumped = yaml.safe_dump(secrets)
        (folder / FILE).write_text(
            TEXT + "".join(f"  {line}\n" for line in dumped.splitlines()) + "encryptionsalt: v1:k:v1:k:k\n"
        )

    def git(self, *words: str) -> str:
        command = ["git", *SOMEONE, *words]
        return subprocess.run(command, cwd=self.folder, capture_output=True, check=True, text=True).stdout

    @cached_property
    def site(self) -> Site:
        return read_site(self.folder, NAME)[1]

    @cached_property
    def foreign(self) -> set[str]:
        """What stands in another customer's file and in no other place: neither a default nor the canary's own."""
        own = set(leaves(self.site.model_dump(mode="json", by_alias=True)))
        found: set[str] = set()
        for file in self.folder.glob("Pulumi.*.yaml"):
            if file.name != FILE:
                data = yaml.safe_load(file.read_text())
                found |= set(leaves(data["config"])) | {file.name}
                found |= {file.name.split(".")[1]} - {"main"}
        common = {"internal", "nexus", "main", "eks", "k3s", "m7i.2xlarge", "ap-northeast-2"}
        return {word for word in found - own - common if len(word) > 2}


def leaves(value: Any) -> Iterator[str]:
    """Yield every text and distinctive number below a value."""
    if isinstance(value, Mapping):
        for one in value.values():
            yield from leaves(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from leaves(one)
    elif isinstance(value, str):
        yield value


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone(tmp_path_factory.mktemp("clone"))


def judge(clone: Clone, artefact: str, *expected: str) -> None:
    """The artefact carries the canary's values, no other site's literal; and the clone still has one new file."""
    assert [word for word in expected if word not in artefact] == []
    strange = [
        word for word in clone.foreign if re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", artefact)
    ]
    assert strange == []
    assert clone.git("status", "--porcelain") == f"?? {FILE}\n"


def test_the_words_of_others_are_really_looked_for(clone: Clone) -> None:
    assert {
        "aww",
        "lotteimall",
        "10.40.0.0/16",
        "nexus.aww.example:5000",
        "platform@x2bee.example",
    } <= clone.foreign
    with pytest.raises(AssertionError):
        judge(clone, "a host of nexus.aww.example:5000")


def test_its_file_is_right_and_the_only_one_that_is_new(clone: Clone) -> None:
    assert "0 errors" in xgen(clone.folder, "check").stderr
    judge(clone, xgen(clone.folder, "affected", "--against", "HEAD").stdout, NAME)
    assert xgen(clone.folder, "affected", "--against", "HEAD").stdout == f"{NAME}\n"


def offered(folder: Path) -> str:
    """What Jenkins offers and builds for it: the choices are the sites' names."""
    sites = xgen_json(folder, "sites")["sites"]
    (own,) = (one for one in sites if one["site"] == "kingfisher")
    return json.dumps(own)


def planned(folder: Path) -> str:
    return xgen(folder, "build-plan", "--site", "kingfisher", "--json").stdout


def rolled_out(folder: Path) -> str:
    xgen(folder, "pipeline", "--since", "HEAD", "--output", "build/rollout.yml")
    return (folder / "build" / "rollout.yml").read_text()


def rendered(folder: Path) -> str:
    return xgen(folder, "render", NAME).stdout


def platform_images(folder: Path) -> str:
    return xgen(folder, "images", NAME).stdout


def explained(folder: Path) -> str:
    return xgen(folder, "explain", NAME, "xgen-core", "POSTGRES_HOST").stdout


def ran_through(folder: Path) -> str:
    """The runbook, from what the program exports."""
    file = folder / "build" / "outputs.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(outputs_of(read_site(folder, NAME)[1])))
    return xgen(folder, "runbook", NAME, "--outputs", str(file)).stdout


ARTEFACTS: dict[str, tuple[Callable[[Path], str], tuple[str, ...]]] = {
    "sites": (offered, ("kingfisher", BRANCH, REGISTRY, "kingfisher-credentials")),
    "build-plan": (planned, (f"{IMAGE}:latest-amd64", BRANCH, "kingfisher-credentials")),
    "pipeline": (rolled_out, (f"up {NAME}", f"mirror {NAME}", f"role/birds-{NAME}", ACCOUNT, "eu-central-1")),
    "render": (rendered, (REGISTRY, "kingfisher", "10.178.8.31", "KINGFISHER: blue")),
    "images": (platform_images, ()),
    "explain": (explained, ("10.178.8.31", FILE)),
    "runbook": (ran_through, (NAME, "kingfisher-ns")),
}
"""What is made for a customer, by the verb that makes it, with values of its file that must be in it."""


@pytest.mark.parametrize("verb", ARTEFACTS)
def test_what_is_made_for_it_carries_its_values_and_nobody_elses(clone: Clone, verb: str) -> None:
    make, expected = ARTEFACTS[verb]
    judge(clone, make(clone.folder), *expected)


def test_its_git_and_its_manifests_carry_its_values_and_nobody_elses(
    clone: Clone, helm: Path, tmp_path: Path
) -> None:
    with served(tmp_path / "served") as remote:
        place = through(remote.port, "http://gitlab.kingfisher.example")
        xgen(
            clone.folder,
            "mirror",
            NAME,
            env={**place, "XGEN_GIT_USERNAME": USERNAME, "XGEN_GIT_PASSWORD": PASSWORD},
        )
        files = remote.files("kingfisher-revision")
    for name, data in files.items():
        (tmp_path / "git" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "git" / name).write_bytes(data)
    judge(
        clone,
        "".join(f"{name}\n{data.decode()}" for name, data in files.items()),
        REGISTRY,
        "KINGFISHER: blue",
    )
    manifests = ""
    for service in SERVICES:
        (tmp_path / "stack.json").write_text(json.dumps(overlay(clone.site, service, {})))
        words = ["template", service, "charts/xgen-service", "--values", f"values/{service}.yaml"]
        words += ["--values", str(tmp_path / "stack.json"), "--namespace", clone.site.namespace]
        done = subprocess.run(
            [helm, *words], cwd=tmp_path / "git", capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        manifests += done.stdout
    judge(
        clone,
        manifests,
        f"{IMAGE}:latest-amd64",
        "10.178.8.31",
        "10.178.8.32",
        "10.178.8.33",
        "xgen.kingfisher.example",
    )


@pytest.mark.e2e
def test_its_preview_carries_its_values_and_nobody_elses(clone: Clone) -> None:
    (clone.folder / "build").mkdir(exist_ok=True)
    xgen(clone.folder, "preview", NAME, "--against", "HEAD", "--output", "build/preview.md")
    judge(clone, (clone.folder / "build" / "preview.md").read_text(), NAME, "<!-- xgen preview -->")
