"""The policy pack under the engine itself: what it refuses at preview, and what it is shown of secrets."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from standins.engine_bench import EngineBench, engine_bench

from policy.rules import RULES
from xgen_infra import policy
from xgen_infra.engine import EngineError
from xgen_infra.rehearsal.hosts import LanguageHosts
from xgen_infra.rehearsal.tools import Tool, ensure

pytestmark = pytest.mark.e2e

BUCKET = """
tagged = pulumi.ResourceOptions(provider=aws.Provider("tagged", region="ap-northeast-2", default_tags={
    "tags": {"site": "aww", "stack": "aww", "managed-by": "pulumi"}}), protect=True)
bucket = aws.s3.Bucket("documents", bucket="documents", opts=tagged)
aws.s3.BucketServerSideEncryptionConfiguration("sealed", bucket=bucket.id, opts=tagged, rules=[
    {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}])
closed = aws.s3.BucketPublicAccessBlock("closed", bucket=bucket.id, block_public_acls=True,
    block_public_policy=True, ignore_public_acls=True, restrict_public_buckets=CLOSED, opts=tagged)
role = aws.iam.Role("role", assume_role_policy=trust, description=TEXT, opts=tagged)
"""
PASSWORD = '"postgres://app:hunter2@db/xgen"'


@pytest.fixture(scope="module")
def engine(hosts: LanguageHosts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineBench]:
    binary = ensure([Tool.PULUMI], print)[Tool.PULUMI]
    with engine_bench(binary, tmp_path_factory.mktemp("policy"), hosts) as bench:
        yield bench


@pytest.mark.parametrize("own", [False, True], ids=["policy/run", "in a folder"])
def test_the_pack_says_its_port_at_once_though_its_output_is_no_terminal(tmp_path: Path, own: bool) -> None:
    _, run = policy.options(print, tmp_path if own else None)
    unset = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen([run, "127.0.0.1:1"], env=unset, stdout=subprocess.PIPE) as pack:
        assert pack.stdout
        said, _, _ = select.select([pack.stdout], [], [], 60)
        port = pack.stdout.readline() if said else b""
        pack.kill()
    assert port.strip().isdigit()


def test_a_bucket_without_its_guards_is_found_in_the_whole_stack(engine: EngineBench) -> None:
    whole = "\n".join(line for line in f"CLOSED, TEXT = True, 'a'{BUCKET}".splitlines())
    engine.program(whole.replace("bucket=bucket.id", "bucket='another'"))
    with pytest.raises(EngineError) as refused:
        engine.engine.preview("dev", *policy.options(print))
    assert refused.value.result
    found = {(one.rule, one.urn.rpartition("::")[2]) for one in refused.value.result.violations}
    assert found == {("no-public-bucket-in-the-stack", "documents"), ("encryption-in-the-stack", "documents")}


def test_what_breaks_a_rule_is_refused_and_named_and_what_is_marked_secret_is_not(
    engine: EngineBench,
) -> None:
    pack = policy.options(print)
    engine.program(f"CLOSED, TEXT = False, {PASSWORD}{BUCKET}")
    with pytest.raises(EngineError) as refused:
        engine.engine.preview("dev", *pack)
    assert refused.value.result
    found = {(one.rule, one.urn.rpartition("::")[2], one.level) for one in refused.value.result.violations}
    assert found == {
        ("no-public-bucket", "closed", "mandatory"),
        ("no-plain-secret", "role", "mandatory"),
    }
    assert (
        "no-public-bucket: closed: No bucket is reachable without credentials. restrictPublicBuckets"
        in str(refused.value)
    )
    assert "hunter2" not in str(refused.value)
    with pytest.raises(EngineError, match=r"no-(public-bucket|plain-secret): "):
        engine.engine.up("dev", *pack)
    assert not [one for one in engine.state() if one["type"].startswith("aws:s3/bucketPublic")]
    engine.program(f"CLOSED, TEXT = True, pulumi.Output.secret({PASSWORD}){BUCKET}")
    for result in (engine.engine.preview("dev", *pack), engine.engine.up("dev", *pack)):
        assert result.violations == ()
        judged = set(result.judged)
        assert {rule.name for rule in RULES if rule.each} <= judged
        assert {f"{rule.name}-in-the-stack" for rule in RULES if rule.whole} <= judged
