"""Simulates what a cloud's or K3s' controllers do for an object: give a claim a volume, a load balancer an address.

Runs as `python -m xgen_infra.rehearsal.control_plane.cloud KUBECONFIG ADDRESS`, one pass a second, until ended.
"""

from __future__ import annotations

import ipaddress
import logging
import sys
import time
from pathlib import Path

import httpx

from xgen_infra.rehearsal.control_plane.api import Api, Object

PROVISIONER = "rehearsal.xgen/simulated"
_PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
_SELECTED_NODE = "volume.kubernetes.io/selected-node"
_CLAIMS = "/api/v1/persistentvolumeclaims"
_VOLUMES = "/api/v1/persistentvolumes"
_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_INGRESSES = "/apis/networking.k8s.io/v1/ingresses"
_log = logging.getLogger(__name__)


def bind_volumes(api: Api) -> list[str]:
    """Make a volume for each pending claim of an existing StorageClass; return the claims as `namespace/name`.

    As with a real provisioner, a claim of a class with volumeBindingMode WaitForFirstConsumer waits until
    the scheduler has chosen a node ("Storage Classes", Kubernetes documentation), and a volume goes with
    its claim where the class says reclaimPolicy Delete.
    """
    bound = []
    classes = {item["metadata"]["name"]: item for item in api.get(_CLASSES)["items"]}
    for claim in api.get(_CLAIMS)["items"]:
        storage = classes.get(claim["spec"].get("storageClassName") or "")
        if storage and _waits(claim, storage):
            api.apply(f"{_VOLUMES}/pvc-{claim['metadata']['uid']}", _volume(claim, storage))
            bound.append(f"{claim['metadata']['namespace']}/{claim['metadata']['name']}")
    for volume in api.get(_VOLUMES)["items"]:
        ours = volume["metadata"].get("annotations", {}).get(_PROVISIONED_BY) == PROVISIONER
        goes = volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
        if ours and goes and volume.get("status", {}).get("phase") == "Released":
            api.delete(f"{_VOLUMES}/{volume['metadata']['name']}")
    return bound


def give_addresses(api: Api, address: str) -> list[str]:
    """Give each Service of type LoadBalancer and each Ingress without one an address; return their paths.

    `address` is an IP address (K3s' ServiceLB and Traefik) or a host name (an AWS load balancer).
    """
    status = {"status": {"loadBalancer": {"ingress": [{_kind(address): address}]}}}
    waiting = [
        f"/api/v1/namespaces/{item['metadata']['namespace']}/services/{item['metadata']['name']}"
        for item in api.get("/api/v1/services")["items"]
        if item["spec"].get("type") == "LoadBalancer" and not _has_address(item)
    ] + [
        f"/apis/networking.k8s.io/v1/namespaces/{item['metadata']['namespace']}/ingresses/{item['metadata']['name']}"
        for item in api.get(_INGRESSES)["items"]
        if not _has_address(item)
    ]
    for path in waiting:
        api.merge(f"{path}/status", status)
    return waiting


def _waits(claim: Object, storage: Object) -> bool:
    later = storage.get("volumeBindingMode") == "WaitForFirstConsumer"
    chosen = _SELECTED_NODE in claim["metadata"].get("annotations", {})
    pending = claim.get("status", {}).get("phase") == "Pending" and not claim["spec"].get("volumeName")
    return pending and "deletionTimestamp" not in claim["metadata"] and (chosen or not later)


def _volume(claim: Object, storage: Object) -> Object:
    metadata = claim["metadata"]
    name = f"pvc-{metadata['uid']}"
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {_PROVISIONED_BY: PROVISIONER}},
        "spec": {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
            "persistentVolumeReclaimPolicy": storage.get("reclaimPolicy", "Delete"),
            "storageClassName": storage["metadata"]["name"],
            "hostPath": {"path": f"/simulated/{name}"},
        },
    }


def _has_address(item: Object) -> bool:
    return bool(item.get("status", {}).get("loadBalancer", {}).get("ingress"))


def _kind(address: str) -> str:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return "hostname"
    return "ip"


def main(kubeconfig: str, address: str) -> None:
    """Pass over the cluster once a second; a failed pass is logged and the next one tries again."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    api = Api(Path(kubeconfig))
    while True:
        try:
            for claim in bind_volumes(api):
                _log.info("simulated a volume for %s", claim)
            for path in give_addresses(api, address):
                _log.info("simulated an address for %s", path)
        except httpx.HTTPError as error:
            _log.warning("%s", error)
        time.sleep(1)


if __name__ == "__main__":
    main(*sys.argv[1:3])
