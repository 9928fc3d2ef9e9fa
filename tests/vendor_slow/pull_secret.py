"""The registry-credentials Secret as the program registers it, seen by a recording engine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pulumi
import pulumi.runtime
import pulumi_kubernetes as kubernetes

from xgen_infra import naming
from xgen_infra.cluster import Cluster, ObjectStore
from xgen_infra.delivery.install import install
from xgen_infra.folder import read_site
from xgen_infra.load import Credentials

_SECRET_SIGNATURE = "4dabf18193072939515e22adb298388d"
# Marks a secret value on the engine's wire (pulumi.runtime.rpc).


class _Mocks(pulumi.runtime.Mocks):
    def __init__(self) -> None:
        self.secrets: dict[str, Any] = {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.typ == "kubernetes:core/v1:Secret":
            self.secrets[args.inputs["metadata"]["name"]] = args.inputs
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"no function is called: {args.token}")


def pull_secret(folder: Path, stack: str, password: str) -> dict[str, Any]:
    """Return the `.dockerconfigjson` of a stack whose secure key registryPassword is `password`."""
    _, site = read_site(folder, stack)
    mocks = _Mocks()
    pulumi.runtime.set_mocks(mocks, project="xgen-infra", stack=stack, preview=False)

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def program() -> None:
        provider = kubernetes.Provider("cluster", kubeconfig="{}")
        store = ObjectStore("bucket", "http://store", "us-east-1", "key", "secret")
        hosts: dict[Any, pulumi.Input[str]] = dict.fromkeys(("postgres", "redis", "qdrant"), "host")
        cluster = Cluster("cluster", provider, pulumi.Output.from_input("{}"), store, hosts)
        credentials = Credentials(registry_password=pulumi.Output.secret(password))
        install(site, credentials, cluster)

    program()
    sealed = mocks.secrets[naming.REGISTRY_SECRET]["stringData"]
    assert sealed[_SECRET_SIGNATURE] == "1b47061264138c4ac30d75fd1eb44270", (
        "the engine was not told of a secret"
    )
    content: dict[str, Any] = json.loads(sealed["value"][".dockerconfigjson"])
    return content


if __name__ == "__main__":
    # A process of its own: the SDK keeps one engine for each.
    print(json.dumps(pull_secret(Path(sys.argv[1]), sys.argv[2], sys.stdin.read())))
