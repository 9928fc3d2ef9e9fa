"""A folder of customers' files for tests, and the `xgen` command run in it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

from xgen_infra.cli import main

ROOT = Path(__file__).parents[2]
XGEN = Path(sys.executable).parent / "xgen"
SERVICES = (
    "xgen-frontend",
    "xgen-backend-gateway",
    "xgen-core",
    "xgen-workflow",
    "xgen-documents",
    "xgen-mcp-station",
)
SEALED = {"secure": "v1:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAA=="}
K3S_SECRETS = (
    "registryPassword",
    "gitPassword",
    "postgresPassword",
    "redisPassword",
    "qdrantApiKey",
    "minioAccessKey",
    "minioSecretKey",
)


def k3s(name: str, **parts: Any) -> dict[str, Any]:
    """The plain values of a small on-prem site."""
    return {
        "source": {"repoURL": f"https://gitlab.{name}.example/xgen/xgen-infra.git"},
        "cluster": {"kind": "k3s", "context": name},
        **parts,
    }


def eks(number: int, **parts: Any) -> dict[str, Any]:
    """The plain values of a small site on AWS, with addresses and an account of its own."""
    return {
        "source": {"repoURL": f"https://gitlab.eks{number}.example/xgen/xgen-infra.git"},
        "cluster": {
            "kind": "eks",
            "account": f"{number:012}",
            "region": "ap-northeast-2",
            "vpcCidr": f"10.{number}.0.0/16",
        },
        "management": {
            "vpcId": f"vpc-{number:017x}",
            "cidr": f"10.200.{number}.0/24",
            "routeTableIds": [f"rtb-{number:017x}"],
            "securityGroupIds": [f"sg-{number:017x}"],
        },
        "infra": {service: {"host": f"10.200.{number}.10"} for service in ("postgres", "redis", "qdrant")},
        **parts,
    }


def nexus(host: str, **parts: Any) -> dict[str, Any]:
    return {"kind": "nexus", "host": host, **parts}


def write(
    folder: Path, sites: Mapping[str, Mapping[str, Any]], vendor_host: str = "docker.x2bee.com"
) -> Path:
    """Write Pulumi.yaml and one file per stack; return the folder."""
    registry = nexus(vendor_host, credentialId="nexus-credentials")
    project = {"name": "xgen-infra", "runtime": "python"}
    project["config"] = {"xgen-infra:vendor": {"value": {"registry": registry}}}  # type: ignore[assignment]
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project, sort_keys=False))
    for stack, site in sites.items():
        write_stack(folder, stack, site)
    return folder


def write_stack(folder: Path, stack: str, site: Mapping[str, Any]) -> Path:
    secrets = [key for key in K3S_SECRETS if site["cluster"]["kind"] == "k3s" or "minio" not in key]
    if site.get("registry", {"kind": "nexus"})["kind"] != "nexus":
        secrets.remove("registryPassword")
    config = {"xgen-infra:site": dict(site), **{f"xgen-infra:{key}": SEALED for key in secrets}}
    text = yaml.safe_dump({"config": config, "encryptionsalt": "v1:x:v1:y:z"}, sort_keys=False)
    path = folder / f"Pulumi.{stack}.yaml"
    path.write_text(f"# {stack}: one customer's file.\n{text}")
    return path


def xgen(
    folder: Path, *words: str, status: int = 0, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command's own entry in this process, in a folder, and check its exit status."""
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    with (
        contextlib.chdir(folder),
        mock.patch.dict(os.environ, environment(**(env or {})), clear=True),
        mock.patch.object(sys, "argv", ["xgen", *words]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    outcome = subprocess.CompletedProcess(["xgen", *words], int(code), out.getvalue(), err.getvalue())
    assert outcome.returncode == status, (outcome.returncode, outcome.stdout, outcome.stderr)
    assert "this is a bug" not in outcome.stderr, outcome.stderr
    return outcome


def xgen_json(folder: Path, *words: str) -> Any:
    return json.loads(xgen(folder, *words, "--json").stdout)


def environment(**extra: str) -> dict[str, str]:
    """This process's environment without what would lead a test to real registries or credentials."""
    drop = ("XGEN_", "AWS_", "DOCKER_", "GIT_", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(drop)}
    return {**kept, "NO_PROXY": "localhost,127.0.0.1", **extra}
