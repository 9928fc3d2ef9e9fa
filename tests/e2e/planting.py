"""How a secret gets to each kind of place in a running world, and how it goes from there."""

from __future__ import annotations

import gzip
import json
import subprocess
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

from kubernetes import client

from xgen_infra.rehearsal.observe import ClusterView
from xgen_infra.rehearsal.secrecy import places
from xgen_infra.rehearsal.secrecy.kinds import Kind
from xgen_infra.rehearsal.world import World

SPACE = "xgen"
ARGO_CD = "argoproj.io", "v1alpha1"
Plant = tuple[Callable[[str], object], Callable[[], object]]
"""What brings a secret to a place, and what takes it away again."""


def in_file(path: Path, before: str = "#") -> Plant:
    """Add a line to a file, or make one of it."""
    content = path.read_bytes() if path.exists() else None
    back = (lambda: path.write_bytes(content)) if content is not None else path.unlink
    return (lambda value: path.open("a").write(f"\n{before} {json.dumps(value)[1:-1]}\n")), back


def in_files(made: World) -> dict[Kind, Plant]:
    root, previews, logs = made.root, made.root / places.PREVIEWS, made.root / "logs"
    text = made.file.path.read_text()
    variable = ("services", "xgen-core", "vars"), {"PLANTED": ""}
    return {
        Kind.STATE: in_file(root / "state" / "planted.json"),
        Kind.PLANS: in_file(previews / "plan.json"),
        Kind.PREVIEWS_AS_JSON: in_file(previews / "preview.json"),
        Kind.PREVIEWS_AS_MARKDOWN: in_file(previews / "preview.md"),
        Kind.PREVIEWS_AS_TEXT: in_file(logs / "engine.log", "$ pulumi preview\n"),
        Kind.ENGINE_LOG: in_file(logs / "engine.log"),
        Kind.ENGINE_FOLDER: in_file(root / "pulumi-home" / "planted.json"),
        Kind.XGEN_LOGS: in_file(logs / "destroy.log"),
        Kind.BUGS: in_file(made.temporary / "xgen-planted.log"),
        Kind.SERVER_LOGS: in_file(logs / "planted.log"),
        Kind.CALLS: in_file(made.journal),
        Kind.FILE: in_file(root / "Pulumi.yaml"),
        Kind.FOR_GIT: (
            lambda value: made.file.change(variable[0], {"PLANTED": value}),
            lambda: made.file.path.write_text(text),
        ),
    }


def in_objects(view: ClusterView) -> dict[Kind, Plant]:
    custom = client.CustomObjectsApi(view.core.api_client)

    def config_map(value: str) -> None:
        body = {"metadata": {"name": "planted"}, "data": {"key": value}}
        view.core.create_namespaced_config_map(SPACE, body)

    def event(value: str) -> None:
        about = {"kind": "Pod", "namespace": SPACE, "name": "x"}
        body = {"metadata": {"name": "planted"}, "involvedObject": about, "message": value}
        view.core.create_namespaced_event(SPACE, body)

    def annotation(value: str | None) -> None:
        view.core.patch_namespace(SPACE, {"metadata": {"annotations": {"planted": value}}})

    def record(value: str) -> None:
        release = gzip.compress(json.dumps({"config": {"password": value}}).encode())
        data = {"release": b64encode(b64encode(release)).decode()}
        body = {"metadata": {"name": "planted"}, "type": "helm.sh/release.v1", "data": data}
        view.core.create_namespaced_secret(SPACE, body)

    def argocd(plural: str, kind: str, spec: dict[str, object]) -> Plant:
        place = (*ARGO_CD, SPACE, plural)

        def plant(value: str) -> None:
            metadata = {"name": "planted", "annotations": {"planted": value}}
            body = {"apiVersion": "/".join(ARGO_CD), "kind": kind, "metadata": metadata, "spec": spec}
            custom.create_namespaced_custom_object(*place, body)

        return plant, lambda: custom.delete_namespaced_custom_object(*place, "planted")

    return {
        Kind.EVENTS: (event, lambda: view.core.delete_namespaced_event("planted", SPACE)),
        Kind.CONFIG_MAPS: (config_map, lambda: view.core.delete_namespaced_config_map("planted", SPACE)),
        Kind.OBJECTS: (annotation, lambda: annotation(None)),
        Kind.RELEASES: (record, lambda: view.core.delete_namespaced_secret("planted", SPACE)),
        Kind.APPLICATIONS: argocd("applications", "Application", {"project": "default", "destination": {}}),
        Kind.PROJECTS: argocd("appprojects", "AppProject", {}),
    }


def in_git(repository: Path) -> Plant:
    """A secret that was committed once, in a branch that is gone: its object is there."""

    def git(*words: str, given: str | None = None) -> str:
        done = subprocess.run(
            ["git", *words], cwd=repository, input=given, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    repository.mkdir()
    git("init", "--quiet", "--bare")
    found: list[Path] = []

    def plant(value: str) -> None:
        blob = git("hash-object", "-w", "--stdin", given=value)
        found.append(repository / "objects" / blob[:2] / blob[2:])

    def remove() -> None:
        for path in found:
            path.unlink()

    return plant, remove
