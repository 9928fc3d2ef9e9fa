"""Starts a real Kubernetes control plane on this machine, with simulated nodes."""

from __future__ import annotations

import ipaddress
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from xgen_infra.rehearsal.control_plane import servers
from xgen_infra.rehearsal.control_plane.api import Api
from xgen_infra.rehearsal.control_plane.nodes import Node, is_ready, kwok_config, manifest
from xgen_infra.rehearsal.control_plane.pki import Authority
from xgen_infra.rehearsal.ports import free_ports
from xgen_infra.rehearsal.processes import ProcessError, Supervisor, clean_environment
from xgen_infra.rehearsal.tools import Tool, module_dir

TOOLS = (Tool.ETCD, Tool.KUBE_APISERVER, Tool.KUBE_CONTROLLER_MANAGER, Tool.KUBE_SCHEDULER, Tool.KWOK)
_TIMEOUT = 120.0  # seconds for each server to be ready; a loaded machine needs far less


@dataclass(frozen=True)
class ControlPlane:
    """A running control plane: the administrator's kubeconfig, the API server's address and CA, its version."""

    kubeconfig: Path
    server: str
    ca: Path
    version: str
    context: str
    _root: Path = field(repr=False)
    _authority: Authority = field(repr=False)

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Issue a certificate for another user and return a kubeconfig that holds it; RBAC says what it may do."""
        pair = self._authority.issue(user, groups)
        file = self._root / f"{user.replace(':', '-').replace('/', '-')}.kubeconfig"
        return self._authority.kubeconfig(file, self.server, self.context, pair)


def start(
    supervisor: Supervisor,
    root: Path,
    binaries: Mapping[Tool, Path],
    nodes: Sequence[Node],
    *,
    metrics: bool = True,
    context: str = "rehearsal",
    service_cidr: str = "172.20.0.0/16",
    address: str = "lb.rehearsal.invalid",
) -> ControlPlane:
    """Start a control plane in a fresh folder below `root` and wait until every node is Ready.

    `binaries` needs TOOLS, and Tool.METRICS_SERVER where metrics are wanted. `address` is what the
    simulated cloud gives to load balancers and ingresses. ProcessError when a server does not start.
    """
    root = root / "control-plane"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(mode=0o700, parents=True)
    run = _prepare(supervisor, root, binaries, context, service_cidr)
    admin = run.kubeconfig("kubernetes-admin", servers.MASTERS)
    api = Api(admin)
    try:
        servers.etcd(run)
        servers.api_server(run, service_cidr)
        supervisor.wait(api.ready, _TIMEOUT, what=Tool.KUBE_APISERVER)
        servers.controllers(run)
        kustomize = module_dir("kwok", "sigs.k8s.io/kwok") / "kustomize"
        servers.kwok(run, kwok_config(kustomize, metrics=metrics))
        for number, node in enumerate(nodes):
            api.create("/api/v1/nodes", manifest(node, number))
        _start_cloud(run, admin, address)
        if metrics:
            _start_metrics(run, api)
        _wait(supervisor, lambda: all(map(is_ready, api.get("/api/v1/nodes")["items"])), Tool.KWOK)
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        _wait(supervisor, lambda: bool(api.get(account)), Tool.KUBE_CONTROLLER_MANAGER)
        version = api.get("/version")["gitVersion"]
    except httpx.HTTPError as error:
        supervisor.check()
        raise ProcessError(f"The API server at {run.server} did not answer as expected: {error}.") from error
    finally:
        api.close()
    return ControlPlane(admin, run.server, run.authority.cert, version, context, root, run.authority)


def _prepare(
    supervisor: Supervisor, root: Path, binaries: Mapping[Tool, Path], context: str, service_cidr: str
) -> servers.Run:
    names = ("etcd", "peer", "api", "controllers", "scheduler", "kwok", "metrics")
    first_service = str(next(ipaddress.ip_network(service_cidr).hosts()))
    authority = Authority(root / "pki", "rehearsal")
    cluster = (
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    )
    hosts = ("127.0.0.1", "localhost", first_service, *cluster, servers.METRICS_HOST)
    return servers.Run(
        supervisor,
        root,
        binaries,
        authority,
        Authority(root / "pki" / "etcd", "etcd"),
        authority.issue("server", hosts=hosts),
        dict(zip(names, free_ports(len(names)), strict=True)),
        context,
        clean_environment(root),
    )


def _start_cloud(run: servers.Run, kubeconfig: Path, address: str) -> None:
    here = str(Path(__file__).resolve().parents[3])
    argv = [sys.executable, "-m", "xgen_infra.rehearsal.control_plane.cloud", str(kubeconfig), address]
    env = dict(run.env) | {"PYTHONPATH": here, "PYTHONDONTWRITEBYTECODE": "1"}
    run.supervisor.spawn("cloud", argv, env=env, cwd=run.root, grace=2.0)


def _start_metrics(run: servers.Run, api: Api) -> None:
    servers.metrics(run)
    _wait(run.supervisor, lambda: bool(api.get("/api/v1/namespaces/kube-system")), Tool.KUBE_APISERVER)
    for path, item in servers.metrics_objects(run):
        api.apply(path, item)
    _wait(run.supervisor, lambda: _serves_metrics(api), Tool.METRICS_SERVER)


def _wait(supervisor: Supervisor, condition: Callable[[], bool], what: str) -> None:
    def ready() -> bool:
        try:
            return condition()
        except httpx.HTTPError:
            return False

    supervisor.wait(ready, _TIMEOUT, what=what)


def _serves_metrics(api: Api) -> bool:
    status = api.get("/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io").get("status", {})
    return any(c["type"] == "Available" and c["status"] == "True" for c in status.get("conditions", []))
