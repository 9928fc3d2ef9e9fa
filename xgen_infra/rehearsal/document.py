"""A document stored as xgen-documents stores it: by the init container's own command, its `.env`, the MinIO SDK."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3
from dotenv import dotenv_values
from minio import Minio
from minio.error import S3Error

from xgen_infra.rehearsal.observe import ClusterView
from xgen_infra.rehearsal.report import Phase
from xgen_infra.rehearsal.world import S3Door

SERVICE = "xgen-documents"
_IMAGE_FILE = "# what the image ships\nMINIO_ENDPOINT=http://minio.xgen-system:9000\nMINIO_SECURE=false\nLOG_LEVEL=info\n"
_DOCUMENT = b"a document of the rehearsal\n" * 1000


def round_trip(view: ClusterView, namespace: str, door: S3Door, phase: Phase) -> None:
    """Write the `.env` as the pod would, then put, read and delete a document with what stands in it alone."""
    with tempfile.TemporaryDirectory(prefix="xgen-document-") as folder:
        settings = written(view, namespace, Path(folder))
    phase.check("the image's other lines stay", settings.get("LOG_LEVEL") == "info", "LOG_LEVEL=info")
    endpoint, bucket = str(settings["MINIO_ENDPOINT"]), str(settings["MINIO_DOCUMENT_BUCKET"])
    store = client(settings, door)
    store.put_object(bucket, "rehearsal/document", io.BytesIO(_DOCUMENT), len(_DOCUMENT))
    answer = store.get_object(bucket, "rehearsal/document")
    phase.check("stored and read back", answer.read() == _DOCUMENT, f"{bucket} at {endpoint}")
    answer.close()
    store.remove_object(bucket, "rehearsal/document")
    refused = _refused(store, bucket)
    phase.check("the key may not delete the bucket", refused == "AccessDenied", refused)


def written(view: ClusterView, namespace: str, folder: Path) -> dict[str, str | None]:
    """Run the init container's command on this machine, its mounts as folders; return what python-dotenv reads."""
    pod = view.apps.read_namespaced_deployment(SERVICE, namespace).spec.template.spec
    init = pod.init_containers[0]
    volumes = {volume.name: volume for volume in pod.volumes}
    places: dict[str, Path] = {}
    for mount in init.volume_mounts:
        place = places[mount.mount_path] = folder / mount.name
        place.mkdir()
        if volumes[mount.name].config_map:
            data = view.core.read_namespaced_config_map(volumes[mount.name].config_map.name, namespace).data
            for name, text in data.items():
                (place / name).write_text(text)
    image = folder / "image.env"
    image.write_text(_IMAGE_FILE)
    source, target, *keys = init.args
    python, *flags, script = init.command
    command = [sys.executable, *flags, _here(script, places), str(image), _here(target, places), *keys]
    environment = {"PATH": os.defpath, **view.environment(namespace, SERVICE)}
    subprocess.run(command, env=environment, check=True)
    del python, source
    return dict(dotenv_values(_here(target, places)))


def client(settings: dict[str, str | None], door: S3Door) -> Minio:
    """Return the MinIO client that the application makes of its `.env`, led to the emulator's door."""
    endpoint = urlsplit(str(settings["MINIO_ENDPOINT"]))
    pool = urllib3.PoolManager(ca_certs=str(door.ca), cert_reqs="CERT_REQUIRED")
    secure = settings["MINIO_SECURE"] == "true"
    assert secure == (endpoint.scheme == "https")  # noqa: S101
    return Minio(
        f"127.0.0.1:{door.port}",
        access_key=settings["MINIO_DATA_ACCESS_KEY"],
        secret_key=settings["MINIO_DATA_SECRET_KEY"],
        secure=secure,
        region=settings["AWS_REGION"],
        http_client=pool,
    )


def _refused(store: Any, bucket: str) -> str:
    try:
        store.remove_bucket(bucket)
    except S3Error as error:
        return str(error.code)
    return "it was deleted"


def _here(path: str, places: dict[str, Path]) -> str:
    for mount, place in places.items():
        if path.startswith(f"{mount}/"):
            return str(place / path.removeprefix(f"{mount}/"))
    return path
