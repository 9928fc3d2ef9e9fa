"""The `aws` command of a rehearsal, as far as kubeconfigs and the eks components need it.

Real EKS takes a token that its webhook checks with AWS; the local API server takes a client certificate, which
the same protocol may carry (Kubernetes documentation, "client-go credential plugins").
"""

from __future__ import annotations

import json
import shlex
from base64 import b64decode
from pathlib import Path

import yaml

_SCRIPT = """\
#!/bin/sh
for word in "$@"; do
  if [ "$word" = --version ]; then echo "aws-cli/2.31.0 Python/3.13.0 rehearsal"; exit 0; fi
done
case " $* " in
  *" eks get-token "*--cluster-name*) exec cat {credential} ;;
esac
echo "aws: the rehearsal's command knows only: aws eks get-token --cluster-name NAME, aws --version" >&2
exit 252
"""


def install(folder: Path, kubeconfig: Path, private: Path) -> Path:
    """Write `aws` into a folder that comes first on PATH; returns its path.

    The token that it gives is the certificate of the first user of `kubeconfig`, kept in `private` for its owner
    alone to read.
    """
    user = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))["users"][0]["user"]
    status = {
        "clientCertificateData": _pem(user, "client-certificate", kubeconfig),
        "clientKeyData": _pem(user, "client-key", kubeconfig),
    }
    credential = private / "eks-token.json"
    credential.touch(mode=0o600)
    version = "client.authentication.k8s.io/v1beta1"
    credential.write_text(json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": status}))
    script = folder / "aws"
    script.write_text(_SCRIPT.format(credential=shlex.quote(str(credential))))
    script.chmod(0o755)
    return script


def _pem(user: dict[str, str], key: str, kubeconfig: Path) -> str:
    if f"{key}-data" in user:
        return b64decode(user[f"{key}-data"]).decode()
    return (kubeconfig.parent / user[key]).read_text(encoding="utf-8")
