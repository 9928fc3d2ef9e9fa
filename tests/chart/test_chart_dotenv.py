"""The .env file of xgen-documents: the rendered init container's own command is run here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dotenv import dotenv_values

from xgen_infra.delivery.schema import CHART

if TYPE_CHECKING:
    from .conftest import Chart, Objects

SECRET = "wJal/rXU+n&FE\\M|I'K7\"M # D=E$N \\"
VALUES: dict[str, Any] = {
    "name": "xgen-documents",
    "env": {"APP_SITE": "xgen-acme", "MINIO_SECURE": "true"},
    "outputs": {"env": {"MINIO_ENDPOINT": "https://s3.ap-northeast-2.amazonaws.com"}},
    "secretEnv": {"MINIO_DATA_SECRET_KEY": {"secret": "xgen-secrets", "key": "MINIO_DATA_SECRET_KEY"}},
    "dotenv": {
        "enabled": True,
        "path": "/srv/.env",
        "keys": ["MINIO_ENDPOINT", "MINIO_SECURE", "MINIO_DATA_SECRET_KEY"],
    },
}


def environment(
    objects: Objects, container: dict[str, Any], secrets: dict[str, dict[str, str]]
) -> dict[str, str]:
    """What the kubelet would give the container."""
    found: dict[str, str] = {}
    for source in container["envFrom"]:
        found |= objects.one("ConfigMap", source["configMapRef"]["name"])["data"]
    for variable in container["env"]:
        reference = variable["valueFrom"]["secretKeyRef"]
        found[variable["name"]] = secrets[reference["name"]][reference["key"]]
    return found


def test_the_init_containers_own_command_writes_the_file_that_the_service_reads(
    chart: Chart, tmp_path: Path
) -> None:
    objects = chart.render(**VALUES)
    init, main = objects.pod["spec"]["initContainers"][0], objects.container
    places = mounted(objects, init, tmp_path) | {"/srv": tmp_path / "image"}
    places["/srv"].mkdir()
    (places["/srv"] / ".env").write_text("KEEP=me\nMINIO_SECURE=false\nMINIO_DATA_SECRET_KEY=minio123\n")
    given = environment(objects, init, {"xgen-secrets": {"MINIO_DATA_SECRET_KEY": SECRET}})
    python, *rest = [here(word, places) for word in (*init["command"], *init["args"])]
    assert python == "python"
    subprocess.run([sys.executable, *rest], env=given, check=True)

    mount = next(m for m in main["volumeMounts"] if m["mountPath"] == "/srv/.env")
    assert mount["readOnly"] is True
    written = next(m["mountPath"] for m in init["volumeMounts"] if m["name"] == mount["name"])
    assert dotenv_values(places[written] / mount["subPath"]) == {
        "KEEP": "me",
        "MINIO_SECURE": "true",
        "MINIO_DATA_SECRET_KEY": SECRET,
        "MINIO_ENDPOINT": "https://s3.ap-northeast-2.amazonaws.com",
    }


def mounted(objects: Objects, container: dict[str, Any], root: Path) -> dict[str, Path]:
    """Make the container's volumes as folders; return them by mount path."""
    volumes = {volume["name"]: volume for volume in objects.pod["spec"]["volumes"]}
    places = {}
    for mount in container["volumeMounts"]:
        place = places[mount["mountPath"]] = root / mount["name"]
        place.mkdir()
        config = volumes[mount["name"]].get("configMap")
        for name, text in objects.one("ConfigMap", config["name"])["data"].items() if config else ():
            (place / name).write_text(text)
    return places


def here(word: str, places: dict[str, Path]) -> str:
    """Return a path of the container as one of this machine."""
    for inside, outside in places.items():
        if word.startswith(inside + "/"):
            return str(outside) + word.removeprefix(inside)
    return word


def test_the_config_map_carries_the_script_byte_for_byte(chart: Chart) -> None:
    data = chart.render(**VALUES).one("ConfigMap", "xgen-documents-merge-dotenv")["data"]
    assert data == {"merge_dotenv.py": (CHART / "files/merge_dotenv.py").read_text()}


def test_the_init_container_is_the_services_own_image_under_the_same_restrictions(chart: Chart) -> None:
    objects = chart.render(**VALUES, image={"digest": "sha256:" + "b" * 64})
    init, main = objects.pod["spec"]["initContainers"][0], objects.container
    for same in ("image", "imagePullPolicy", "securityContext", "envFrom", "env", "resources"):
        assert init[same] == main[same]
    assert init["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_the_file_lives_in_memory_and_the_services_own_start_command_stays(chart: Chart) -> None:
    objects = chart.render(**VALUES)
    volume = next(v for v in objects.pod["spec"]["volumes"] if v["name"] == "dotenv")
    assert volume["emptyDir"]["medium"] == "Memory"
    assert not {"command", "args"} & set(objects.container)


def test_no_value_stands_in_the_commands(chart: Chart) -> None:
    init = chart.render(**VALUES).pod["spec"]["initContainers"][0]
    words = " ".join([*init["command"], *init["args"]])
    assert "amazonaws" not in words
    assert "true" not in words


def test_a_key_that_nobody_supplies_fails_the_render(chart: Chart) -> None:
    refusal = chart.refusal(env={"A": "1"}, dotenv={"enabled": True, "keys": ["A", "NOWHERE"]})
    assert "dotenv.keys: NOWHERE is in none of env, outputs.env and secretEnv" in refusal


def test_other_services_have_neither_init_container_nor_script(chart: Chart) -> None:
    objects = chart.render()
    assert "initContainers" not in objects.pod["spec"]
    assert objects.kinds.count("ConfigMap") == 1
    assert "checksum/merge-dotenv" not in objects.pod["metadata"]["annotations"]


def test_another_interpreter_can_be_named(chart: Chart) -> None:
    init = chart.render(**VALUES | {"dotenv": VALUES["dotenv"] | {"python": "/opt/venv/bin/python3"}}).pod
    assert init["spec"]["initContainers"][0]["command"][0] == "/opt/venv/bin/python3"
