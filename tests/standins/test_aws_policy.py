"""What IAM documents say of a request, by the rules of the IAM User Guide."""

from __future__ import annotations

from typing import Any

import pytest

from xgen_infra.rehearsal.standins.aws.emulator.policy import Ask, Verdict, verdict

ALLOW, DENY, SILENT = Verdict.ALLOW, Verdict.DENY, Verdict.SILENT
GET = Ask(
    "s3:GetObject",
    "arn:aws:s3:::documents/a",
    "arn:aws:iam::123456789012:user/documents",
    {"aws:SecureTransport": "false", "aws:SourceIp": "10.1.2.3", "aws:username": "documents"},
)


def _allow(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "s3:*", "Resource": "*", **elements}


def _deny(**elements: Any) -> dict[str, Any]:
    return _allow(**elements) | {"Effect": "Deny"}


CASES: tuple[tuple[str, list[dict[str, Any]], Verdict], ...] = (
    ("no statement", [], SILENT),
    ("an action in other letters", [_allow(Action="S3:getobject")], ALLOW),
    ("a wildcard in an action", [_allow(Action=["s3:Get*"])], ALLOW),
    ("another action", [_allow(Action="s3:PutObject")], SILENT),
    ("all actions but this one", [{"Effect": "Allow", "NotAction": "s3:GetObject", "Resource": "*"}], SILENT),
    ("a resource in other letters", [_allow(Resource="arn:aws:s3:::Documents/*")], SILENT),
    ("one letter of a resource", [_allow(Resource="arn:aws:s3:::documents/?")], ALLOW),
    ("the bucket is not its objects", [_allow(Resource="arn:aws:s3:::documents")], SILENT),
    ("a deny wins wherever it stands", [_deny(), _allow()], DENY),
    ("a deny of something else", [_deny(Action="s3:PutObject"), _allow()], ALLOW),
    ("everyone", [_allow(Principal="*")], ALLOW),
    ("the account", [_allow(Principal={"AWS": "123456789012"})], ALLOW),
    ("the account's root", [_allow(Principal={"AWS": ["arn:aws:iam::123456789012:root"]})], ALLOW),
    ("somebody else", [_allow(Principal={"AWS": "arn:aws:iam::123456789012:user/x"})], SILENT),
    ("everyone but this one", [_deny(NotPrincipal={"AWS": GET.principal}), _allow()], ALLOW),
    ("a condition that holds", [_deny(Condition={"Bool": {"aws:SecureTransport": "false"}}), _allow()], DENY),
    ("a condition that does not", [_deny(Condition={"Bool": {"aws:SecureTransport": "true"}}), _allow()], ALLOW),
    ("two operators, one of which fails", [_allow(Condition={
        "Bool": {"aws:SecureTransport": "false"}, "IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})], SILENT),
    ("a network", [_allow(Condition={"IpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}})], ALLOW),
    ("not in a network", [_allow(Condition={"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}})], SILENT),
    ("a key that is not there", [_allow(Condition={"StringEquals": {"aws:PrincipalTag/x": "y"}})], SILENT),
    ("a key that is not there, negated", [_allow(Condition={"StringNotEquals": {"aws:PrincipalTag/x": "y"}})], ALLOW),
    ("if it exists", [_allow(Condition={"StringEqualsIfExists": {"aws:PrincipalTag/x": "y"}})], ALLOW),
    ("null", [_allow(Condition={"Null": {"aws:PrincipalTag/x": "true"}})], ALLOW),
    ("a variable", [_allow(Resource="arn:aws:s3:::${aws:username}/*")], ALLOW),
    ("an unknown operator never opens", [_allow(Condition={"Perhaps": {"aws:username": "documents"}})], SILENT),
    ("an unknown operator never spares", [_deny(Condition={"Perhaps": {"aws:username": "documents"}})], DENY),
    ("dots are dots", [_allow(Resource="arn:aws:s3:::document./a")], SILENT),
)  # fmt: skip


@pytest.mark.parametrize(
    ("statements", "said"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_document_says(statements: list[dict[str, Any]], said: Verdict) -> None:
    assert verdict([{"Statement": statements}], GET) is said


def test_a_single_statement_need_not_be_a_list_and_documents_add_up() -> None:
    assert verdict([{"Statement": _allow()}], GET) is ALLOW
    assert verdict([{"Statement": _allow()}, {"Statement": [_deny()]}], GET) is DENY
