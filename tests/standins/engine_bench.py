"""The engine with the aws, eks and kubernetes stand-ins on one emulator, for programs of a test."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xgen_infra.engine import Engine
from xgen_infra.rehearsal.hosts import LanguageHosts
from xgen_infra.rehearsal.moto_server import running
from xgen_infra.rehearsal.standins import journal, language
from xgen_infra.rehearsal.standins.aws import provider as aws
from xgen_infra.rehearsal.standins.aws.world import World
from xgen_infra.rehearsal.standins.eks import command
from xgen_infra.rehearsal.standins.eks import provider as eks
from xgen_infra.rehearsal.standins.kubernetes import provider as kubernetes
from xgen_infra.rehearsal.standins.server import serve

from .aws_bench import ACCOUNT, MANAGEMENT, REGION, Bench

HEAD = f"""
import json
import pulumi
import pulumi_aws as aws
import pulumi_eks as eks

site = aws.Provider("site", region="{REGION}", allowed_account_ids=["{ACCOUNT}"],
                    default_tags={{"tags": {{"site": "aww"}}}})
here = pulumi.ResourceOptions(provider=site)
both = pulumi.ResourceOptions(providers=[site, eks.Provider("eks")])
trust = json.dumps({{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {{"Service": ["ec2.amazonaws.com", "eks.amazonaws.com"]}}}}]}})
"""
NETWORK = """
vpc = aws.ec2.Vpc("vpc", cidr_block="10.40.0.0/16", enable_dns_hostnames=True, opts=here)
subnets = [aws.ec2.Subnet(f"subnet-{i}", vpc_id=vpc.id, cidr_block=f"10.40.{i}.0/24",
                          availability_zone=f"ap-northeast-2{'abc'[i]}", opts=here) for i in range(3)]
"""
ADMIN = {"client-certificate-data": "Q0VSVA==", "client-key-data": "S0VZ"}


@dataclass
class EngineBench:
    """A project whose program a test writes."""

    engine: Engine
    folder: Path
    bench: Bench

    def program(self, text: str) -> None:
        (self.folder / "__main__.py").write_text(HEAD + text)

    def state(self) -> list[dict[str, Any]]:
        resources: list[dict[str, Any]] = self.engine.export("dev")["deployment"].get("resources", [])
        return resources


@contextmanager
def engine_bench(binary: Path, root: Path, hosts: LanguageHosts) -> Iterator[EngineBench]:
    """Start all of it; `aws` comes first on PATH. The control plane's address leads nowhere."""
    for name in ("home", "state", "bin", "private"):
        (root / name).mkdir()
    (root / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
    (root / "Pulumi.dev.yaml").write_text("config: {}\n")
    kubeconfig = root / "kubeconfig"
    cluster = {
        "server": "https://127.0.0.1:1",
        "certificate-authority-data": base64.b64encode(b"CA").decode(),
    }
    kubeconfig.write_text(json.dumps({"clusters": [{"cluster": cluster}], "users": [{"user": ADMIN}]}))
    command.install(root / "bin", kubeconfig, root / "private")
    language.install(root / "bin", hosts.folder)
    with running(root, networks=[MANAGEMENT]) as server:
        world = World(root, server.url, kubeconfig, ACCOUNT)
        stands = [aws.stand(world), eks.stand(), kubernetes.stand(root / "private", root / "helm", root)]
        started = [(one.name, *serve(one, journal.Journal(root, one.name))) for one in stands]
        path = f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}"
        before, os.environ["PATH"] = os.environ["PATH"], path
        environment = {
            "PULUMI_HOME": str(root / "home"),
            "PULUMI_BACKEND_URL": f"file://{root / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "not used",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DEBUG_PROVIDERS": ",".join(f"{name}:{port}" for name, _, port in started),
            "PATH": path,
        }
        engine = Engine(root, binary, environment, root / "engine.log")
        engine.init("dev")
        try:
            yield EngineBench(engine, root, Bench(world))
        finally:
            os.environ["PATH"] = before
            for _, one, _ in started:
                one.stop(0)
