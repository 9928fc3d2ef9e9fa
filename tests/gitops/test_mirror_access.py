"""How the mirror reaches the customer's Git: a private authority, a deploy key, and no credential for anyone else."""

from __future__ import annotations

import os
import subprocess
import textwrap
from pathlib import Path

import pytest

from xgen_infra.folder import read_site
from xgen_infra.mirror.content import content
from xgen_infra.mirror.credentials import Credential, environment
from xgen_infra.rehearsal.control_plane.pki import Authority
from xgen_infra.rehearsal.gitops.repository import create_repository
from xgen_infra.site.parts import Source

from .conftest import PASSWORD, URL, Customers, Remote, served, through

HOST = "gitlab.aww.example"
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nnot a key\n-----END OPENSSH PRIVATE KEY-----"
KNOWN = f"{HOST} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE"


def indented(pem: str) -> str:
    return textwrap.indent(pem, " " * 8)


@pytest.mark.parametrize("trusted", [True, False])
def test_a_private_authority_is_trusted_where_the_file_names_it(
    trusted: bool, customers: Customers, tmp_path: Path
) -> None:
    ours, theirs = Authority(tmp_path / "ours", "ours"), Authority(tmp_path / "theirs", "theirs")
    pair = ours.issue("git-server", hosts=(HOST,))
    pem = (ours if trusted else theirs).cert.read_text()
    line = f"repoURL: https://{HOST}/xgen/xgen-infra.git\n      caCertificate: |\n{indented(pem)}"
    customers.edit("aww", f"repoURL: {URL}\n", line)
    with served(tmp_path / "tls", {HOST: (str(pair.cert), str(pair.key))}) as behind:
        done = customers.xgen("mirror", "aww", **through(behind.port, f"https://{HOST}"))
        if trusted:
            assert done.returncode == 0, done.stderr
            assert behind.files() == content(read_site(customers.folder, "aww")[1])
        else:
            assert done.returncode == 1
            assert "certificate" in done.stderr
            assert behind.git("for-each-ref") == ""


@pytest.mark.parametrize("given", ["text", "file"])
def test_a_deploy_key_goes_to_ssh_with_the_known_hosts_of_the_file(
    given: str, customers: Customers, tmp_path: Path
) -> None:
    root, folder, seen = tmp_path / "ssh", tmp_path / "bin", tmp_path / "seen"
    bare = create_repository(root, "/xgen/xgen-infra.git")
    folder.mkdir()
    # Stands in for ssh: notes its arguments and what its files hold, and runs what the server would.
    (folder / "ssh").write_text(
        f"""#!/bin/sh
printf '%s\\n' "$@" >> {seen}
while [ $# -gt 2 ]; do
  case "$1" in
    -i) stat -c 'key mode %a' "$2" >> {seen}; cat "$2" >> {seen}; shift ;;
    -o) case "$2" in UserKnownHostsFile=*) cat "${{2#*=}}" >> {seen} ;; esac; shift ;;
  esac
  shift
done
cd {root} && exec sh -c "$(printf '%s' "$2" | sed "s# '/# './#")"
"""
    )
    (folder / "ssh").chmod(0o755)
    line = f"repoURL: ssh://git@{HOST}/xgen/xgen-infra.git\n      knownHosts: {KNOWN}\n"
    customers.edit("aww", f"repoURL: {URL}\n", line)
    customers.edit("aww", "xgen-infra:gitPassword", "xgen-infra:gitSshKey")
    (tmp_path / "key").write_text(KEY + "\n")
    (tmp_path / "key").chmod(0o600)
    key = {"XGEN_GIT_SSH_KEY": KEY} if given == "text" else {"XGEN_GIT_SSH_KEY_FILE": str(tmp_path / "key")}
    done = customers.xgen("mirror", "aww", PATH=f"{folder}:{os.environ['PATH']}", **key)
    assert done.returncode == 0, done.stderr
    noted = seen.read_text()
    assert {"StrictHostKeyChecking=yes", "IdentitiesOnly=yes", "BatchMode=yes"} <= set(noted.splitlines())
    assert "key mode 600" in noted
    assert KEY in noted
    assert KNOWN in noted
    assert Remote(0, bare).files() == content(read_site(customers.folder, "aww")[1])


def test_the_credential_is_offered_to_its_own_origin_alone(tmp_path: Path) -> None:
    source = Source.model_validate({"repoURL": "https://git.aww.example:8443/xgen/xgen-infra.git"})
    env = {**os.environ, **environment(source, Credential("mirror", PASSWORD), tmp_path)}
    env |= {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": os.devnull}

    def asked(host: str) -> str:
        done = subprocess.run(
            ["git", "credential", "fill"],
            input=f"protocol=https\nhost={host}\n\n",
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout

    assert f"password={PASSWORD}" in asked("git.aww.example:8443").splitlines()
    for other in ("git.aww.example", "evil.example", "git.aww.example:8444"):
        assert PASSWORD not in asked(other)


def test_without_any_credential_the_message_names_the_ways_to_give_one(
    customers: Customers, tmp_path: Path
) -> None:
    engine = tmp_path / "bin" / "pulumi"
    engine.parent.mkdir()
    engine.write_text("#!/bin/sh\necho 'error: incorrect passphrase' >&2\nexit 255\n")
    engine.chmod(0o755)
    del customers.environment["XGEN_GIT_PASSWORD"]
    done = customers.xgen("mirror", "aww", PATH=f"{engine.parent}:{os.environ['PATH']}")
    assert done.returncode == 1
    for words in ("XGEN_GIT_PASSWORD", "xgen-infra:gitPassword", "incorrect passphrase"):
        assert words in done.stderr


def test_the_stacks_own_secure_value_is_used_where_the_environment_has_none(
    customers: Customers, remote: Remote, tmp_path: Path
) -> None:
    engine = tmp_path / "bin" / "pulumi"
    engine.parent.mkdir()
    engine.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\ncat {tmp_path}/password\n')
    engine.chmod(0o755)
    (tmp_path / "password").write_text(PASSWORD + "\n")
    del customers.environment["XGEN_GIT_PASSWORD"]
    done = customers.xgen("mirror", "aww", PATH=f"{engine.parent}:{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    assert "config get xgen-infra:gitPassword --stack aww" in (tmp_path / "asked").read_text()
    assert remote.files()
