"""User data of nodes: how containerd reaches a registry that speaks plain HTTP or has a private authority.

Pure: no Pulumi. EKS merges it with its own part (Amazon EKS User Guide, "Customize managed nodes with launch
templates": MIME multi-part, AL2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

CERTS = "/etc/containerd/certs.d"
"""Where the containerd of EKS' AL2023 images looks for registries (its config_path)."""

BOUNDARY = "==xgen-nodes=="
END = "XGEN_END_OF_FILE"


@dataclass(frozen=True)
class PrivateRegistry:
    """A registry, host[:port], that containerd would not reach by itself."""

    host: str
    plain_http: bool
    ca_certificate: str | None = None


def hosts_toml(registry: PrivateRegistry) -> str:
    """Return containerd's hosts.toml for a registry (containerd documentation, "Registry Configuration")."""
    url = f"{'http' if registry.plain_http else 'https'}://{registry.host}"
    lines = [f'server = "{url}"', "", f'[host."{url}"]', '  capabilities = ["pull", "resolve"]']
    if registry.ca_certificate and not registry.plain_http:
        lines.append(f'  ca = "{CERTS}/{registry.host}/ca.crt"')
    return "\n".join(lines) + "\n"


def user_data(registry: PrivateRegistry | None) -> str | None:
    """Return MIME user data that sets the registry up before a node joins; None where nothing is needed."""
    if registry is None or not (registry.plain_http or registry.ca_certificate):
        return None
    message = MIMEMultipart(boundary=BOUNDARY)
    message.attach(MIMEText(_script(registry), "x-shellscript", "us-ascii"))
    return message.as_string()


def _script(registry: PrivateRegistry) -> str:
    folder = f"{CERTS}/{registry.host}"
    files = {"hosts.toml": hosts_toml(registry)}
    if registry.ca_certificate and not registry.plain_http:
        files["ca.crt"] = registry.ca_certificate.strip() + "\n"
    written = "".join(f"cat > '{folder}/{name}' <<'{END}'\n{text}{END}\n" for name, text in files.items())
    return f"#!/bin/bash\nset -eu\numask 022\nmkdir -p '{folder}'\n{written}"
