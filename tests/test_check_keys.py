"""The keys around the site: configuration keys, secrets, and the engine's own; Pulumi.yaml's defaults."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from checking import SAMPLES, Wrong, findings, folder_with, sample

from xgen_infra import naming
from xgen_infra.findings import Refused, errors
from xgen_infra.folder import check_folder, read_site, vendor_in
from xgen_infra.secrets_catalog import SECRETS, Secret
from xgen_infra.stackfile import StackFile
from xgen_infra.validate import program_site

SEALED = "    secure: v1:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
REDIS = "  xgen-infra:redisPassword:\n" + SEALED

PROVIDER = "secretsprovider: awskms://alias/xgen-shared?region=eu-central-1\n"

WRONG = [
    Wrong("cloud", "config:\n", "@@aws:region: ap-northeast-2\nconfig:\n", "aws:region", "indent it below 'config:'"),
    Wrong("cloud", "config:\n", "config:\n  @@aws:region: ap-northeast-2\n", "aws:region", "write cluster.region"),
    Wrong("cloud", "config:\n", "config:\n  @@aws:profile: x\n", "aws:profile", "it would be ignored"),
    Wrong("cloud", "config:\n", "config:\n  @@kubernetes:context: x\n", "kubernetes:context", "write cluster.context"),
    Wrong("cloud", "config:\n", "config:\n  @@eks:x: y\n", "eks:x", "it would be ignored"),
    Wrong("cloud", "config:\n", 'config:\n  @@pulumi:disable-default-providers: ["x"]\n', "pulumi:disable-default-providers", "remove it"),
    Wrong("cloud", "config:\n", "config:\n  @@xgen-infra:vendor: {}\n", "xgen-infra:vendor", "Pulumi.yaml"),
    Wrong("cloud", "config:\n", "config:\n  @@xgen-infra:redisPasswrd: {secure: x}\n", "xgen-infra:redisPasswrd", "did you mean 'xgen-infra:redisPassword'?"),
    Wrong("cloud", "config:\n", "config:\n  @@xgen-infra:namespace: xgen\n", "xgen-infra:namespace", "below 'xgen-infra:site:'"),
    Wrong("cloud", "config:\n", "config:\n  @@redisPassword: {secure: x}\n", "redisPassword", "write 'xgen-infra:redisPassword'"),
    Wrong("cloud", "config:\n", "config:\n  @@namespace: xgen\n", "namespace", "keys begin with 'xgen-infra:'"),
    Wrong("cloud", "encryptionsalt:", "@@environment: [aww]\nencryptionsalt:", "environment", "remove it"),
    Wrong("shared", "secretsprovider:", "@@secretprovider: x\nsecretsprovider:", "secretprovider", "did you mean 'secretsprovider'?"),
    Wrong("cloud", "encryptionsalt:", "@@backend: s3\nencryptionsalt:", "backend", "one of config"),
    Wrong("shared", f"{PROVIDER}encryptedkey: AQICAHg=\n", PROVIDER.replace("aws", "@@aws", 1), "secretsprovider", "no encryptedkey"),
    Wrong("cloud", REDIS, "  xgen-infra:redisPassword: @@hunter2\n", "xgen-infra:redisPassword", "pulumi config set --secret"),
    Wrong("cloud", REDIS, "  xgen-infra:redisPassword: @@4711\n", "xgen-infra:redisPassword", "a secret in plain text"),
    Wrong("cloud", REDIS, "  xgen-infra:redisPassword: {secure: @@hunter2}\n", "xgen-infra:redisPassword.secure", "did not encrypt"),
    Wrong("cloud", REDIS, "  xgen-infra:redisPassword: @@{secure: [v1]}\n", "xgen-infra:redisPassword", "a secret in plain text"),
    Wrong("cloud", REDIS, "  xgen-infra:redisPassword:@@\n", "xgen-infra:redisPassword", "a secret in plain text"),
    Wrong("cloud", "host: qdrant.cloud.example", "host: @@{secure: 'v1:A:A'}", "infra.qdrant.host", "an encrypted value inside the site"),
    Wrong("cloud", "FEATURE_FLAGS: a,b", "SMTP_PASSWORD: @@{secure: 'v1:A:A'}", "vars.SMTP_PASSWORD", "an encrypted value inside the site"),
    Wrong("cloud", "apiAccess: [203.0.113.0/24]", "apiAccess: [@@{secure: 'v1:A:A'}]", "cluster.apiAccess[0]", "an encrypted value inside the site"),
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_wrong_key_is_the_one_error_of_its_file(tmp_path: Path, wrong: Wrong) -> None:
    found = errors(findings(tmp_path, {wrong.stack: wrong.text}))
    assert [(one.line, one.column, one.path) for one in found] == [(*wrong.place, wrong.path)], [
        one.text for one in found
    ]
    assert wrong.says in found[0].message
    assert "hunter2" not in found[0].text


@pytest.mark.parametrize("text", ["config:\n", "config: 5\n", "config: [a]\n", "encryptionsalt: x\n"])
def test_a_file_without_a_site_says_where_it_belongs(tmp_path: Path, text: str) -> None:
    (one,) = findings(tmp_path, {"x": text})
    assert "xgen-infra:site" in one.message


@pytest.mark.parametrize("value", ["", " 5", " []", " a"])
def test_a_site_that_is_no_mapping_is_refused(tmp_path: Path, value: str) -> None:
    found = errors(findings(tmp_path, {"x": f"config:\n  xgen-infra:site:{value}\n"}))
    assert [one.line for one in found] == [2]


def test_a_site_that_is_encrypted_as_a_whole_is_refused(tmp_path: Path) -> None:
    found = errors(findings(tmp_path, {"x": "config:\n  xgen-infra:site: {secure: 'v1:A:A'}\n"}))
    assert "the whole site encrypted" in found[0].found


@pytest.mark.parametrize("stack", ["cloud", "shared", "onprem", "vendors"])
def test_a_secret_that_the_site_needs_is_asked_for_by_its_command(tmp_path: Path, stack: str) -> None:
    text = sample(stack)
    keys = re.findall(r"^  (xgen-infra:\w+):\n    secure", text, re.MULTILINE)
    assert keys
    for key in keys:
        without = text.replace(f"  {key}:\n{SEALED}", "")
        (one,) = findings(tmp_path, {stack: without})
        assert f"no {key}" in one.found
        assert one.mend == f"run: pulumi config set --secret {key}"


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: secret.key)
def test_every_secret_is_needed_by_some_sample_and_says_by_which_sites(secret: Secret) -> None:
    needing = [stack for stack in ("cloud", "shared", "onprem", "vendors") if _needs(stack, secret)]
    assert needing
    assert secret.purpose
    assert secret.where


def _needs(stack: str, secret: Secret) -> bool:
    return secret.needed_when(read_site(SAMPLES, stack)[1])


def test_a_secret_that_the_site_does_not_use_is_a_warning(tmp_path: Path) -> None:
    text = sample("cloud").replace(REDIS, REDIS + REDIS.replace("redisPassword", "minioSecretKey"))
    (one,) = findings(tmp_path, {"cloud": text})
    assert one.severity == "warning"
    assert one.path == "xgen-infra:minioSecretKey"


def test_encrypted_values_without_a_key_are_a_warning(tmp_path: Path) -> None:
    (one,) = findings(tmp_path, {"cloud": re.sub(r"encryptionsalt.*", "", sample("cloud"))})
    assert (one.severity, one.path) == ("warning", "xgen-infra:registryPassword")


def test_tags_of_the_stack_are_allowed(tmp_path: Path) -> None:
    text = sample("cloud").replace("config:\n", "config:\n  pulumi:tags: {team: x}\n")
    assert findings(tmp_path, {"cloud": text}) == ()


@pytest.mark.parametrize("form", ["value", "default"])
def test_the_vendors_defaults_are_read_in_both_forms_of_project_configuration(
    tmp_path: Path, form: str
) -> None:
    folder = folder_with(tmp_path, {"vendors": sample("vendors")})
    project = folder / "Pulumi.yaml"
    project.write_text(project.read_text().replace("value:\n      registry", f"{form}:\n      registry"))
    assert naming.registry_host(read_site(folder, "vendors")[1]) == "docker.x2bee.com"


def test_a_wrong_default_of_the_vendor_is_refused_once_and_in_its_own_file(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {"vendors": sample("vendors"), "cloud": sample("cloud")})
    project = folder / "Pulumi.yaml"
    project.write_text(project.read_text().replace("docker.x2bee.com", "https://docker.x2bee.com"))
    with pytest.raises(Refused) as caught:
        check_folder(folder)
    (one,) = caught.value.findings
    line = next(n for n, text in enumerate(project.read_text().splitlines(), 1) if "docker.x2bee.com" in text)
    assert (one.file, one.line, one.path) == (str(project), line, "registry.host")


def test_without_vendors_defaults_a_site_names_its_registry(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {"vendors": sample("vendors")})
    (folder / "Pulumi.yaml").write_text("name: xgen-infra\nruntime: python\n")
    (one,) = errors(check_folder(folder).findings)
    assert (one.path, one.found) == ("registry", "nothing")


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_the_program_refuses_what_the_check_refuses(tmp_path: Path, wrong: Wrong) -> None:
    folder = folder_with(tmp_path, {wrong.stack: wrong.text})
    file = StackFile.read(folder / f"Pulumi.{wrong.stack}.yaml")
    with pytest.raises(Refused) as caught:
        program_site(file, wrong.stack, file.site, vendor_in(folder))
    assert wrong.path in {one.path for one in caught.value.findings}


def test_the_program_takes_the_engines_values_where_they_differ_from_the_file() -> None:
    file = StackFile.read(SAMPLES / "Pulumi.vendors.yaml")
    engine = {**file.site, "namespace": "other"}
    assert program_site(file, "vendors", engine, vendor_in(SAMPLES)).namespace == "other"
    assert program_site(file, "vendors", file.site, vendor_in(SAMPLES)).namespace == "xgen"


def test_the_program_refuses_the_engines_values_where_they_are_wrong() -> None:
    file = StackFile.read(SAMPLES / "Pulumi.vendors.yaml")
    with pytest.raises(Refused) as caught:
        program_site(file, "vendors", {**file.site, "namespace": "Other"}, vendor_in(SAMPLES))
    assert [one.path for one in caught.value.findings] == ["namespace"]


def test_the_program_reads_a_stack_from_a_file_of_any_name(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(sample("vendors"))
    file = StackFile.read(path)
    assert program_site(file, "vendors", file.site, vendor_in(SAMPLES)).stack == "vendors"


def test_the_program_refuses_wrong_defaults_of_the_vendor_that_stand_in_no_file(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.vendors.yaml"
    path.write_text(sample("vendors"))
    file = StackFile.read(path)
    with pytest.raises(Refused) as caught:
        program_site(file, "vendors", file.site, {"registry": {"kind": "nexus"}})
    assert [one.path for one in caught.value.findings] == ["registry.host"]
