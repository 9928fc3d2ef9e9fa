"""The object store of the cluster with its real programs: run by hand, `python tests/k3s/real_store.py`.

Needs `versitygw` and `rclone` on PATH, in the versions of xgen_infra/versions.py: `go install` of their modules
takes some minutes, too many for `make test`. Runs the StatefulSet's container, the bucket's Job and the backup's
and restore's scripts as the manifests have them, and a document's way through the MinIO SDK.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pulumi
from minio import Minio
from minio.error import S3Error

from xgen_infra.k3s import backup, objects
from xgen_infra.k3s.manifests import stateful_set
from xgen_infra.k3s.workload import Mirror
from xgen_infra.rehearsal.ports import free_ports

sys.path.insert(0, str(Path(__file__).parents[1]))
from k3s.dumps import DUMPS

KEYS = {objects.ACCESS_KEY: "canaryAccess01", objects.SECRET_KEY: "canary/secret+key&'\"x"}
BUCKET = "xgen-mart"
DOCUMENT = "롯데/문서 1.pdf"


def check(what: str, holds: bool) -> None:
    print(f"{'ok' if holds else 'FAILED':8}{what}")
    if not holds:
        sys.exit(1)


def environment(entries: Iterable[Mapping[str, Any]], home: Path, keys: Mapping[str, str]) -> dict[str, str]:
    """Return a container's environment on this machine."""
    found = {"PATH": os.environ["PATH"]}
    for entry in entries:
        if "value" in entry:
            value = entry["value"]
            found[entry["name"]] = f"{home}{value}" if value.startswith(("/data", "/tmp")) else value
        else:
            found[entry["name"]] = keys[entry["valueFrom"]["secretKeyRef"]["key"]]
    return found


@contextmanager
def gateway(home: Path, keys: Mapping[str, str]) -> Iterator[str]:
    """Run the pod: its init container, then its server; yield host:port."""
    pulled = pulumi.Output.secret("")
    workload = objects.workload(pulled, pulled, size="1Gi", mirror=Mirror())
    pod = stateful_set(workload, "any", 1)["spec"]["template"]["spec"]
    (init,), (main,) = pod["initContainers"], pod["containers"]
    subprocess.run([word.replace("/data", f"{home}/data") for word in init["command"]], check=True)
    address = f"127.0.0.1:{free_ports(1)[0]}"
    env = environment(main["env"], home, keys) | {"VGW_PORT": address}
    # What the image's entry point does with these two variables.
    server = subprocess.Popen(["versitygw", env["VGW_BACKEND"], env["VGW_BACKEND_ARG"]], env=env)
    try:
        for _ in range(100):
            try:
                httpx.get(f"http://{address}{objects.HEALTH}").raise_for_status()
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=20)


def client(address: str, keys: Mapping[str, str] = KEYS) -> Minio:
    return Minio(
        address, keys[objects.ACCESS_KEY], keys[objects.SECRET_KEY], secure=False, region=objects.REGION
    )


def documents(address: str) -> None:
    """A document goes in, comes out unchanged, and nobody else sees it."""
    store = client(address)
    content = os.urandom(12 << 20)
    store.put_object(
        BUCKET, DOCUMENT, io.BytesIO(content), len(content), "application/pdf", part_size=5 << 20
    )
    check("a document in parts comes back", store.get_object(BUCKET, DOCUMENT).read() == content)
    check("its type is kept", store.stat_object(BUCKET, DOCUMENT).content_type == "application/pdf")
    link = store.presigned_get_object(BUCKET, DOCUMENT)
    check("a presigned link serves it", httpx.get(link).content == content)
    for access, secret in (("minio", "minio123"), (KEYS[objects.ACCESS_KEY], "guess")):
        try:
            client(address, {objects.ACCESS_KEY: access, objects.SECRET_KEY: secret}).list_buckets()
            check(f"{access} with another secret is refused", holds=False)
        except S3Error as refused:
            check(f"{access} with another secret is refused: {refused.code}", holds=True)


def bucket_job(address: str, home: Path, keys: Mapping[str, str]) -> bool:
    """Run the Job that makes the bucket."""
    job = objects.bucket_job(BUCKET, f"http://{address}", 1, Mirror())
    (container,) = job["spec"]["template"]["spec"]["containers"]
    env = environment(container["env"], home, keys)
    return subprocess.run(["rclone", *container["args"]], env=env, check=False).returncode == 0


def script(job: Mapping[str, Any], name: str, home: Path) -> bool:
    """Run one container of a CronJob."""
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    found = next(each for each in (*pod["initContainers"], *pod["containers"]) if each["name"] == name)
    env = environment(found["env"], home, KEYS) | {"WORK": str(home / "work")}
    text = backup.scripts()[Path(found["command"][1]).name]
    return subprocess.run(["/bin/sh", "-c", text], env=env, check=False).returncode == 0


def dumps(address: str, home: Path) -> None:
    """A dump goes into the store and comes back."""
    here = replace(DUMPS, endpoint=f"http://{address}")
    work = home / "work"
    check("a day without a dump fails", not script(backup.backup(here), "store", home))
    (work / "xgen-20260301T021700Z.dump").write_bytes(b"PGDMP" * 1000)
    check("a dump is stored", script(backup.backup(here), "store", home))
    check("the newest is fetched", script(backup.restore(here), "fetch", home))
    check("it is the same", (work / "restore.dump").read_bytes() == b"PGDMP" * 1000)


def main() -> None:
    home = Path(tempfile.mkdtemp(prefix="xgen-store-"))
    for name in ("data", "tmp", "work"):
        (home / name).mkdir()
    try:
        with gateway(home, KEYS) as address:
            check("the bucket is made", bucket_job(address, home, KEYS))
            check("and made again without harm", bucket_job(address, home, KEYS))
            documents(address)
            dumps(address, home)
        replaced = {objects.ACCESS_KEY: "anotherAccess02", objects.SECRET_KEY: "another secret"}
        with gateway(home, replaced) as address:
            check("a replaced key finds the bucket", bucket_job(address, home, replaced))
            found = client(address, replaced).list_objects(BUCKET, recursive=True)
            check("and the documents", [each.object_name for each in found] == [DOCUMENT])
            client(address, replaced).put_object(BUCKET, "new", io.BytesIO(b"x"), 1)
            check("and may write", holds=True)
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
