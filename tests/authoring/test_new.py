"""`xgen new` by use: a right file by flags or by questions, strong secrets in it and nowhere else, none written over."""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xgen_infra.folder import check_folder
from xgen_infra.site import Site

from .folder import EKS, GIVEN, K3S, Terminal, files, folder_of, secrets_in, site_in, xgen, xgen_here

KINDS = {
    "eks": [*EKS, "--admin", "arn:aws:iam::123456789012:role/platform"],
    "eks-nexus": [*EKS, "--registry", "nexus", "--registry-host", "nexus.acme.example:5000", "--plain-http"],
    "eks-ecr": [*EKS, "--registry", "ecr", "--push-principal", "arn:aws:iam::999999999999:role/push"],
    "eks-public": [*EKS, "--exposure", "public", "--domain", "xgen.acme.example",
                   "--certificate-arn", "arn:aws:acm:ap-northeast-2:123456789012:certificate/1111-2222"],
    "k3s": K3S,
    "k3s-local": [*K3S, "--registry", "local"],
    "k3s-internal": [*K3S, "--exposure", "internal", "--domain", "xgen.mart.example", "--tls-secret", "xgen-tls"],
    "k3s-helm": [*K3S, "--delivery", "helm", "--namespace", "platform"],
}  # fmt: skip


def variables(kind: str) -> dict[str, str]:
    unused = {"XGEN_REGISTRY_PASSWORD"} if kind in {"eks-ecr", "k3s-local"} else set()
    return {key: value for key, value in GIVEN.items() if key not in unused}


@pytest.mark.parametrize("kind", KINDS)
def test_flags_alone_make_a_file_that_check_takes(tmp_path: Path, kind: str) -> None:
    folder = folder_of(tmp_path, "main", "lotteimall", "aww")
    before = files(folder)
    made = xgen(folder, "new", "acme", *KINDS[kind], **variables(kind))
    assert made.returncode == 0, made.stderr
    assert [one for one in check_folder(folder).findings if "acme" in one.file] == []
    after = files(folder)
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"Pulumi.acme.yaml"}


def test_the_file_names_the_schema_and_says_what_its_keys_are_for(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    assert xgen(folder, "new", "acme", *EKS, **GIVEN).returncode == 0
    text = (folder / "Pulumi.acme.yaml").read_text()
    assert text.splitlines()[0] == "# yaml-language-server: $schema=schemas/stack.schema.json"
    lines = text.splitlines()
    for key in ("account", "region", "vpcCidr", "management", "infra", "exposure"):
        index = next(number for number, line in enumerate(lines) if re.match(rf" +{key}:", line))
        assert lines[index - 1].strip().startswith("# "), key


def test_what_is_made_up_is_strong_and_different_each_time(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    for stack in ("one", "two"):
        site = [*K3S[:-1], f"https://gitlab.{stack}.example/a/b.git"]
        assert xgen(folder, "new", stack, *site, **GIVEN).returncode == 0
    one, two = secrets_in(folder, "one"), secrets_in(folder, "two")
    assert one["registryPassword"] == GIVEN["XGEN_REGISTRY_PASSWORD"]
    assert one["gitPassword"] == GIVEN["XGEN_GIT_PASSWORD"]
    made = [*("postgresPassword", "redisPassword", "qdrantApiKey", "minioAccessKey", "minioSecretKey")]
    values = [site[key] for site in (one, two) for key in made]
    assert len(set(values)) == len(values)
    for key in made:
        assert re.fullmatch(r"[A-Za-z0-9]{20,}", one[key])
        assert key == "minioAccessKey" or len(one[key]) >= 32


def test_no_secret_is_shown_or_stands_in_plain(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    made = xgen(folder, "new", "acme", *EKS, **GIVEN)
    assert made.returncode == 0
    text = made.stdout + made.stderr + (folder / "Pulumi.acme.yaml").read_text()
    for value in secrets_in(folder, "acme").values():
        assert value not in text


def test_secrets_are_read_from_files(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (tmp_path / "token").write_text("from a file: $ \" ' \\\n")
    site = [*K3S, "--secret-file", f"gitPassword={tmp_path / 'token'}"]
    assert xgen(folder, "new", "acme", *site, XGEN_REGISTRY_PASSWORD="r").returncode == 0
    assert secrets_in(folder, "acme")["gitPassword"] == "from a file: $ \" ' \\"


def test_a_repository_by_ssh_gets_a_key_pair_whose_public_half_is_told(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (tmp_path / "keys").write_text("gitlab.acme.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==\n")
    site = ["--kind", "k3s", "--repo-url", "ssh://git@gitlab.acme.example/xgen/xgen-infra.git"]
    made = xgen(
        folder, "new", "acme", *site, "--known-hosts", str(tmp_path / "keys"), XGEN_REGISTRY_PASSWORD="r"
    )
    assert made.returncode == 0, made.stderr
    key = folder / "key"
    key.write_text(secrets_in(folder, "acme")["gitSshKey"])
    key.chmod(0o600)
    public = subprocess.run(["ssh-keygen", "-y", "-f", key], capture_output=True, text=True, check=True)
    assert " ".join(public.stdout.split()[:2]) in made.stdout
    site_now = site_in(folder, "acme")
    assert isinstance(site_now, Site)
    assert site_now.source.known_hosts == (tmp_path / "keys").read_text()


def test_the_default_network_is_one_that_no_other_site_has(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "aww")
    networks = []
    for number in range(3):
        repository = ["--repo-url", f"http://gitlab.acme{number}.example/xgen/xgen-infra.git"]
        assert xgen(folder, "new", f"acme{number}", *EKS, *repository, **GIVEN).returncode == 0
        site = site_in(folder, f"acme{number}")
        assert isinstance(site, Site)
        assert site.eks
        networks.append(site.eks.vpc_cidr)
    aww = site_in(folder, "aww")
    assert isinstance(aww, Site)
    assert aww.eks
    every = [aww.eks.vpc_cidr, *networks]
    assert not any(one.overlaps(two) for one in every for two in every if one is not two)
    assert check_folder(folder).findings == ()


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "aww")
    before = files(folder)
    made = xgen(folder, "new", "aww", *EKS, **GIVEN)
    assert (made.returncode, files(folder)) == (2, before)
    assert "Pulumi.aww.yaml is there already" in made.stderr


def test_of_two_that_write_at_once_one_wins_whole(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _: xgen(folder, "new", "acme", *K3S, **GIVEN), range(2)))
    assert sorted(one.returncode for one in made) == [0, 2]
    assert check_folder(folder).findings == ()
    assert sorted(files(folder)) == ["Pulumi.acme.yaml", "Pulumi.yaml"]


REFUSED = [
    (["acme"], "--kind"),
    (["acme", "--kind", "eks"], "--account"),
    (["acme", "--kind", "eks"], "--data-host"),
    (["acme", "--kind", "xks"], "'xks' is not one of"),
    (["acme", *EKS, "--account", "12345"], "--account: found '12345'; expected twelve digits"),
    (["acme", *EKS, "--vpc-cidr", "10.41.0.0/8"], "--vpc-cidr: found '10.41.0.0/8'; the address has bits set"),
    (["acme", *EKS, "--vpc-cidr", "10.40.0.0/16"], "--vpc-cidr: found 10.40.0.0/16, which overlaps"),
    (["acme", *EKS, "--vpc-cidr", "172.18.0.0/16"], "Docker's own network"),
    (["acme", *EKS, "--data-host", "192.168.7.7"], "--data-host"),
    (["acme", *EKS, "--admin", "somebody"], "--admin: found 'somebody'"),
    (["acme", *EKS, "--tls-secret", "tls"], "--tls-secret does not apply beside --kind eks"),
    (["acme", *EKS, "--exposure", "public"], "--domain"),
    (["acme", *K3S, "--account", "123456789012"], "--account does not apply beside --kind k3s"),
    (["acme", *K3S, "--registry", "nexus"], "--registry-host"),
    (["acme", *K3S, "--repo-url", "gitlab"], "--repo-url: found 'gitlab'; expected the URL of a Git repository"),
    (["acme", *K3S, "--secret-file", "gitPassword"], "--secret-file: expected KEY=FILE"),
    (["acme", *K3S, "--secret-file", "nope=x"], "--secret-file: expected KEY=FILE"),
    (["acme", *K3S, "--secret-file", "gitPassword=/no/such/file"], "/no/such/file: No such file"),
    (["acme", *K3S, "--secrets-provider", "awskms"], "--secrets-provider: found 'awskms'"),
    (["Acme", *K3S], "'Acme': expected a stack's name"),
    (["../acme", *K3S], "'../acme': expected a stack's name"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "says"), REFUSED, ids=lambda value: str(value)[-40:])
def test_wrong_or_missing_answers_are_named_by_their_flag_and_nothing_is_written(
    tmp_path: Path, arguments: list[str], says: str
) -> None:
    folder = folder_of(tmp_path, "aww")
    before = files(folder)
    made = xgen_here(folder, "new", *arguments, **GIVEN)
    assert made.returncode in {1, 2}
    assert says in made.stderr
    assert "Traceback" not in made.stderr
    assert files(folder) == before


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"XGEN_GIT_PASSWORD": "x"}, "registryPassword"),
        ({"XGEN_REGISTRY_PASSWORD": "x"}, "XGEN_GIT_PASSWORD"),
        ({**GIVEN, "PULUMI_CONFIG_PASSPHRASE": ""}, "PULUMI_CONFIG_PASSPHRASE"),
    ],
)
def test_a_secret_or_passphrase_that_nobody_gives_is_named(
    tmp_path: Path, variables: dict[str, str], says: str
) -> None:
    folder = folder_of(tmp_path)
    made = xgen_here(folder, "new", "acme", *K3S, **variables)
    assert made.returncode == 2
    assert says in made.stderr
    assert list(files(folder)) == ["Pulumi.yaml"]


def test_at_a_terminal_everything_is_asked_and_defaults_are_taken(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "aww")
    terminal = Terminal(folder, "new", "acme", PULUMI_CONFIG_PASSPHRASE="")
    terminal.reply("Where does it run?", "eks")
    terminal.reply("What do people call", "")
    terminal.reply("E-mail", "platform@acme.example")
    terminal.reply("Git repository", "gitlab")
    terminal.reply("expected the URL", "http://gitlab.acme.example/xgen/xgen-infra.git")
    terminal.reply("AWS account", "123")
    terminal.reply("expected twelve digits", "123456789012")
    terminal.reply("[ap-northeast-2]", "")
    terminal.reply("Id of the VPC", "vpc-0a1b2c3d4e5f60718")
    terminal.reply("Network of that VPC", "10.20.0.0/16")
    terminal.reply("route tables", "rtb-0a1b2c3d4e5f60718, rtb-0a1b2c3d4e5f60719")
    terminal.reply("security groups", "sg-0a1b2c3d4e5f60718")
    terminal.reply("[10.41.0.0/16]", "10.40.0.0/16")
    for words in ("administrators", "runners", "over the internet"):
        terminal.reply(words, "")
    terminal.reply("Host of PostgreSQL", "10.20.1.10")
    terminal.reply("Which registry", "")
    terminal.reply("Who reaches", "")
    terminal.reply("Host name of the platform", "")
    terminal.reply("certificate in ACM", "")
    # 10.40.0.0/16 is a right network, but another site has it: it is asked again, alone
    terminal.reply("--vpc-cidr: found 10.40.0.0/16, which overlaps", "")
    _finish_at_a_terminal(terminal)
    site = site_in(folder, "acme")
    assert isinstance(site, Site)
    assert site.eks
    assert site.management
    assert str(site.eks.vpc_cidr) == "10.41.0.0/16"
    assert len(site.management.route_table_ids) == 2
    assert site.owner == "platform@acme.example"
    found = secrets_in(folder, "acme", "asked passphrase")
    assert found["registryPassword"] == "typed-registry"
    assert found["redisPassword"] == "typed-redis"
    assert len(found["postgresPassword"]) >= 32
    for value in ("typed-registry", "typed-redis", "asked passphrase"):
        assert value not in terminal.shown


def _finish_at_a_terminal(terminal: Terminal) -> None:
    for words, value in (
        ("registryPassword: the password", "typed-registry"),
        ("gitPassword: the password", ""),
        ("a value is needed", "typed-git"),
        ("at 10.20.1.10 (empty: one is made up)", ""),
        ("redisPassword", "typed-redis"),
        ("qdrantApiKey", ""),
        ("Passphrase that encrypts", "asked passphrase"),
        ("Repeat", "asked passphrase"),
    ):
        terminal.reply(words, value, hidden=True)
    assert terminal.end() == 0, terminal.shown


def test_at_a_terminal_nothing_is_asked_where_that_is_said(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    terminal = Terminal(folder, "new", "acme", *K3S, "--no-input", **GIVEN)
    assert terminal.end() == 0
    assert "?" not in terminal.shown
