"""Customers by the thousand: the samples of both kinds of cluster, each with names and networks of its own."""

from __future__ import annotations

import shutil
from ipaddress import IPv4Network
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[1]
_MANAGEMENT = IPv4Network("10.20.0.0/16")
_SERVICES = IPv4Network("10.100.0.0/16")


def write(folder: Path, count: int) -> Path:
    """Write `count` customers' files, half of them on EKS behind one management network, and their Pulumi.yaml."""
    folder.mkdir(exist_ok=True)
    shutil.copy(ROOT / "Pulumi.yaml", folder)
    shutil.copytree(ROOT / "charts", folder / "charts", dirs_exist_ok=True)
    eks, k3s = ((ROOT / f"Pulumi.{name}.yaml").read_text() for name in ("aww", "lotteimall"))
    networks = [
        network
        for network in IPv4Network("10.0.0.0/8").subnets(new_prefix=20)
        if not network.overlaps(_MANAGEMENT) and not network.overlaps(_SERVICES)
    ]
    every = chain.from_iterable((("eks", number), ("k3s", number)) for number in range(count // 2))
    for kind, number in every:
        name = f"{kind}{number}"
        text = eks.replace("10.40.0.0/16", str(networks[number])) if kind == "eks" else k3s
        text = text.replace("lotteimall", name).replace("aww", name)
        (folder / f"Pulumi.{name}.yaml").write_text(text)
    return folder
