"""What `xgen new` sealed the real engine opens: with the passphrase, and with a key of AWS KMS (moto)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import psutil
import pytest

from xgen_infra.rehearsal import moto_server
from xgen_infra.rehearsal.tools import Tool, ensure
from xgen_infra.stackfile import StackFile

from .folder import GIVEN, K3S, XGEN, environment, files, folder_of, xgen

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def engine() -> Path:
    return ensure({Tool.PULUMI}, print)[Tool.PULUMI]


@pytest.fixture(scope="module")
def kms() -> Iterator[dict[str, str]]:
    """A key with an alias, and the variables by which the engine reaches it."""
    with moto_server.running(enforce_iam=False) as server:
        login = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "ap-northeast-2"}
        client = boto3.client("kms", endpoint_url=server.url, region_name="ap-northeast-2",
                              aws_access_key_id="test", aws_secret_access_key="test")  # fmt: skip
        key = client.create_key()["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName="alias/xgen-acme-state", TargetKeyId=key)
        yield {**login, "AWS_ENDPOINT_URL_KMS": server.url}


def pulumi(engine: Path, folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    known = environment(**variables)
    known["PULUMI_BACKEND_URL"] = f"file://{folder}"
    command = [engine, *arguments, "--stack", "acme", "--non-interactive"]
    return subprocess.run(
        command, cwd=folder, env=known, capture_output=True, text=True, check=True, timeout=120
    )


def opened(engine: Path, folder: Path, key: str, **variables: str) -> str:
    return pulumi(engine, folder, "config", "get", f"xgen-infra:{key}", **variables).stdout.removesuffix("\n")


def test_the_engine_takes_the_file_as_it_is_and_opens_it_with_the_passphrase(
    tmp_path: Path, engine: Path
) -> None:
    folder = folder_of(tmp_path)
    assert xgen(folder, "new", "acme", *K3S, **GIVEN).returncode == 0
    before = (folder / "Pulumi.acme.yaml").read_text()
    pulumi(engine, folder, "stack", "init")
    assert opened(engine, folder, "gitPassword") == GIVEN["XGEN_GIT_PASSWORD"]
    assert (folder / "Pulumi.acme.yaml").read_text() == before


def test_a_key_of_kms_seals_through_the_engine_and_no_value_is_an_argument(
    tmp_path: Path, engine: Path, kms: dict[str, str]
) -> None:
    folder = folder_of(tmp_path)
    url = "awskms://alias/xgen-acme-state?region=ap-northeast-2"
    path = f"{engine.parent}{os.pathsep}{os.environ['PATH']}"
    known = environment(PATH=path, PULUMI_CONFIG_PASSPHRASE="", **GIVEN, **kms)
    command = [XGEN, "new", "acme", *K3S, "--secrets-provider", url]
    process = subprocess.Popen(
        command, cwd=folder, env=known, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    seen = arguments_while(process)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert any("pulumi" in line and "gitPassword" in line for line in seen)
    for value in GIVEN.values():
        assert not any(value in line for line in seen)
        assert value not in out + err
    file = StackFile.read(folder / "Pulumi.acme.yaml")
    assert file.data["secretsprovider"] == url
    assert set(file.data) == {"config", "secretsprovider", "encryptedkey"}
    before = (folder / "Pulumi.acme.yaml").read_text()
    pulumi(engine, folder, "stack", "init", "--secrets-provider", url, **kms)
    assert (folder / "Pulumi.acme.yaml").read_text() == before
    for key, value in (("registryPassword", "XGEN_REGISTRY_PASSWORD"), ("gitPassword", "XGEN_GIT_PASSWORD")):
        assert opened(engine, folder, key, **kms) == GIVEN[value]


def arguments_while(process: subprocess.Popen[str]) -> set[str]:
    """Collect the arguments of a command's children, again and again until it ends."""
    seen: set[str] = set()
    while process.poll() is None:
        try:
            family = psutil.Process(process.pid).children(recursive=True)
            seen |= {" ".join(one.cmdline()) for one in family}
        except psutil.Error:
            continue
    return seen


def test_a_key_that_cannot_be_used_leaves_no_file(tmp_path: Path, engine: Path, kms: dict[str, str]) -> None:
    folder = folder_of(tmp_path)
    url = "awskms://alias/no-such-key?region=ap-northeast-2"
    path = f"{engine.parent}{os.pathsep}{os.environ['PATH']}"
    made = xgen(folder, "new", "acme", *K3S, "--secrets-provider", url, PATH=path, **GIVEN, **kms)
    assert made.returncode == 1
    assert "no-such-key" in made.stderr
    assert "Traceback" not in made.stderr
    assert list(files(folder)) == ["Pulumi.yaml"]


def test_without_the_engine_a_key_service_is_refused_in_a_sentence(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    url = "awskms://alias/xgen-acme-state?region=ap-northeast-2"
    made = xgen(folder, "new", "acme", *K3S, "--secrets-provider", url, PATH="/nowhere", **GIVEN)
    assert made.returncode == 1
    assert "pulumi" in made.stderr
    assert "Traceback" not in made.stderr
    assert list(files(folder)) == ["Pulumi.yaml"]
