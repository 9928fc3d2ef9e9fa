"""Three registries as customers have them: one with tokens per path, one on plain HTTP, one of a private authority."""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import subprocess
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bcrypt
import yaml
from vendor.folder import eks, environment, k3s, nexus, write
from vendor.registry_stub import authority, tls

from xgen_infra.rehearsal.ports import free_ports, listening, release
from xgen_infra.rehearsal.processes import Supervisor, clean_environment
from xgen_infra.rehearsal.tools import Tool

from .proxy import proxy
from .tokens import Reader, token_server

VENDOR, AWW, LAB, TOKENS = (
    "docker.x2bee.example:443",
    "nexus.aww.example:5000",
    "harbor.lab.example:8443",
    "auth.x2bee.example:443",
)
PUSHERS = {
    "nexus-credentials": ("jenkins", "push+vendor/=%"),
    "aww-nexus-credentials": ("jenkins-aww", "push aww \"'$"),
    "lab-credentials": ("jenkins-lab", "push-lab-ö"),
}
"""Credentials as Jenkins holds them, by id."""
PULLERS = {
    "main": ("pull-main", "pull+main/="),
    "lotteimall": ("pull-lotteimall", "pull&lotteimall"),
    "aww": ("pull-aww", "pull\\aww"),
    "lab": ("pull-lab", "pull:lab"),
}
"""The user that each site's cluster pulls with; the password is its secure key registryPassword."""


@dataclass(frozen=True)
class World:
    """A folder of customers' files and the registries that they name, reached through `proxy`."""

    folder: Path
    crane: Path
    proxy: str
    bundle: Path
    scratch: Path

    def env(self, **extra: str) -> dict[str, str]:
        """The environment of a machine in this world: the vendor's authority is known to it."""
        names = {"HTTP_PROXY": self.proxy, "HTTPS_PROXY": self.proxy, "SSL_CERT_FILE": str(self.bundle)}
        lower = {name.lower(): value for name, value in names.items() if "PROXY" in name}
        return {**names, **lower, "DOCKER_CONFIG": str(self.scratch / "no-docker"), **extra}

    def run_crane(
        self, *words: str | Path, login: Mapping[str, Any] | None = None, insecure: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run crane with a `.dockerconfigjson` as its only credential."""
        home = self.scratch / "docker"
        home.mkdir(exist_ok=True)
        (home / "config.json").write_text(json.dumps(login or {}))
        command = [self.crane, *(["--insecure"] if insecure else []), *words]
        env = environment(**self.env(DOCKER_CONFIG=str(home)))
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)


def docker_login(host: str, user: tuple[str, str]) -> dict[str, Any]:
    return {"auths": {host: {"auth": b64encode(":".join(user).encode()).decode()}}}


def sites(pem: str) -> dict[str, dict[str, Any]]:
    """Customers' files: two at the vendor's registry, one on plain HTTP, one with a private authority."""
    aww = nexus(AWW, plainHttp=True, credentialId="aww-nexus-credentials", username="pull-aww")
    lab = nexus(LAB, credentialId="lab-credentials", username="pull-lab", caCertificate=pem)
    at_vendor = {"credentialId": "nexus-credentials"}
    return {
        "main": k3s("main", registry=nexus(VENDOR.removesuffix(":443"), username="pull-main", **at_vendor)),
        "lotteimall": k3s(
            "lotteimall", registry=nexus(VENDOR.removesuffix(":443"), username="pull-lotteimall", **at_vendor)
        ),
        "aww": eks(1, registry=aww),
        "lab": k3s("lab", registry=lab),
    }


@contextlib.contextmanager
def world(root: Path, tools: Mapping[Tool, Path]) -> Iterator[World]:
    """Start the registries and write the files that name them."""
    certificates = {}
    for name in (VENDOR, LAB, TOKENS):
        place = root / name.partition(":")[0]
        place.mkdir()
        certificates[name] = (*authority(place, name=name.partition(":")[0]), place / "ca.crt")
        certificates[name][3].write_text(certificates[name][0])
    bundle = root / "authorities.pem"
    default = ssl.get_default_verify_paths().cafile
    known = Path(default).read_text() if default and Path(default).is_file() else ""
    bundle.write_text(known + certificates[VENDOR][0] + certificates[TOKENS][0])
    with contextlib.ExitStack() as stack:
        users = {
            "jenkins": Reader(PUSHERS["nexus-credentials"][1], "xgen/", writes=True),
            **{
                PULLERS[site][0]: Reader(PULLERS[site][1], f"xgen/{site}/") for site in ("main", "lotteimall")
            },
        }
        _, certificate, key, ca = certificates[TOKENS]
        tokens = stack.enter_context(token_server(users, tls(certificate, key), certificate, key))
        supervisor = stack.enter_context(Supervisor(root / "servers"))
        auth = {
            "token": {
                "realm": f"https://{TOKENS.removesuffix(':443')}/token",
                "service": "registry",
                "issuer": "tokens",
                "rootcertbundle": str(ca),
            }
        }
        ports = {
            TOKENS: tokens,
            VENDOR: _registry(supervisor, root, "vendor", auth, certificates[VENDOR][1:3], tools),
            AWW: _registry(
                supervisor,
                root,
                "aww",
                _htpasswd(root / "aww.htpasswd", ["aww-nexus-credentials"], ["aww"]),
                None,
                tools,
            ),
            LAB: _registry(
                supervisor,
                root,
                "lab",
                _htpasswd(root / "lab.htpasswd", ["lab-credentials"], ["lab"]),
                certificates[LAB][1:3],
                tools,
            ),
        }
        stack.callback(release, list(ports.values()))
        folder, scratch = root / "customers", root / "scratch"
        folder.mkdir()
        scratch.mkdir()
        write(folder, sites(certificates[LAB][0]), vendor_host=VENDOR.removesuffix(":443"))
        yield World(folder, tools[Tool.CRANE], stack.enter_context(proxy(ports)), bundle, scratch)


def _htpasswd(file: Path, pushers: Sequence[str], pullers: Sequence[str]) -> dict[str, Any]:
    users = [PUSHERS[name] for name in pushers] + [PULLERS[name] for name in pullers]
    lines = [f"{name}:{bcrypt.hashpw(word.encode(), bcrypt.gensalt(4)).decode()}\n" for name, word in users]
    file.write_text("".join(lines))
    return {"htpasswd": {"realm": "registry", "path": str(file)}}


def _registry(
    supervisor: Supervisor,
    root: Path,
    name: str,
    auth: dict[str, Any],
    certificate: tuple[Path, ...] | None,
    tools: Mapping[Tool, Path],
) -> int:
    """Start a registry server (Distribution, "Configuring a registry"); return its port."""
    (port,) = free_ports(1)
    http: dict[str, Any] = {"addr": f"127.0.0.1:{port}", "secret": name, "relativeurls": True}
    if certificate:
        http["tls"] = {"certificate": str(certificate[0]), "key": str(certificate[1])}
    config = {
        "version": "0.1",
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(root / name)}, "delete": {"enabled": True}},
        "http": http,
        "auth": auth,
    }
    file = root / f"{name}.yaml"
    file.write_text(yaml.safe_dump(config))
    env = clean_environment(root / "servers", PATH=os.defpath)
    command: list[str | Path] = [tools[Tool.REGISTRY], "serve", file]
    supervisor.start(f"registry-{name}", command, env=env, ready=listening(port), timeout=30)
    return port
