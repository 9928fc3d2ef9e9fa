"""The mirror to a Git server that is reached by a deploy key, through Debian's own SSH server."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from xgen_infra.folder import read_site
from xgen_infra.mirror.content import content
from xgen_infra.rehearsal.ports import free_ports, listening, release
from xgen_infra.rehearsal.processes import Supervisor

ROOT = Path(__file__).parents[2]
SSHD = "/usr/sbin/sshd"
HOST = "gitlab.aww.example"
FOLDER = "sites/aww"
CORE = f"{FOLDER}/values/xgen-core.yaml"


def key() -> tuple[str, str]:
    """Return a private key and its public one, as OpenSSH writes them."""
    made = Ed25519PrivateKey.generate()
    openssh = serialization.PrivateFormat.OpenSSH
    private = made.private_bytes(serialization.Encoding.PEM, openssh, serialization.NoEncryption())
    public = made.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return private.decode(), public.decode()


@dataclass(frozen=True)
class Server:
    """An SSH server that lets one key in, and the customer's bare repository behind it."""

    port: int
    bare: Path
    deploy_key: str
    host_key: str

    @property
    def known(self) -> str:
        return f"[{HOST}]:{self.port} {self.host_key}"

    def git(self, *words: str, folder: Path | None = None) -> str:
        done = subprocess.run(
            ["git", "-c", "user.name=Somebody", "-c", "user.email=s@aww.example", *words],
            cwd=folder or self.bare,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "sshd"
    folder.mkdir(mode=0o700)
    (port,) = free_ports(1)
    (host, host_public), (deploy, deploy_public) = key(), key()
    for name, text in (("host", host), ("authorized", deploy_public + "\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    settings = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "authorized",
        "PidFile": "none",
        "AuthenticationMethods": "publickey",
        "PermitRootLogin": "prohibit-password",
        # The folder of a test lies below a world-writable one.
        "StrictModes": "no",
    }
    config = folder / "config"
    config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    bare = folder / "xgen-infra.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], check=True)
    with Supervisor(tmp_path / "run") as supervisor:
        supervisor.start(
            "sshd",
            [SSHD, "-D", "-e", "-f", str(config)],
            env=dict(os.environ),
            ready=listening(port),
            timeout=30,
        )
        yield Server(port, bare, deploy, host_public)
    release([port])


@pytest.fixture
def customer(server: Server, tmp_path: Path) -> Path:
    folder = tmp_path / "customer"
    (folder / "bin").mkdir(parents=True)
    # The ssh of this machine, which looks for the customer's host here.
    here = f"-o HostName=127.0.0.1 -o 'HostKeyAlias=[{HOST}]:{server.port}'"
    (folder / "bin" / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} {here} "$@"\n')
    (folder / "bin" / "ssh").chmod(0o755)
    shutil.copy(ROOT / "Pulumi.yaml", folder)
    text = (ROOT / "Pulumi.aww.yaml").read_text().replace("xgen-infra:gitPassword", "xgen-infra:gitSshKey")
    old = "repoURL: http://gitlab.aww.example/xgen/xgen-infra.git\n"
    assert old in text
    new = (
        f"repoURL: ssh://{getpass.getuser()}@{HOST}:{server.port}{server.bare}\n"
        f'      path: {FOLDER}\n      knownHosts: "{server.known}"\n'
    )
    (folder / "Pulumi.aww.yaml").write_text(text.replace(old, new, 1))
    return folder


def mirror(customer: Path, private_key: str, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "XGEN_", "SSH_"))
    }
    return subprocess.run(
        [sys.executable, "-m", "xgen_infra.cli", "-C", str(customer), "mirror", "aww", *words],
        env={
            **kept,
            "XGEN_GIT_SSH_KEY": private_key,
            "PATH": f"{customer / 'bin'}{os.pathsep}{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_deploy_key_brings_the_content_below_its_folder_and_nothing_over_a_strangers_commit(
    server: Server, customer: Path, tmp_path: Path
) -> None:
    done = mirror(customer, server.deploy_key)
    assert done.returncode == 0, done.stderr
    expected = content(read_site(customer, "aww")[1])
    there = server.git("ls-tree", "-r", "--name-only", "--full-tree", "main").splitlines()
    assert set(there) == {f"{FOLDER}/{path}" for path in expected}
    assert server.git("show", f"main:{CORE}") == expected[CORE.removeprefix(f"{FOLDER}/")].decode().strip()
    assert "nothing to do" in mirror(customer, server.deploy_key).stdout

    clone = tmp_path / "clone"
    server.git("clone", "--quiet", str(server.bare), str(clone))
    (clone / CORE).write_text("# by hand\n")
    server.git("commit", "--quiet", "--all", "--message", "By hand", folder=clone)
    server.git("push", "--quiet", "origin", "main", folder=clone)
    theirs = server.git("rev-parse", "main")
    refused = mirror(customer, server.deploy_key)
    assert refused.returncode == 1
    assert f"--over {theirs}" in refused.stderr
    assert server.git("rev-parse", "main") == theirs
    assert mirror(customer, server.deploy_key, "--over", theirs).returncode == 0
    assert server.git("rev-parse", "main~1") == theirs


def test_another_key_and_another_server_are_refused_in_a_sentence(server: Server, customer: Path) -> None:
    stranger, _ = key()
    refused = mirror(customer, stranger)
    assert refused.returncode == 1
    assert "check the credential" in refused.stderr
    file = customer / "Pulumi.aww.yaml"
    file.write_text(file.read_text().replace(server.host_key, key()[1]))
    impostor = mirror(customer, server.deploy_key)
    assert impostor.returncode == 1
    assert "Host key verification failed" in impostor.stderr
    for done in (refused, impostor):
        assert "Traceback" not in done.stderr
        assert "PRIVATE KEY" not in done.stderr
    assert server.git("for-each-ref") == ""
