"""Stands between a request and moto, and asks who signed it and whether they may.

moto's own access control knows no conditions, no presigned URLs, no inactive keys, no bucket owner and no
permissions boundary. This one does, and lets the rehearsal's own root key through unchecked.
Rules: AWS General Reference, "Signature Version 4"; Amazon S3 User Guide, "How Amazon S3 authorizes a request".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlparse

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from moto.core.authorization import ActionAuthenticatorMixin
from moto.iam.access_control import IAMRequest, IAMRequestBase, PermissionResult, S3IAMRequest
from moto.iam.models import Policy, get_account_id_from, iam_backends
from moto.s3.exceptions import BucketAccessDeniedError, S3AccessDeniedError
from moto.s3.models import FakeBucket, s3_backends
from moto.utilities.utils import get_partition

from xgen_infra.rehearsal.standins.aws.emulator import requests
from xgen_infra.rehearsal.standins.aws.emulator.policy import Ask, Verdict, verdict
from xgen_infra.rehearsal.standins.aws.world import ROOT_KEY_ID

_PUBLIC_STS = ("AssumeRoleWithWebIdentity", "AssumeRoleWithSAML")
_SUBRESOURCE_ACTIONS = {
    "encryption": "EncryptionConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "replication": "ReplicationConfiguration",
    "object-lock": "BucketObjectLockConfiguration",
}


@dataclass(frozen=True)
class Caller:
    """Who signed: its ARN, account, and the documents that speak for it."""

    arn: str
    account: str
    documents: tuple[Mapping[str, Any], ...]
    boundary: Mapping[str, Any] | None


def install() -> None:
    """Replace moto's access control in this process."""
    ActionAuthenticatorMixin._authenticate_and_authorize_action = _authorize  # noqa: SLF001 - its one seam
    FakeBucket.get_permission = lambda *_: PermissionResult.NEUTRAL


def _authorize(response: Any, request_class: type[IAMRequestBase], resource: str = "*") -> None:
    headers, query = dict(response.headers), urlparse(response.uri).query
    presigned = "Authorization" not in headers and "X-Amz-Credential=" in query
    if presigned:
        headers["Authorization"] = _as_header(query)
    if "Authorization" not in headers:
        _authorize_anonymous(response, resource)
        return
    key_id = headers["Authorization"].partition("Credential=")[2].partition("/")[0]
    if key_id == ROOT_KEY_ID:
        return
    _refuse_inactive(response, request_class, key_id)
    request = _request(response, request_class, headers, get_account_id_from(key_id), presigned=presigned)
    request.check_signature()
    if not _permitted(_caller(request), _action(response, request), resource, response):
        request._raise_access_denied()  # noqa: SLF001 - the service's own form of the error


def _request(
    response: Any,
    request_class: type[IAMRequestBase],
    headers: dict[str, str],
    account: str,
    *,
    presigned: bool,
) -> IAMRequestBase:
    path, query = response.raw_path, urlparse(response.uri).query
    made: type[IAMRequestBase] = _PresignedRequest if presigned else request_class
    return made(
        account_id=account,
        method=response.method,
        path=f"{path}?{query}" if query else path,
        # Where there is no body moto takes what it parsed of the path for one, and no signature fits.
        data=response.data if _has_body(response) or issubclass(made, S3IAMRequest) else {},
        body=response.raw_body,
        headers=headers,
        action=response._get_action(),  # noqa: SLF001 - the base class's name for it
    )


def _has_body(response: Any) -> bool:
    return response.method not in {"GET", "HEAD", "DELETE"}


class _PresignedRequest(S3IAMRequest):  # type: ignore[misc]  # moto is not followed
    """A request whose signature stands in its query string, within its time."""

    def check_signature(self) -> None:
        query = dict(parse_qsl(urlparse(self._path).query))
        made = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if datetime.now(UTC) > made + timedelta(seconds=int(query["X-Amz-Expires"])):
            self._raise_access_denied()
        super().check_signature()

    def _calculate_signature(self) -> str:
        url = urlparse(self._path)
        pairs = [(k, v) for k, v in parse_qsl(url.query, keep_blank_values=True) if k != "X-Amz-Signature"]
        signed = self._get_string_between("SignedHeaders=", ",", self._headers["Authorization"]).split(";")
        request = AWSRequest(
            method=self._method,
            url=f"{url.path}?{urlencode(pairs)}",
            headers=self._create_headers_for_aws_request(signed, self._headers),
        )
        request.context["timestamp"] = dict(pairs)["X-Amz-Date"]
        auth = S3SigV4QueryAuth(self._access_key.create_credentials(), self._service, self._region)
        return str(auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request))


def _as_header(query: str) -> str:
    fields = dict(parse_qsl(query))
    return (
        f"AWS4-HMAC-SHA256 Credential={fields['X-Amz-Credential']}, "
        f"SignedHeaders={fields['X-Amz-SignedHeaders']}, Signature={fields['X-Amz-Signature']}"
    )


def _refuse_inactive(response: Any, request_class: type[IAMRequestBase], key_id: str) -> None:
    backend = iam_backends[get_account_id_from(key_id)][get_partition(response.region)]
    key = backend.access_keys.get(key_id)
    if key is not None and key.status != "Active":
        refusing = object.__new__(request_class)
        refusing._service, refusing._data = response.service_name, response.data
        refusing._raise_invalid_access_key("InvalidId")


def _caller(request: IAMRequestBase) -> Caller:
    key = request._access_key  # noqa: SLF001 - moto offers no other way to the signer
    if hasattr(key, "_owner_user_name"):
        arn = key.backend.get_user(key._owner_user_name).permissions_boundary_arn  # noqa: SLF001
    else:
        arn = key.backend.get_role(key._owner_role_name).permissions_boundary_arn  # noqa: SLF001
    boundary = next(_documents([key.backend.get_policy(arn)])) if arn else None
    return Caller(key.arn, key.account_id, tuple(_documents(key.collect_policies())), boundary)


def _documents(policies: list[Any]) -> Iterator[Mapping[str, Any]]:
    """Give the documents of what moto collects: managed policies, a user's inline ones, a role's (as text)."""
    for policy in policies:
        if isinstance(policy, Policy):
            yield json.loads(next(version.document for version in policy.versions if version.is_default))
        else:
            yield json.loads(policy if isinstance(policy, str) else policy["policy_document"])


def _action(response: Any, request: IAMRequestBase) -> str:
    action = str(request._action)  # noqa: SLF001
    if isinstance(request, S3IAMRequest):
        for name, noun in _SUBRESOURCE_ACTIONS.items():
            if name in parse_qs(urlparse(response.uri).query, keep_blank_values=True):
                return f"s3:{'Get' if response.method == 'GET' else 'Put'}{noun}"
        if action == "s3:HeadBucket":
            return "s3:ListBucket"
    return action


def _permitted(caller: Caller, action: str, resource: str, response: Any) -> bool:
    if action == "sts:GetCallerIdentity":
        return True
    asked = {**_context(response, caller), **requests.context(response, action)}
    for one, known in _asked_for(caller, action, resource, response):
        ask = Ask(action, one, caller.arn, {**asked, **known})
        own, (owner, bucket) = verdict(caller.documents, ask), _bucket(ask, response)
        if Verdict.DENY in {own, bucket}:
            return False
        if owner not in {"", caller.account} and (own, bucket) != (Verdict.ALLOW, Verdict.ALLOW):
            return False
        if caller.boundary is not None and verdict([caller.boundary], ask) is not Verdict.ALLOW:
            return False
        if Verdict.ALLOW not in {own, bucket}:
            return False
    return True


def _asked_for(caller: Caller, action: str, resource: str, response: Any) -> list[requests.Named]:
    """Name what is asked for: of some requests moto knows the ARN as well, but no condition key of its own."""
    if response.service_name == "s3":
        return [(one, {}) for one in _resources(action, resource, response)]
    found = requests.named(response, action, caller.account)
    return [(resource, {})] if found == requests.NOTHING else found


def _resources(action: str, resource: str, response: Any) -> list[str]:
    """Name each object of a multi-object delete; any other request asks for one resource."""
    if action == "s3:DeleteObject" and "/" not in resource.rpartition(":")[2]:
        return [f"{resource}/{key}" for key in re.findall("<Key>([^<]*)</Key>", _text(response.body))]
    return [resource]


def _text(body: Any) -> str:
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)


def _context(response: Any, caller: Caller | None) -> dict[str, str]:
    query = parse_qs(urlparse(response.uri).query)
    context = {
        "aws:SecureTransport": str(urlparse(response.uri).scheme == "https").lower(),
        "aws:SourceIp": "127.0.0.1",
        "s3:prefix": query.get("prefix", [""])[0],
    }
    for header in ("x-amz-server-side-encryption", "x-amz-acl"):
        if header in response.headers:
            context[f"s3:{header}"] = response.headers[header]
    if caller is not None:
        context |= {
            "aws:PrincipalArn": caller.arn,
            "aws:PrincipalAccount": caller.account,
            "aws:username": caller.arn.rpartition("/")[2],
        }
    return context


def _bucket(ask: Ask, response: Any) -> tuple[str, Verdict]:
    """Give the account that owns the bucket in question ("" if there is none) and what its policy says."""
    name = response.data.get("BucketName") or ask.resource.partition(":::")[2].partition("/")[0]
    if not ask.action.startswith("s3:") or not name:
        return "", Verdict.SILENT
    for account in list(s3_backends):
        bucket = s3_backends[account][get_partition(response.region)].buckets.get(name)
        if bucket is not None:
            said = verdict([json.loads(bucket.policy)], ask) if bucket.policy else Verdict.SILENT
            return account, said
    return "", Verdict.SILENT


def _authorize_anonymous(response: Any, resource: str) -> None:
    if response.service_name == "s3":
        ask = Ask(f"s3:{response._get_action()}", resource, "*", _context(response, None))  # noqa: SLF001
        if _bucket(ask, response)[1] is Verdict.ALLOW:
            return
        if "BucketName" in response.data:
            raise BucketAccessDeniedError(bucket=response.data["BucketName"])
        raise S3AccessDeniedError
    if response.service_name == "sts" and response._get_action() in _PUBLIC_STS:  # noqa: SLF001
        return
    refusing = object.__new__(IAMRequest)
    refusing._service = response.service_name
    refusing._raise_invalid_access_key("InvalidId")
