"""The servers of a control plane and their flags; the reasons stand in each server's own reference documentation."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xgen_infra.rehearsal.control_plane.api import Object
from xgen_infra.rehearsal.control_plane.pki import Authority, KeyPair, signing_key
from xgen_infra.rehearsal.processes import Supervisor
from xgen_infra.rehearsal.tools import Tool

MASTERS = ("system:masters",)
METRICS_HOST = "metrics-server.kube-system.svc"
Flags = dict[str, object]


@dataclass(frozen=True)
class Run:
    """What the servers of one control plane share."""

    supervisor: Supervisor
    root: Path
    binaries: Mapping[Tool, Path]
    authority: Authority
    store: Authority
    serving: KeyPair
    ports: Mapping[str, int]
    context: str
    env: Mapping[str, str]

    @property
    def server(self) -> str:
        return f"https://127.0.0.1:{self.ports['api']}"

    def kubeconfig(self, user: str, groups: Sequence[str] = ()) -> Path:
        pair = self.authority.issue(user, groups)
        return self.authority.kubeconfig(
            self.root / f"{user.replace(':', '-')}.kubeconfig", self.server, self.context, pair
        )

    def serving_flags(self) -> Flags:
        return {"tls-cert-file": self.serving.cert, "tls-private-key-file": self.serving.key}

    def spawn(self, tool: Tool, flags: Mapping[str, object], grace: float = 2.0) -> None:
        argv = [str(self.binaries[tool]), *(f"--{name}={value}" for name, value in flags.items())]
        self.supervisor.spawn(tool, argv, env=self.env, cwd=self.root, grace=grace)


def etcd(run: Run) -> None:
    """Start etcd; the API server waits for it."""
    client, peer = (f"https://127.0.0.1:{run.ports[name]}" for name in ("etcd", "peer"))
    flags: Flags = {
        "name": "rehearsal",
        "data-dir": run.root / "etcd",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"rehearsal={peer}",
        "unsafe-no-fsync": "true",
        "log-level": "warn",
    }
    # Without client certificates any user of this machine could write to the cluster; with those of the
    # cluster's own authority, any user of the cluster could.
    pair = run.store.issue("etcd", hosts=("127.0.0.1",))
    for prefix in ("", "peer-"):
        flags |= {
            f"{prefix}cert-file": pair.cert,
            f"{prefix}key-file": pair.key,
            f"{prefix}trusted-ca-file": run.store.cert,
            f"{prefix}client-cert-auth": "true",
        }
    run.spawn(Tool.ETCD, flags)


def api_server(run: Run, service_cidr: str) -> None:
    """Start the API server, with an aggregation layer."""
    front = Authority(run.root / "pki" / "front-proxy", "front-proxy")
    aggregator = front.issue("front-proxy-client")
    etcd = run.store.issue("kube-apiserver")
    tokens = signing_key(run.root / "pki" / "service-accounts.key")
    run.spawn(
        Tool.KUBE_APISERVER,
        run.serving_flags()
        | {
            "etcd-servers": f"https://127.0.0.1:{run.ports['etcd']}",
            "etcd-cafile": run.store.cert,
            "etcd-certfile": etcd.cert,
            "etcd-keyfile": etcd.key,
            "bind-address": "127.0.0.1",
            "advertise-address": "127.0.0.1",
            "secure-port": run.ports["api"],
            "endpoint-reconciler-type": "none",
            "allow-privileged": "true",
            "authorization-mode": "RBAC",
            "profiling": "false",
            "client-ca-file": run.authority.cert,
            "service-cluster-ip-range": service_cidr,
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": tokens,
            "service-account-signing-key-file": tokens,
            "requestheader-client-ca-file": front.cert,
            "requestheader-allowed-names": "front-proxy-client",
            "requestheader-username-headers": "X-Remote-User",
            "requestheader-group-headers": "X-Remote-Group",
            "requestheader-extra-headers-prefix": "X-Remote-Extra-",
            "proxy-client-cert-file": aggregator.cert,
            "proxy-client-key-file": aggregator.key,
        },
        grace=10.0,
    )


def _component(run: Run, user: str, port: str, groups: Sequence[str] = ()) -> Flags:
    """Return the flags that all but etcd and the API server share."""
    config = run.kubeconfig(user, groups)
    return run.serving_flags() | {
        "kubeconfig": config,
        "authentication-kubeconfig": config,
        "authorization-kubeconfig": config,
        "bind-address": "127.0.0.1",
        "secure-port": run.ports[port],
    }


def controllers(run: Run) -> None:
    """Start the controller manager and the scheduler; they need the API server to be ready."""
    run.spawn(
        Tool.KUBE_CONTROLLER_MANAGER,
        _component(run, "system:kube-controller-manager", "controllers")
        | {
            "leader-elect": "false",
            "root-ca-file": run.authority.cert,
            "service-account-private-key-file": run.root / "pki" / "service-accounts.key",
            "use-service-account-credentials": "true",
            # The default of 20 requests a second costs three to four seconds at the start.
            "kube-api-qps": 500,
            "kube-api-burst": 1000,
            "horizontal-pod-autoscaler-sync-period": "5s",
            "horizontal-pod-autoscaler-downscale-stabilization": "10s",
            "horizontal-pod-autoscaler-cpu-initialization-period": "5s",
            "horizontal-pod-autoscaler-initial-readiness-delay": "1s",
        },
    )
    run.spawn(
        Tool.KUBE_SCHEDULER, _component(run, "system:kube-scheduler", "scheduler") | {"leader-elect": "false"}
    )


def kwok(run: Run, config: str) -> None:
    """Start kwok with this configuration."""
    file = run.root / "kwok.yaml"
    file.write_text(config)
    run.spawn(
        Tool.KWOK,
        run.serving_flags()
        | {
            "kubeconfig": run.kubeconfig("kwok", MASTERS),
            "config": file,
            "manage-all-nodes": "true",
            "node-ip": "127.0.0.1",
            "node-port": run.ports["kwok"],
            "server-address": f"127.0.0.1:{run.ports['kwok']}",
            "node-lease-duration-seconds": 40,
            "cidr": "10.244.0.0/16",
        },
    )


def metrics(run: Run) -> None:
    """Start metrics-server; it needs the API server to be ready."""
    run.spawn(
        Tool.METRICS_SERVER,
        _component(run, "metrics-server", "metrics", MASTERS)
        | {
            "kubelet-preferred-address-types": "InternalIP",
            "kubelet-use-node-status-port": "true",
            "kubelet-certificate-authority": run.authority.cert,
            "metric-resolution": "10s",
            # Equal to the resolution, it panics.
            "kubelet-request-timeout": "5s",
        },
    )


def metrics_objects(run: Run) -> list[tuple[str, Object]]:
    """Return what makes the API server ask metrics-server for metrics.k8s.io, each with its path."""
    name, namespace = METRICS_HOST.split(".")[:2]
    port = run.ports["metrics"]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]},
    }
    registration = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "caBundle": base64.b64encode(run.authority.cert.read_bytes()).decode(),
            "service": {"name": name, "namespace": namespace, "port": port},
        },
    }
    return [
        (f"/api/v1/namespaces/{namespace}/services/{name}", service),
        ("/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io", registration),
    ]
