"""An API server on loopback that answers with the objects it was given, for checks of clusters that are not well."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import yaml

from xgen_infra import catalog

Objects = dict[str, Any]
CORE, APPS = "/api/v1", "/apis/apps/v1"
SPACE = "/namespaces/xgen"


def well(outputs: Objects) -> Objects:
    """Return, by path, what a cluster in good order answers for a site on K3s."""
    hosts = {f"{name.upper()}_HOST": host for name, host in outputs["hosts"].items()}
    ready = [{"type": "Ready", "status": "True"}, {"type": "PodScheduled", "status": "True"}]
    active = {"status": {"phase": "Active"}}
    cron = {
        "metadata": {"name": "dump", "creationTimestamp": "2020-01-01T00:00:00Z"},
        "spec": {"schedule": "@daily", "suspend": False, "jobTemplate": {}},
    }
    pods = [_pod(name, ready) for name in (*catalog.NAMES, "object-store")]
    done = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}
    deployments = [deployment(name, outputs["images"].get(name, "x"), done) for name in catalog.NAMES]
    good = {"sync": {"status": "Synced", "revision": "1" * 40}, "health": {"status": "Healthy"}}
    objects = {
        "/version": {"major": "1", "minor": "36", "gitVersion": "v1.36.0", **dict.fromkeys(_VERSION, "x")},
        f"{CORE}/nodes": [
            {
                "metadata": {"name": "node-1"},
                "spec": {},
                "status": {"conditions": ready, "nodeInfo": dict(_INFO)},
            }
        ],
        f"{CORE}{SPACE}/pods": pods[:-1],
        f"{CORE}/namespaces/xgen-system/pods": pods[-1:],
        f"{APPS}{SPACE}/deployments": deployments,
        f"{APPS}/namespaces/argocd/deployments/argocd-server": deployment("argocd-server", "argocd", done),
        "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications": [
            {"metadata": {"name": name}, "status": good} for name in catalog.NAMES
        ],
        f"/apis/autoscaling/v2{SPACE}/horizontalpodautoscalers": [],
        f"{CORE}{SPACE}/secrets/registry-credentials": {"metadata": {"name": "registry-credentials"}},
        f"/apis/networking.k8s.io/v1{SPACE}/ingresses": [
            {
                "metadata": {"name": "xgen-frontend"},
                "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
            }
        ],
        "/apis/batch/v1/namespaces/xgen-system/cronjobs/postgres-backup": {
            **cron,
            "status": {"lastSuccessfulTime": "2999-01-01T00:00:00Z"},
        },
        "/apis/batch/v1/namespaces/xgen-system/cronjobs/postgres-restore": {**cron, "status": {}},
        f"{CORE}/namespaces/xgen-system/persistentvolumeclaims": [
            {"metadata": {"name": "data"}, "status": {"phase": "Bound"}}
        ],
    }
    objects |= {f"{CORE}{SPACE}/configmaps/{name}-env": {"data": dict(hosts)} for name in catalog.NAMES}
    return objects | {
        f"{CORE}/namespaces/{name}": {"metadata": {"name": name}, **active}
        for name in ("xgen", "argocd", "xgen-system")
    }


def _pod(name: str, conditions: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"{name}-1",
            "labels": {"app.kubernetes.io/name": name},
            "annotations": {"generation/xgen-secrets": "1", "generation/registry-credentials": "1"},
        },
        "spec": {"containers": []},
        "status": {"phase": "Running", "conditions": conditions},
    }


_VERSION = ("buildDate", "compiler", "gitCommit", "gitTreeState", "goVersion", "platform")
_INFO = {
    "kubeletVersion": "v1.36.0",
    **dict.fromkeys(
        (
            "architecture",
            "bootID",
            "containerRuntimeVersion",
            "kernelVersion",
            "kubeProxyVersion",
            "machineID",
            "operatingSystem",
            "osImage",
            "systemUUID",
        ),
        "x",
    ),
}


def deployment(name: str, image: str, status: Objects) -> Objects:
    """Return a Deployment of one replica."""
    container = {"name": name, "image": image}
    template = {"spec": {"containers": [container]}}
    return {
        "metadata": {"name": name, "generation": 1},
        "spec": {"replicas": 1, "selector": {}, "template": template},
        "status": status,
    }


@contextmanager
def serving(objects: Objects, folder: Path) -> Iterator[Path]:
    """Answer with objects (a list: a List object) until the block ends; yield a kubeconfig."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = objects.get(self.path.partition("?")[0].rstrip("/"))
            body = {"kind": "Status", "message": f"{self.path} not found"} if found is None else found
            text = json.dumps({"items": body} if isinstance(body, list) else body).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            return None

    class Server(ThreadingHTTPServer):
        request_queue_size = 64  # all checks knock at once; socketserver would leave all but five outside

    server = Server(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield kubeconfig(folder, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def kubeconfig(folder: Path, url: str) -> Path:
    """Write a kubeconfig that leads to a server without a password."""
    file = folder / "kubeconfig"
    names = {"cluster": "stub", "user": "stub"}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "stub",
        "clusters": [{"name": "stub", "cluster": {"server": url}}],
        "users": [{"name": "stub", "user": {}}],
        "contexts": [{"name": "stub", "context": names}],
    }
    file.write_text(yaml.safe_dump(document))
    return file
