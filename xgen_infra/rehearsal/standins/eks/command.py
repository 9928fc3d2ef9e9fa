"""The `aws` command of a rehearsal, as far as kubeconfigs need it: `aws eks get-token`."""

from __future__ import annotations

import json
import shlex
from base64 import b64decode
from pathlib import Path

import yaml

_SCRIPT = """\
#!/bin/sh
case "$1 $2" in
  "eks get-token") exec cat {credential} ;;
  "--version "*) echo "aws-cli/2.0.0 (rehearsal)" ;;
  *) echo "aws: the rehearsal's command knows only: aws eks get-token, aws --version" >&2; exit 252 ;;
esac
"""


def install(folder: Path, kubeconfig: Path, private: Path) -> None:
    """Write `aws` into a folder that comes first on PATH.

    The token it gives is the administrator's certificate of the local control plane, as an ExecCredential
    (Kubernetes documentation, "Authenticating": client-go credential plugins).
    """
    user = yaml.safe_load(kubeconfig.read_text())["users"][0]["user"]
    status = {
        "clientCertificateData": _pem(user, "client-certificate"),
        "clientKeyData": _pem(user, "client-key"),
    }
    credential = private / "eks-token.json"
    credential.touch(mode=0o600)
    version = "client.authentication.k8s.io/v1beta1"
    credential.write_text(json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": status}))
    script = folder / "aws"
    script.write_text(_SCRIPT.format(credential=shlex.quote(str(credential))))
    script.chmod(0o755)


def _pem(user: dict[str, str], key: str) -> str:
    if f"{key}-data" in user:
        return b64decode(user[f"{key}-data"]).decode()
    return Path(user[key]).read_text()
