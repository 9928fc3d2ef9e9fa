"""`xgen import` by use: the older files' parameters come out of the new ones, and every value is accounted for."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from xgen_infra import catalog
from xgen_infra.folder import check_folder
from xgen_infra.projects.ledger import leaves

from .folder import GIVEN, files, folder_of, secrets_in, xgen, xgen_here

OLD = Path(__file__).parents[1] / "projects"
DATA = {
    "XGEN_POSTGRES_PASSWORD": "canary-pg",
    "XGEN_REDIS_PASSWORD": "canary-redis",
    "XGEN_QDRANT_API_KEY": "canary-qdrant",
}
AWS = [
    *("--account", "123456789012", "--management-vpc", "vpc-0a1b2c3d4e5f60718"),
    *("--management-cidr", "10.20.0.0/16", "--management-route-table", "rtb-0a1b2c3d4e5f60718"),
    *("--management-security-group", "sg-0a1b2c3d4e5f60718", "--plain-http"),
]


def run(folder: Path, old: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return xgen(folder, "import", str(OLD / old), *arguments, **{**GIVEN, **DATA, **variables})


def rendered(folder: Path, stack: str) -> dict[str, Any]:
    """The values that `xgen render` writes, by service."""
    out = folder / "rendered"
    done = xgen(folder, "render", stack, "--out", str(out))
    assert done.returncode == 0, done.stderr
    return {path.stem: yaml.safe_load(path.read_text()) for path in out.glob("**/values/*.yaml")}


def account(folder: Path, old: str, *arguments: str) -> dict[str, Any]:
    done = run(folder, old, "--json", *arguments)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_file_of_a_customer_on_aws_comes_out_with_its_own_parameters(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    done = run(folder, "xgen-aww.yaml", *AWS)
    assert done.returncode == 0, done.stderr
    assert check_folder(folder).findings == ()
    old = yaml.safe_load((OLD / "xgen-aww.yaml").read_text())
    values = rendered(folder, "aww")
    assert set(values) == set(catalog.NAMES)
    for service in old["environments"]["aww"]["services"]:
        made = values[service["name"]]
        assert made["global"]["registry"]["site"] == old["site"]
        assert made["global"]["registry"]["host"] == old["registryHost"]
        assert made["replicas"] == service["replicas"]
        for bound in ("minReplicas", "maxReplicas"):
            assert made["autoscaling"][bound] == service["autoscaling"][bound]
        assert made["resources"] == service["resources"]


def test_every_variable_of_the_older_file_reaches_the_services_with_its_value(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    assert run(folder, "xgen-aww.yaml", *AWS).returncode == 0
    old = yaml.safe_load((OLD / "xgen-aww.yaml").read_text())
    shown = xgen(folder, "explain", "aww", "--json")
    assert shown.returncode == 0, shown.stderr
    values = json.loads(shown.stdout)["services"]["xgen-documents"]
    environment = {**values["env"], **values["outputs"]["env"]}
    for name, value in old["vars"].items():
        assert environment[name] == value
    assert environment["POSTGRES_HOST"] == old["infra"]["postgres"]["host"]
    assert environment["MINIO_ENDPOINT"] == old["infra"]["minio"]["endpoint"]


def test_an_older_file_on_premises_makes_a_file_for_each_environment(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    done = run(folder, "xgen-onprem.yaml", XGEN_POSTGRES_PASSWORD="", XGEN_QDRANT_API_KEY="")
    assert done.returncode == 0, done.stderr
    assert set(files(folder)) == {"Pulumi.yaml", "Pulumi.onprem-stg.yaml", "Pulumi.onprem-prd.yaml"}
    assert check_folder(folder).findings == ()
    production, staging = rendered(folder, "onprem-prd"), rendered(folder, "onprem-stg")
    assert production["xgen-frontend"]["replicas"] == 2
    assert staging["xgen-frontend"]["autoscaling"]["maxReplicas"] == 2
    assert production["xgen-frontend"]["ingress"]["host"] == "xgen.onprem.example"
    assert staging["xgen-frontend"]["ingress"]["host"] == "stg.xgen.onprem.example"
    for values in (production, staging):
        core = values["xgen-core"]
        assert core["global"]["registry"] == {"host": "docker.x2bee.com", "project": "xgen", "site": "onprem"}
        assert core["env"]["APP_SITE"] == "onprem-platform"
        assert core["env"]["FEATURE_TIMEOUT"] == "30"
        assert core["env"]["REDIS_PORT"] == "6380"


def test_credentials_of_the_older_file_are_sealed_and_shown_nowhere(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    done = run(folder, "xgen-onprem.yaml", "--environment", "prd")
    assert done.returncode == 0, done.stderr
    found = secrets_in(folder, "onprem-prd")
    assert (found["minioAccessKey"], found["minioSecretKey"]) == ("minio", "minio12345")
    assert found["redisPassword"] == "canary-redis"
    text = done.stdout + done.stderr + (folder / "Pulumi.onprem-prd.yaml").read_text()
    for value in ("minio12345", "sk-not-to-be-shown", *DATA.values(), *GIVEN.values()):
        assert value not in text


@pytest.mark.parametrize(("old", "arguments"), [("xgen-aww.yaml", AWS), ("xgen-onprem.yaml", [])])
def test_every_value_is_carried_or_follows_from_others_or_is_listed(
    tmp_path: Path, old: str, arguments: list[str]
) -> None:
    told = account(folder_of(tmp_path), old, *arguments)["values"]
    lines = (OLD / old).read_text().splitlines()
    data = yaml.safe_load((OLD / old).read_text())
    assert len(told) == len(list(leaves(data, ())))
    for entry in told:
        assert entry["about"]
        last = entry["path"].rpartition(".")[2].partition("[")[0]
        if not entry["path"].endswith("]"):
            assert last in lines[entry["position"]["line"] - 1]


def test_what_cannot_be_carried_over_is_listed_with_the_reason(tmp_path: Path) -> None:
    told = account(folder_of(tmp_path), "xgen-onprem.yaml")["values"]
    left = {entry["path"]: entry["about"] for entry in told if entry["fate"] == "left"}
    assert set(left) == {
        "project.sourceNamespaces[0]",
        "destinations.stg.server",
        "destinations.old.server",
        "destinations.old.domain",
        "vars.MINIO_SECURE",
        "vars.OPENAI_API_KEY",
        "environments.prd.services[0].replica",
        "environments.prd.services[1].autoscaling.behavior",
        "environments.prd.services[2].name",
        "environments.prd.services[2].replicas",
    }
    assert "did you mean 'replicas'" in left["environments.prd.services[0].replica"]
    assert "kubeconfig" in left["destinations.stg.server"]
    assert "'false'" in left["vars.MINIO_SECURE"]


def test_a_value_put_anywhere_into_the_older_file_is_never_dropped_silently(tmp_path: Path) -> None:
    """A canary below every mapping of the file: each is told, whatever it is called."""
    folder = folder_of(tmp_path)
    data = yaml.safe_load((OLD / "xgen-aww.yaml").read_text())
    places = [path for path in mappings(data) if path not in {("destinations",), ("environments",)}]
    for path in places:
        at(data, path)["canaryKey"] = "canary"
    (tmp_path / "xgen-aww.yaml").write_text(yaml.safe_dump(data))
    done = xgen(folder, "import", "xgen-aww.yaml", "--json", *AWS, **GIVEN, **DATA)
    assert done.returncode == 0, done.stderr
    told = [one for one in json.loads(done.stdout)["values"] if one["path"].endswith("canaryKey")]
    assert len(told) == len(places)
    carried = {one["path"] for one in told if one["fate"] == "carried"}
    assert carried == {"vars.canaryKey"}
    assert "canaryKey: canary" in (folder / "Pulumi.aww.yaml").read_text()


def mappings(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    below = [found for key, item in items for found in mappings(item, (*path, key))]
    return [path, *below] if isinstance(data, dict) else below


def at(data: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        data = data[key]
    return data


WRONG = [
    ("  repoURL: http://gitlab.aww.example/xgen/xgen-infra.git\n", "", 7, "source.repoURL"),
    ("repoURL: http:", "repoURL: gopher:", 8, "expected the URL of a Git repository"),
    ("project:\n", "project: [\n", 0, "xgen-aww.yaml:"),
    ("project:\n", "project:\n\t", 3, "a tab"),
    ("environments:\n", "environment:\n", 1, "environments"),
    ("    services:\n", "    service:\n", 38, "services"),
    ("      - name: xgen-core\n", "      - name: xgen-frontend\n", 54, "a second time"),
    ("      - name: xgen-core\n", "      - nane: xgen-core\n", 54, "name"),
    ("namespace: xgen\n", "namespace: Xgen_1\n", 5, "a DNS label"),
    ('        replicas: 1\n        autoscaling: { minReplicas: 1, maxReplicas: 2 }\n        resources:\n          requests: { memory: "1Gi"',
     '        replicas: two\n        autoscaling: { minReplicas: 1, maxReplicas: 2 }\n        resources:\n          requests: { memory: "1Gi"', 67, "expected a whole number"),
    ('requests: { memory: "1Gi"', 'requests: { memory: "1Gib"', 70, "a Kubernetes quantity"),
    ('requests: { memory: "768Mi"', 'requests: { memory: "8Gi"', 64, "above the limit"),
    ('AWS_REGION: "ap-northeast-2"', 'AWS_REGION: "seoul"', 21, "an AWS region"),
    ('S3_BUCKET: "xgen-aww"\n  S3_D', 'S3_BUCKET: "Xgen"\n  S3_D', 22, "an S3 bucket name"),
    ('registryHost: "nexus', 'registryHost: "http://nexus', 17, "host or host:port"),
    ('    host: "10.20.1.10"\n  redis:', '    host: "10.99.1.10"\n  redis:', 29, "the private address 10.99.1.10"),
    ("vars:\n", "vars:\n  A-B: x\n", 20, "the name of an environment variable"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "says"), WRONG, ids=[one[3] for one in WRONG])
def test_a_wrong_older_file_is_refused_at_its_line_and_nothing_is_written(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    folder = folder_of(tmp_path)
    text = (OLD / "xgen-aww.yaml").read_text()
    assert old in text
    (tmp_path / "xgen-aww.yaml").write_text(text.replace(old, new, 1))
    done = xgen_here(folder, "import", "xgen-aww.yaml", *AWS, **GIVEN, **DATA)
    assert done.returncode == 1, done.stderr
    (first, *_) = done.stderr.splitlines()
    assert first.startswith(f"xgen-aww.yaml:{line}:" if line else "xgen-aww.yaml:"), done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(folder.glob("Pulumi.*.yaml"))


REFUSED = [
    ([], "--account"),
    ([*AWS, "--environment", "prd"], "--environment: xgen-aww.yaml has no 'prd'; it has aww"),
    ([*AWS, "--vpc-cidr", "10.20.0.0/16"], "--vpc-cidr: found 10.20.0.0/16, which overlaps management.cidr"),
]


@pytest.mark.parametrize(("arguments", "says"), REFUSED, ids=[one[1][:20] for one in REFUSED])
def test_what_only_flags_can_say_is_asked_for_by_its_flag(
    tmp_path: Path, arguments: list[str], says: str
) -> None:
    folder = folder_of(tmp_path)
    (tmp_path / "xgen-aww.yaml").write_text((OLD / "xgen-aww.yaml").read_text())
    done = xgen_here(folder, "import", "xgen-aww.yaml", *arguments, **GIVEN, **DATA)
    assert done.returncode == 2
    assert says in done.stderr
    assert not list(folder.glob("Pulumi.*.yaml"))


def test_a_password_of_a_server_that_runs_is_never_made_up(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    done = run(folder, "xgen-aww.yaml", *AWS, XGEN_REDIS_PASSWORD="")
    assert done.returncode == 2
    assert "redisPassword" in done.stderr
    assert not list(folder.glob("Pulumi.*.yaml"))


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "aww")
    before = files(folder)
    assert run(folder, "xgen-aww.yaml", *AWS).returncode == 2
    assert files(folder) == before
    done = run(folder, "xgen-aww.yaml", *AWS, "--name", "acme")
    assert done.returncode == 2  # another name, but the same mirror
    assert "takes too" in done.stderr
    assert files(folder) == before


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    done = xgen_here(folder_of(tmp_path), "import", "nowhere.yaml")
    assert done.returncode == 1
    assert "nowhere.yaml" in done.stderr
    assert "Traceback" not in done.stderr
