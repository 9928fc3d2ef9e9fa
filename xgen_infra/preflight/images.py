"""The six images as the cluster will pull them, and the charts as the engine will fetch them."""

from __future__ import annotations

import tempfile
from base64 import b64decode
from collections.abc import Iterator

import httpx
import yaml
from botocore.exceptions import BotoCoreError, ClientError

from xgen_infra import naming
from xgen_infra.platform_images import PlatformChart, charts
from xgen_infra.preflight.check import Result, StopError, fine, refuse, warn
from xgen_infra.preflight.reach import FROM_INSIDE
from xgen_infra.preflight.scene import Scene, said
from xgen_infra.registry import Credential, Problem, RegistryClient, RegistryError
from xgen_infra.site import EcrRegistry, LocalRegistry, NexusRegistry, Site
from xgen_infra.site.cluster import graviton
from xgen_infra.vendor.credentials import endpoint
from xgen_infra.vendor.targets import Registry, arch_of

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def images(scene: Scene) -> Iterator[Result]:
    """Resolve each image with the credential that the cluster pulls with, for the architecture of its nodes."""
    registry = Registry.of(scene.site)
    login = _login(scene)
    with RegistryClient(endpoint(registry), login, timeout=scene.seconds, attempts=2) as client:
        try:
            client.check()
        except RegistryError as error:
            yield _entry(error, registry.host, inside=isinstance(scene.site.registry, LocalRegistry))
            return
        yield fine(f"{registry.host} is a registry, over {'HTTP' if registry.plain_http else 'HTTPS'}")
        for spec in scene.site.specs:
            name, reference = naming.repository(scene.site, spec.service.name), spec.digest or spec.tag
            try:
                found = client.resolve(name, reference, f"linux/{_architecture(scene, spec.tag)}")
            except RegistryError as error:
                yield _image(error, scene.site)
            else:
                yield fine(f"{registry.host}/{name}:{reference} is {found.digest} for {found.platform}")


def _architecture(scene: Scene, tag: str) -> str:
    """Return what the nodes run: by their instance types on EKS, by the tag elsewhere."""
    if scene.site.eks and not scene.site.eks.existing_cluster:
        return "arm64" if graviton(scene.site.eks.nodes.instance_types[0]) else "amd64"
    return arch_of(tag)


def _login(scene: Scene) -> Credential | None:
    match scene.site.registry:
        case NexusRegistry(username=username):
            return Credential(username, scene.secrets.need("registryPassword"), "registryPassword")
        case EcrRegistry():
            return _ecr(scene)
        case LocalRegistry():
            return None


def _ecr(scene: Scene) -> Credential:
    """Return ECR's password of twelve hours (Amazon ECR API, GetAuthorizationToken), as the caller."""
    account, region = naming.ecr_home(scene.site)
    try:
        told = scene.aws(region).client("ecr").get_authorization_token()
    except (ClientError, BotoCoreError) as error:
        raise StopError(
            warn(
                f"AWS gives no login for ECR in {account}, {region} ({said(error)})",
                "use AWS credentials that may call ecr:GetAuthorizationToken",
            )
        ) from None
    token = told["authorizationData"][0]["authorizationToken"]
    username, _, password = b64decode(token).decode().partition(":")
    return Credential(username, password, "AWS, as the caller")


def _entry(error: RegistryError, host: str, *, inside: bool) -> Result:
    """Say what a registry that lets nobody in means."""
    if error.problem is Problem.UNREACHABLE:
        why = " (it is one that only the nodes reach)" if inside else ""
        return warn(f"{error.found}{why}", f"{error.mend}; or {FROM_INSIDE}")
    if error.problem in {Problem.CREDENTIALS, Problem.NO_CREDENTIALS}:
        return refuse(
            error.found,
            f"check registry.username, and write the password that {host} knows: pulumi config set --secret "
            "xgen-infra:registryPassword",
        )
    return refuse(error.found, error.mend)


def _image(error: RegistryError, site: Site) -> Result:
    """Say what one image that cannot be had means: one that is pushed after `up` may be missing before."""
    if error.problem is Problem.MISSING and _made_here(site):
        return warn(error.found, "the first `up` makes the repositories: push the images then")
    if error.problem is Problem.MISSING and site.delivery == "argocd":
        return warn(error.found, f"{error.mend}: before `xgen wait`, the services do not run without it")
    return refuse(error.found, error.mend)


def _made_here(site: Site) -> bool:
    """Whether the stack itself makes the repositories of the six images."""
    registry = site.registry
    if not isinstance(registry, EcrRegistry) or site.eks is None:
        return False
    return registry.create and naming.ecr_home(site)[0] == site.eks.account


def chart_repositories(scene: Scene) -> Iterator[Result]:
    """Look for each chart's pinned version in its repository's index (Helm documentation, "The Chart Repository Guide")."""
    for chart in charts(scene.site):
        yield _chart(chart, scene.seconds)


def _chart(wanted: PlatformChart, seconds: float) -> Result:
    chart, url = wanted.chart, wanted.repository.rstrip("/")
    name = f"{chart.name} {chart.version}"
    if not url.startswith(("http://", "https://")):
        return warn(
            f"{name}: {url} is no HTTP repository, and is not looked at", "see for yourself: helm pull"
        )
    try:
        with tempfile.TemporaryFile() as file:
            with httpx.stream("GET", f"{url}/index.yaml", timeout=seconds, follow_redirects=True) as answer:
                answer.raise_for_status()
                for part in answer.iter_bytes():
                    file.write(part)
            file.seek(0)
            index = yaml.load(file, Loader=_Loader)  # noqa: S506 - a safe loader, by C where it is there
    except httpx.HTTPStatusError as error:
        return refuse(f"{url}/index.yaml answered with status {error.response.status_code}")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return refuse(f"{url} cannot be reached from here ({str(error) or type(error).__name__})")
    except yaml.YAMLError:
        index = None
    entries = index.get("entries") if isinstance(index, dict) else None
    if not isinstance(entries, dict):
        return refuse(f"{url} is no chart repository: its index.yaml is no index")
    versions = [str(one.get("version")) for one in entries.get(chart.name) or []]
    if chart.version not in versions:
        found = ", ".join(versions[:3]) or "no such chart"
        return refuse(f"{url} does not have {name} ({found})", f"bring {name} to that repository")
    return fine(f"{url} has {name}")
