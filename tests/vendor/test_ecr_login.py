"""Amazon ECR is entered as the site's push principal, with what AWS gives for twelve hours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.client import BaseClient
from moto import mock_aws

from xgen_infra.registry import Problem, RegistryError
from xgen_infra.vendor.credentials import credential
from xgen_infra.vendor.targets import Ecr, Registry

ACCOUNT, REGION = "123456789012", "ap-northeast-2"


def registry(principal: str | None) -> Registry:
    host = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
    return Registry("ecr", host, plain_http=False, credential_id="ecr", ecr=Ecr(ACCOUNT, REGION, principal))


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield


@pytest.mark.usefixtures("aws")
def test_the_password_is_awss_own_and_the_user_is_fixed() -> None:
    found = credential(registry(None))
    assert found is not None
    assert found.username == "AWS"
    assert found.password
    assert found.password not in repr(found)


@pytest.mark.usefixtures("aws")
def test_a_role_that_pushes_is_assumed_and_asks_for_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    send = BaseClient._make_api_call

    def recorded(self: Any, operation: str, arguments: dict[str, Any]) -> Any:
        asked.append((operation, self._request_signer._credentials.access_key))
        return send(self, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", recorded)
    credential(registry(f"arn:aws:iam::{ACCOUNT}:role/ci/xgen-push"))
    assert [operation for operation, _ in asked] == [
        "GetCallerIdentity",
        "AssumeRole",
        "GetAuthorizationToken",
    ]
    caller, again, role = (key for _, key in asked)
    assert caller == again != role
    asked.clear()
    credential(registry(f"arn:aws:iam::{ACCOUNT}:user/jenkins"))
    assert [operation for operation, _ in asked] == ["GetAuthorizationToken"]


def test_without_an_identity_it_says_who_may_enter(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    role = f"arn:aws:iam::{ACCOUNT}:role/xgen-push"
    with pytest.raises(RegistryError) as refusal:
        credential(registry(role))
    assert refusal.value.problem is Problem.NO_CREDENTIALS
    assert role in refusal.value.mend
