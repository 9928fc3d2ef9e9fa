"""Real registries: what the plan says is pushed, what the program's pull secret says is pulled, and nothing else is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from vendor.folder import SERVICES, environment, xgen, xgen_json

from .images import save
from .world import AWW, LAB, PULLERS, PUSHERS, VENDOR, World, docker_login

SITES = ("aww", "lab", "lotteimall", "main")


def plan_of(world: World, site: str) -> Any:
    (target,) = xgen_json(world.folder, "build-plan", "--site", site)["targets"]
    return target


def insecure(target: Any) -> bool:
    """What an agent's or a node's daemon is configured to accept: plain HTTP where the plan says so."""
    return bool(target["registry"]["plainHttp"])


def authorities(world: World, target: Any) -> None:
    """Let this machine's tools know the private authority that the plan hands out."""
    pem = target["registry"]["caCertificate"] or ""
    if pem and pem not in world.bundle.read_text():
        world.bundle.write_text(world.bundle.read_text() + pem)


@pytest.fixture(scope="module")
def pushed(registries: World) -> dict[str, str]:
    """Push an image for every reference of the plan, with the credential that it names; its digest by reference."""
    digests = {}
    for site in SITES:
        target = plan_of(registries, site)
        authorities(registries, target)
        login = docker_login(target["registry"]["host"], PUSHERS[target["registry"]["credentialId"]])
        for image in target["images"]:
            archive = save(registries.scratch / "image.tar", image["reference"], image["platform"])
            done = registries.run_crane(
                "push", archive, image["reference"], login=login, insecure=insecure(target)
            )
            assert done.returncode == 0, done.stderr
            digests[image["reference"]] = done.stdout.strip().rpartition("@")[2]
    return digests


@pytest.fixture(scope="module")
def secrets(registries: World) -> dict[str, Any]:
    """The pull secret that the program makes for each site."""
    made = {}
    for site in SITES:
        command = [sys.executable, "-m", "vendor_slow.pull_secret", str(registries.folder), site]
        outcome = subprocess.run(
            command,
            input=PULLERS[site][1],
            cwd=Path(__file__).parents[1],
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        made[site] = json.loads(outcome.stdout)
    return made


@pytest.mark.parametrize("site", SITES)
def test_a_sites_pull_secret_pulls_exactly_what_was_pushed_for_it(
    registries: World, pushed: dict[str, str], secrets: dict[str, Any], site: str
) -> None:
    target = plan_of(registries, site)
    own = [image["reference"] for image in target["images"]]
    assert len(own) == len(SERVICES)
    for reference in own:
        pulled = registries.run_crane("digest", reference, login=secrets[site], insecure=insecure(target))
        assert pulled.stdout.strip() == pushed[reference], pulled.stderr
    one = registries.scratch / "pulled.tar"
    done = registries.run_crane("pull", own[0], one, login=secrets[site], insecure=insecure(target))
    assert done.returncode == 0, done.stderr
    for other in set(pushed) - set(own):
        refused = registries.run_crane("digest", other, login=secrets[site], insecure=AWW in other)
        assert refused.returncode != 0, f"{site} pulls {other}"
        assert "UNAUTHORIZED" in refused.stderr or "DENIED" in refused.stderr, refused.stderr


@pytest.mark.parametrize("site", SITES)
def test_a_sites_pull_secret_pushes_nothing_where_the_registry_tells_users_apart(
    registries: World, secrets: dict[str, Any], site: str
) -> None:
    if VENDOR.removesuffix(":443") not in json.dumps(secrets[site]):
        assert list(secrets[site]["auths"]) == [plan_of(registries, site)["registry"]["host"]]
        return
    archive = save(registries.scratch / "foreign.tar", "foreign")
    reference = plan_of(registries, site)["images"][0]["reference"]
    refused = registries.run_crane("push", archive, reference, login=secrets[site])
    assert refused.returncode != 0


@pytest.mark.parametrize("site", SITES)
def test_promoting_pins_what_was_pushed(registries: World, pushed: dict[str, str], site: str) -> None:
    target = plan_of(registries, site)
    username, password = PUSHERS[target["registry"]["credentialId"]]
    env = registries.env(XGEN_REGISTRY_USERNAME=username, XGEN_REGISTRY_PASSWORD=password)
    outcome = json.loads(xgen(registries.folder, "promote", site, "--json", env=env).stdout)
    pins = {pin["service"]: pin["digest"] for pin in outcome["stacks"][0]["pins"]}
    assert pins == {image["service"]: pushed[image["reference"]] for image in target["images"]}


def refusal(world: World, site: str, *words: str, user: tuple[str, str] | None = None, **change: Any) -> str:
    """Promote with a changed registry block; return what is said. The file is put back."""
    file = world.folder / f"Pulumi.{site}.yaml"
    before = file.read_text()
    data = yaml.safe_load(before)
    registry = data["config"]["xgen-infra:site"]["registry"]
    for key, value in change.items():
        registry.pop(key, None)
        if value is not None:
            registry[key] = value
    username, password = user or PUSHERS[registry["credentialId"]]
    env = world.env(XGEN_REGISTRY_USERNAME=username, XGEN_REGISTRY_PASSWORD=password)
    try:
        file.write_text(yaml.safe_dump(data, sort_keys=False))
        said = xgen(world.folder, "promote", site, *words, status=1, env=env).stderr
    finally:
        file.write_text(before)
    assert password not in said
    return said


@pytest.mark.parametrize("site", SITES)
@pytest.mark.usefixtures("pushed")
def test_wrong_credentials_are_named_with_their_mend(registries: World, site: str) -> None:
    said = refusal(registries, site, user=("jenkins", "yesterday's"))
    assert "refuses the user jenkins (XGEN_REGISTRY_USERNAME and XGEN_REGISTRY_PASSWORD)" in said
    assert "replace the password" in said


@pytest.mark.usefixtures("pushed")
def test_a_reader_of_other_paths_is_told_that_the_right_is_missing(registries: World) -> None:
    said = refusal(registries, "main", "xgen-core", user=PULLERS["lotteimall"])
    assert "is not for the user pull-lotteimall" in said
    assert "grant that user the right" in said


@pytest.mark.parametrize("site", SITES)
@pytest.mark.usefixtures("pushed")
def test_a_missing_image_is_named_with_its_mend(registries: World, site: str) -> None:
    said = refusal(registries, site, "xgen-core=never-built")
    assert f"/xgen/{site}/xgen-core:never-built is not there" in said
    assert "build and push it first" in said


@pytest.mark.usefixtures("pushed")
def test_a_wrong_architecture_is_named_with_its_mend(registries: World) -> None:
    login = docker_login(AWW, PUSHERS["aww-nexus-credentials"])
    repository = f"{AWW}/xgen/aww/xgen-core"
    archive = save(registries.scratch / "arm.tar", "arm", "linux/arm64")
    assert (
        registries.run_crane("push", archive, f"{repository}:arm", login=login, insecure=True).returncode == 0
    )
    said = refusal(registries, "aww", "xgen-core=arm")
    assert "was built for linux/arm64, and linux/amd64 is wanted" in said
    assert "--platform linux/amd64" in said
    both = [f"{repository}:arm", f"{repository}:latest-amd64"]
    joined = registries.run_crane(
        "index",
        "append",
        *[f"--manifest={one}" for one in both],
        f"--tag={repository}:both",
        login=login,
        insecure=True,
    )
    assert joined.returncode == 0, joined.stderr
    env = registries.env(
        **dict(
            zip(
                ("XGEN_REGISTRY_USERNAME", "XGEN_REGISTRY_PASSWORD"),
                PUSHERS["aww-nexus-credentials"],
                strict=True,
            )
        )
    )
    shown = xgen(registries.folder, "promote", "aww", "xgen-core=both", "--dry-run", env=env)
    expected = registries.run_crane("digest", both[1], login=login, insecure=True).stdout.strip()
    assert expected in shown.stderr


@pytest.mark.usefixtures("pushed")
def test_plain_http_where_tls_was_said_is_named_with_its_mend(registries: World) -> None:
    said = refusal(registries, "aww", plainHttp=None)
    assert f"{AWW} speaks plain HTTP, and the customer's file says HTTPS" in said
    assert "plainHttp: true" in said


@pytest.mark.usefixtures("pushed")
def test_tls_where_plain_http_was_said_is_named_with_its_mend(registries: World) -> None:
    said = refusal(registries, "lab", plainHttp=True, caCertificate=None)
    assert f"{LAB} speaks HTTPS, and the customer's file says plain HTTP" in said
    assert "remove plainHttp: true" in said


@pytest.mark.usefixtures("pushed")
def test_an_unknown_authority_is_named_with_its_mend(registries: World) -> None:
    kept = registries.bundle.read_text()
    pem = plan_of(registries, "lab")["registry"]["caCertificate"]
    registries.bundle.write_text(kept.replace(pem, ""))
    try:
        said = refusal(registries, "lab", caCertificate=None)
    finally:
        registries.bundle.write_text(kept)
    assert "comes from an authority that this machine does not know" in said
    assert "registry.caCertificate" in said


@pytest.mark.usefixtures("pushed")
def test_a_registry_that_is_down_is_named_with_its_mend(registries: World) -> None:
    said = refusal(registries, "aww", host="nowhere.aww.example:5000")
    assert "nowhere.aww.example:5000" in said
