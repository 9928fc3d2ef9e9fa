"""The registry client finds what a tag is, and names what is wrong with the mend for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from xgen_infra.registry import Credential, Endpoint, Problem, RegistryClient, RegistryError
from xgen_infra.rehearsal.ports import free_ports, release

from .registry_stub import Stub, authority, serve, tls

REPOSITORY = "xgen/aww/xgen-core"
TAG = "latest-amd64"
LOGIN = Credential("pusher", "p@ss:w/ö", "the test")
USER = (LOGIN.username, LOGIN.password)


def client(stub: Stub, credential: Credential | None = None, **endpoint: object) -> RegistryClient:
    place = Endpoint(stub.host, **{"plain_http": True, **endpoint})  # type: ignore[arg-type]
    return RegistryClient(place, credential, timeout=3, attempts=1)


def refused(stub: Stub, credential: Credential | None = None, **endpoint: object) -> RegistryError:
    with pytest.raises(RegistryError) as refusal, client(stub, credential, **endpoint) as registry:
        registry.resolve(REPOSITORY, TAG)
    assert refusal.value.mend
    assert LOGIN.password not in str(refusal.value)
    return refusal.value


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serve(Stub()) as running:
        yield running


def test_a_tag_of_one_platform_is_its_own_digest(stub: Stub) -> None:
    digest = stub.put(REPOSITORY, TAG)
    with client(stub) as registry:
        assert registry.resolve(REPOSITORY, TAG).digest == digest
        assert registry.resolve(REPOSITORY, digest).digest == digest


def test_a_tag_of_several_platforms_is_the_digest_of_the_one_asked_for(stub: Stub) -> None:
    digests = stub.put_index(REPOSITORY, TAG, "linux/arm64", "linux/amd64")
    with client(stub) as registry:
        assert registry.resolve(REPOSITORY, TAG).digest == digests["linux/amd64"]
        assert registry.resolve(REPOSITORY, TAG, "linux/arm64").digest == digests["linux/arm64"]


def test_basic_and_bearer_logins_both_open_the_registry() -> None:
    for bearer in (False, True):
        with serve(Stub(user=USER, bearer=bearer)) as stub:
            digest = stub.put(REPOSITORY, TAG)
            with client(stub, LOGIN) as registry:
                registry.check()
                assert registry.resolve(REPOSITORY, TAG).digest == digest


def test_no_login_is_sent_where_none_is_asked_for(stub: Stub) -> None:
    stub.put(REPOSITORY, TAG)
    with client(stub, LOGIN) as registry:
        registry.resolve(REPOSITORY, TAG)
    assert {authorization for _, authorization in stub.requests} == {""}


@pytest.mark.parametrize("bearer", [False, True])
def test_wrong_credentials_are_named_with_where_they_came_from(bearer: bool) -> None:
    with serve(Stub(user=USER, bearer=bearer)) as stub:
        problem = refused(stub, Credential("pusher", "old", "the environment"))
        assert problem.problem is Problem.CREDENTIALS
        assert "pusher (the environment)" in problem.found
        assert refused(stub).problem is Problem.NO_CREDENTIALS


def test_a_user_without_the_right_to_read_is_told_so() -> None:
    with serve(Stub(user=USER, bearer=True, readers={"xgen/main/xgen-core"})) as stub:
        stub.put(REPOSITORY, TAG)
        assert refused(stub, LOGIN).problem is Problem.FORBIDDEN
        stub.readers.add(REPOSITORY)
        with client(stub, LOGIN) as registry:
            registry.resolve(REPOSITORY, TAG)


def test_a_missing_repository_and_a_missing_tag_are_told_apart(stub: Stub) -> None:
    problem = refused(stub)
    assert (problem.problem, "has no repository" in problem.found) == (Problem.MISSING, True)
    stub.put(REPOSITORY, "other")
    problem = refused(stub)
    assert (problem.problem, f"{REPOSITORY}:{TAG} is not there" in problem.found) == (Problem.MISSING, True)


@pytest.mark.parametrize("platforms", [["linux/arm64"], ["linux/arm64", "windows/amd64"]])
def test_an_image_of_another_architecture_is_refused_with_what_it_is(
    stub: Stub, platforms: list[str]
) -> None:
    if len(platforms) == 1:
        stub.put(REPOSITORY, TAG, *platforms)
    else:
        stub.put_index(REPOSITORY, TAG, *platforms)
    problem = refused(stub)
    assert problem.problem is Problem.ARCHITECTURE
    assert all(platform in problem.found for platform in (*platforms, "linux/amd64"))
    assert "unknown" not in problem.found


def test_an_index_whose_image_is_gone_is_a_missing_image(stub: Stub) -> None:
    digests = stub.put_index(REPOSITORY, TAG, "linux/amd64")
    del stub.manifests[REPOSITORY, digests["linux/amd64"]]
    assert refused(stub).problem is Problem.MISSING


def test_plain_http_where_tls_was_said_is_named(stub: Stub) -> None:
    problem = refused(stub, LOGIN, plain_http=False)
    assert problem.problem is Problem.SPEAKS_HTTP
    assert "plainHttp: true" in problem.mend
    assert {authorization for _, authorization in stub.requests} == {""}


def test_tls_where_plain_http_was_said_is_named(tmp_path: Path) -> None:
    _, certificate, key = authority(tmp_path)
    with serve(Stub(), tls(certificate, key)) as stub:
        problem = refused(stub, LOGIN)
        assert problem.problem is Problem.SPEAKS_TLS
        assert "remove plainHttp: true" in problem.mend


def test_a_redirect_to_https_is_tls_where_plain_http_was_said(stub: Stub) -> None:
    stub.overrides.append(lambda path: (301, {"Location": f"https://{stub.host}{path}"}, b""))
    assert refused(stub).problem is Problem.SPEAKS_TLS


def test_a_private_authority_is_unknown_until_the_file_names_it(tmp_path: Path) -> None:
    pem, certificate, key = authority(tmp_path)
    with serve(Stub(user=USER), tls(certificate, key)) as stub:
        digest = stub.put(REPOSITORY, TAG)
        problem = refused(stub, LOGIN, plain_http=False)
        assert problem.problem is Problem.UNKNOWN_CA
        assert "registry.caCertificate" in problem.mend
        with client(stub, LOGIN, plain_http=False, ca_certificate=pem) as registry:
            assert registry.resolve(REPOSITORY, TAG).digest == digest


@pytest.mark.parametrize(
    ("options", "words"), [({"name": "nexus.example"}, "another name"), ({"days": -1}, "has expired")]
)
def test_a_certificate_of_another_name_or_of_yesterday_is_named(
    tmp_path: Path, options: dict[str, object], words: str
) -> None:
    pem, certificate, key = authority(tmp_path, **options)  # type: ignore[arg-type]
    with serve(Stub(), tls(certificate, key)) as stub:
        problem = refused(stub, plain_http=False, ca_certificate=pem)
        assert problem.problem is Problem.CERTIFICATE
        assert words in problem.found


def test_a_text_that_is_no_certificate_is_refused_before_anything_is_sent(stub: Stub) -> None:
    problem = refused(stub, plain_http=False, ca_certificate="no PEM")
    assert problem.problem is Problem.UNKNOWN_CA
    assert stub.requests == []


def test_what_cannot_be_reached_says_why() -> None:
    (port,) = free_ports(1)
    try:
        problem = refused(Stub(port=port))
        assert problem.problem is Problem.UNREACHABLE
        assert "refused" in problem.found.lower()
    finally:
        release([port])
    with pytest.raises(RegistryError) as unknown:
        RegistryClient(Endpoint("registry.invalid"), timeout=3, attempts=1).check()
    assert unknown.value.problem is Problem.UNREACHABLE


def test_a_web_server_that_is_no_registry_is_named(stub: Stub) -> None:
    stub.overrides.append(lambda _: (404, {}, b"<html>"))
    assert refused(stub).problem is Problem.NO_REGISTRY


def test_what_passes_in_a_moment_is_tried_again(stub: Stub) -> None:
    digest = stub.put(REPOSITORY, TAG)
    failures = [503, 429]
    stub.overrides.append(lambda _: (failures.pop(), {}, b"") if failures else None)
    with RegistryClient(Endpoint(stub.host, plain_http=True), timeout=3, attempts=3) as registry:
        assert registry.resolve(REPOSITORY, TAG).digest == digest


def test_a_password_is_never_sent_to_a_realm_without_tls(tmp_path: Path) -> None:
    pem, certificate, key = authority(tmp_path)
    with serve(Stub()) as listener:
        realm = f"http://{listener.host}/token"
        with serve(Stub(user=USER, bearer=True, realm=realm), tls(certificate, key)) as stub:
            problem = refused(stub, LOGIN, plain_http=False, ca_certificate=pem)
            assert problem.problem is Problem.ANSWER
            assert listener.requests == []


def test_a_login_does_not_follow_a_redirect_to_another_host(stub: Stub) -> None:
    with serve(Stub(user=USER)) as first:
        digest = first.put(REPOSITORY, TAG)
        stub.blobs.update(first.blobs)
        first.overrides.append(
            lambda path: (
                (307, {"Location": f"http://127.0.0.1:{stub.port}{path}"}, b"") if "blobs" in path else None
            )
        )
        with client(first, LOGIN) as registry:
            assert registry.resolve(REPOSITORY, TAG).digest == digest
    assert [authorization for _, authorization in stub.requests] == [""]


def test_content_that_is_not_what_the_digest_says_is_refused(stub: Stub) -> None:
    digest = stub.put(REPOSITORY, TAG)
    other = stub.put(REPOSITORY, "other", content="x")
    stub.manifests[REPOSITORY, digest] = stub.manifests[REPOSITORY, other]
    with pytest.raises(RegistryError) as refusal, client(stub) as registry:
        registry.resolve(REPOSITORY, digest)
    assert refusal.value.problem is Problem.ANSWER


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"manifests": 3, "mediaType": "x"}', b"\xff", b"1" * 5_000_000]
)
def test_nonsense_is_refused_and_never_crashes(stub: Stub, content: bytes) -> None:
    index = "application/vnd.oci.image.index.v1+json"
    for kind in ("text/html", index):
        stub.overrides[:] = [lambda _, kind=kind: (200, {"Content-Type": kind}, content)]  # type: ignore[misc]
        refused(stub)
