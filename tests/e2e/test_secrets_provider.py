"""Changing what a stack is encrypted with: the commands of docs/tasks/change-the-secrets-provider.md."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
import yaml

from xgen_infra.engine import Engine, EngineError
from xgen_infra.engine.special import SECRET, SIGNATURE
from xgen_infra.rehearsal.moto_server import running
from xgen_infra.secrecy import Search

from .conftest import PASSPHRASE, ROOT

pytestmark = pytest.mark.e2e
REGION = "ap-northeast-2"
KMS = f"awskms://alias/xgen-aww-state?region={REGION}"
KEY = "xgen-infra:postgresPassword"
GENERATED = "generated-7f3a/+9e1c"
URN = "urn:pulumi:aww::xgen-infra::pulumi:pulumi:Stack::xgen-infra-aww"
STACK = {
    "urn": URN,
    "custom": False,
    "type": "pulumi:pulumi:Stack",
    "outputs": {"generated": {SIGNATURE: SECRET, "plaintext": json.dumps(GENERATED)}},
}


@dataclass(frozen=True)
class Customer:
    """A customer's folder and state, encrypted with the samples' passphrase."""

    folder: Path
    binary: Path

    def engine(self, **environment: str) -> Engine:
        common = {
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}",
        }
        return Engine(self.folder, self.binary, {**common, **environment})

    @property
    def file(self) -> dict[str, object]:
        document: dict[str, object] = yaml.safe_load((self.folder / "Pulumi.aww.yaml").read_text())
        return document

    def stored(self) -> bytes:
        """File and state as they lie there, backups and history left out: those are of before."""
        kept = [
            self.folder / "Pulumi.aww.yaml",
            *(self.folder / "state" / ".pulumi" / "stacks").rglob("aww.json"),
        ]
        assert len(kept) == 2
        return b"".join(path.read_bytes() for path in kept)

    def change(self, provider: str, said: str = "", **environment: str) -> str:
        done = subprocess.run(
            [str(self.binary), "stack", "change-secrets-provider", provider, "--stack", "aww"],
            cwd=self.folder,
            env={**os.environ, **self.engine(**environment).environment, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            input=said,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def secrets(self, **environment: str) -> dict[str, str]:
        """What file and state hold when they are opened: two of the file's values and the state's own."""
        engine = self.engine(**environment)
        opened = json.loads(engine.run("config", "--show-secrets", "--json", "--stack", "aww"))
        state = json.loads(engine.run("stack", "export", "--show-secrets", "--stack", "aww"))
        (stack,) = state["deployment"]["resources"]
        return {
            **{key: entry["value"] for key, entry in opened.items() if entry["secret"]},
            "generated": json.loads(stack["outputs"]["generated"]["plaintext"]),
        }


@pytest.fixture
def customer(pulumi: Path, tmp_path: Path) -> Customer:
    for name in ("home", "state"):
        (tmp_path / name).mkdir()
    for name in ("Pulumi.yaml", "Pulumi.aww.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    made = Customer(tmp_path, pulumi)
    engine = made.engine(PULUMI_CONFIG_PASSPHRASE=PASSPHRASE)
    engine.init("aww")
    state = engine.export("aww")
    state["deployment"]["resources"] = [STACK]
    (tmp_path / "import.json").write_text(json.dumps(state))
    engine.run("stack", "import", "--stack", "aww", "--file", str(tmp_path / "import.json"))
    (tmp_path / "import.json").unlink()
    return made


@pytest.fixture(scope="module")
def kms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment in which KMS is the emulator's, with the key that `xgen bootstrap` makes."""
    with running(tmp_path_factory.mktemp("kms")) as server:
        access = {"AWS_ACCESS_KEY_ID": "AKIAREHEARSALROOT000", "AWS_SECRET_ACCESS_KEY": "not-a-secret"}
        client = boto3.client(
            "kms",
            region_name=REGION,
            endpoint_url=server.url,
            aws_access_key_id=access["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=access["AWS_SECRET_ACCESS_KEY"],
        )
        key = client.create_key()["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName="alias/xgen-aww-state", TargetKeyId=key)
        yield {**access, "AWS_REGION": REGION, "AWS_ENDPOINT_URL_KMS": server.url}


def test_a_new_passphrase_opens_all_and_the_former_one_nothing(customer: Customer) -> None:
    before, sealed = customer.secrets(PULUMI_CONFIG_PASSPHRASE=PASSPHRASE), customer.file
    said = customer.change("passphrase", "a new one\na new one\n", PULUMI_CONFIG_PASSPHRASE=PASSPHRASE)
    assert customer.secrets(PULUMI_CONFIG_PASSPHRASE="a new one") == before
    assert before["generated"] == GENERATED
    with pytest.raises(EngineError, match="incorrect passphrase"):
        customer.secrets(PULUMI_CONFIG_PASSPHRASE=PASSPHRASE)
    assert customer.file["encryptionsalt"] != sealed["encryptionsalt"]
    assert customer.file["config"][KEY] != sealed["config"][KEY]  # type: ignore[index]
    assert customer.file["config"]["xgen-infra:site"] == sealed["config"]["xgen-infra:site"]  # type: ignore[index]
    assert Search(before).in_text("what it said", said) == []
    assert Search(before).in_bytes("file and state", customer.stored()) == []


def test_a_key_of_kms_opens_all_without_any_passphrase(customer: Customer, kms: dict[str, str]) -> None:
    before = customer.secrets(PULUMI_CONFIG_PASSPHRASE=PASSPHRASE)
    customer.change(KMS, PULUMI_CONFIG_PASSPHRASE=PASSPHRASE, **kms)
    assert customer.secrets(**kms) == before
    assert customer.file["secretsprovider"] == KMS
    assert customer.file["encryptedkey"]
    assert "encryptionsalt" not in customer.file
    assert Search(before).in_bytes("file and state", customer.stored()) == []
    # A value that is set afterwards is encrypted with the key as well.
    engine = customer.engine(**kms)
    engine.run("config", "set", "--secret", KEY, "set afterwards", "--stack", "aww")
    assert customer.secrets(**kms)[KEY] == "set afterwards"


def test_where_kms_refuses_nothing_is_opened_and_nothing_is_changed(
    customer: Customer, kms: dict[str, str]
) -> None:
    before = (customer.folder / "Pulumi.aww.yaml").read_bytes()
    wrong = {**kms, "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
    with pytest.raises(EngineError, match=r"NotFound|not found|does not exist|Alias"):
        customer.engine(**wrong).run(
            "stack", "change-secrets-provider", f"awskms://alias/none?region={REGION}", "--stack", "aww"
        )
    assert (customer.folder / "Pulumi.aww.yaml").read_bytes() == before
    assert customer.secrets(PULUMI_CONFIG_PASSPHRASE=PASSPHRASE)["generated"] == GENERATED
