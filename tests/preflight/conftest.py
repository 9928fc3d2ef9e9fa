"""The sample customers in a folder of their own, and the command run there."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from xgen_infra import validate
from xgen_infra.cli import application
from xgen_infra.rehearsal import moto_server
from xgen_infra.rehearsal.ports import free_ports, release
from xgen_infra.rehearsal.standins.aws.emulator.networks import ExistingNetwork, ExistingSubnet
from xgen_infra.rehearsal.standins.aws.world import DEFAULT_ACCOUNT, ROOT_KEY_ID
from xgen_infra.rules import hosts

ROOT = Path(__file__).parents[2]
SECRETS = {
    "XGEN_REGISTRY_PASSWORD": "canary-registry",
    "XGEN_GIT_PASSWORD": "canary-git",
    "XGEN_POSTGRES_PASSWORD": "canary-postgres",
    "XGEN_REDIS_PASSWORD": "canary-redis",
    "XGEN_QDRANT_API_KEY": "canary-qdrant",
    "XGEN_MINIO_ACCESS_KEY": "canary-access",
    "XGEN_MINIO_SECRET_KEY": "canary-secret",
}
MANAGEMENT = "vpc-0a1b2c3d4e5f60718"
TABLE, GROUP = "rtb-0a1b2c3d4e5f60718", "sg-0a1b2c3d4e5f60718"


@dataclass
class Seen:
    """What one check said: its level, and each of its results."""

    level: str
    results: list[dict[str, str]] = field(default_factory=list)

    @property
    def found(self) -> str:
        return "\n".join(one["found"] for one in self.results)

    @property
    def mend(self) -> str:
        return "\n".join(one["mend"] for one in self.results if one["mend"])

    @property
    def problem(self) -> dict[str, str]:
        """Return the one result that is not well."""
        (found,) = [one for one in self.results if one["level"] != "ok"]
        return found


@dataclass
class Customers:
    """Customers' files that a test may change, and the environment of the command."""

    folder: Path
    environment: dict[str, str | None]

    def file(self, stack: str) -> Path:
        return self.folder / f"Pulumi.{stack}.yaml"

    def edit(self, stack: str, old: str, new: str) -> None:
        text = self.file(stack).read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {stack}"
        self.file(stack).write_text(text.replace(old, new))

    def xgen(self, *words: str, **environment: str | None) -> Any:
        """Run the command in this process; its result has exit_code, stdout and stderr."""
        return CliRunner().invoke(
            application(),
            ["-C", str(self.folder), *words],
            env={**self.environment, **environment},
            prog_name="xgen",
        )

    def look(self, stack: str, check: str, **environment: str | None) -> Seen:
        """Make one check by the command, and see that its exit status is its verdict."""
        words = ("preflight", stack, "--only", check, "--json", "--seconds", "30")
        done = self.xgen(*words, **environment)
        assert done.stdout, (done.stderr, done.exception)
        told = json.loads(done.stdout)
        (one,) = told["checks"]
        assert one["name"] == check
        assert (done.exit_code == 0) is told["good"] is (one["level"] != "error")
        for secret in SECRETS.values():
            assert secret not in done.stdout + done.stderr
        assert all(bool(result["mend"]) is (result["level"] != "ok") for result in one["results"])
        return Seen(one["level"], one["results"])


@pytest.fixture
def customers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Customers:
    folder = tmp_path / "customers"
    folder.mkdir()
    for path in (ROOT / "Pulumi.yaml", *ROOT.glob("Pulumi.*.yaml")):
        shutil.copy(path, folder)
    monkeypatch.chdir(folder)
    # The servers of these tests are on this machine, where no pod of a customer's could reach them.
    rules = tuple(rule for rule in validate.RULES if rule is not hosts.hosts_are_reachable)
    monkeypatch.setattr(validate, "RULES", rules)
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    return Customers(folder, {**SECRETS, "PULUMI_HOME": str(tmp_path / "pulumi")})


@dataclass(frozen=True)
class Aws:
    """An AWS on this machine, with its rules enforced."""

    url: str

    def client(self, service: str, region: str = "ap-northeast-2", account: str = DEFAULT_ACCOUNT) -> Any:
        """Return a client of an account's owner, who may do all."""
        keys = {"aws_access_key_id": ROOT_KEY_ID, "aws_secret_access_key": "not-a-secret"}
        made = boto3.client(service, region_name=region, endpoint_url=self.url, **keys)

        def name_account(request: Any, **_: Any) -> None:
            request.headers["x-moto-account-id"] = account

        made.meta.events.register("before-sign.*.*", name_account)
        return made

    def user(
        self, name: str, *policies: str, document: dict[str, Any] | None = None
    ) -> dict[str, str | None]:
        """Make a user with AWS' own policies, and one of the test; return the environment that it works in."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        for policy in policies:
            iam.attach_user_policy(UserName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        if document:
            iam.put_user_policy(UserName=name, PolicyName="test", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_SESSION_TOKEN": None,
            "AWS_PROFILE": None,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


THEIRS = "210987654321"
REGIONS = ("ap-northeast-2", "eu-central-1", "us-east-2", "us-west-2", "eu-west-1")
"""A region for each state of things, so that tests share one server."""


def _network(region: str, account: str = DEFAULT_ACCOUNT) -> ExistingNetwork:
    return ExistingNetwork(
        account=account,
        region=region,
        vpc_id=MANAGEMENT,
        cidr="10.20.0.0/16",
        route_table_ids=(TABLE,),
        security_group_ids=(GROUP,),
    )


def _existing(region: str) -> ExistingNetwork:
    subnets = tuple(
        ExistingSubnet(subnet_id=f"subnet-0123456789abcdef{number}", cidr=f"10.60.{number}.0/24", zone=zone)
        for number, zone in enumerate("abab")
    )
    return ExistingNetwork(
        account=DEFAULT_ACCOUNT,
        region=region,
        vpc_id="vpc-0123456789abcdef0",
        cidr="10.60.0.0/16",
        route_table_ids=("rtb-0123456789abcdef0",),
        subnets=subnets,
    )


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    networks = [*map(_network, REGIONS), _network("ap-northeast-2", THEIRS), _existing("eu-central-1")]
    with moto_server.running(tmp_path_factory.mktemp("aws"), networks=networks) as server:
        yield Aws(server.url)


@pytest.fixture(scope="session")
def administrator(aws: Aws) -> dict[str, str | None]:
    return aws.user("administrator", "AdministratorAccess")


@pytest.fixture
def on_aws(customers: Customers, administrator: dict[str, str | None]) -> Customers:
    """The customers, with an administrator's credentials."""
    customers.environment |= administrator
    return customers


@pytest.fixture
def moved(on_aws: Customers) -> Callable[[str], Customers]:
    """Return a way to put aww into another region."""

    def move(region: str) -> Customers:
        on_aws.edit("aww", "region: ap-northeast-2", f"region: {region}")
        return on_aws

    return move


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """Run an HTTP server on a free port of this machine."""
    (port,) = free_ports(1)
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        release([port])
