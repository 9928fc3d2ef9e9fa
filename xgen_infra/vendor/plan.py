"""The build plan: which image goes where, for whom, with which credential. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from xgen_infra import catalog
from xgen_infra.vendor.targets import Registry, Target, arch_of, tag_for

Json = dict[str, Any]


@dataclass(frozen=True)
class Image:
    """One image of one site. `repository` includes the host; `tag` is the moving one that the cluster pulls."""

    service: str
    repository: str
    tag: str
    platform: str

    @property
    def reference(self) -> str:
        """The name under which the image is pushed."""
        return f"{self.repository}:{self.tag}"


@dataclass(frozen=True)
class TargetPlan:
    """What is built for one site."""

    target: Target
    images: tuple[Image, ...]


def plan(
    targets: Iterable[Target],
    *,
    services: Sequence[str] = catalog.NAMES,
    branch: str | None = None,
    arch: str | None = None,
) -> list[TargetPlan]:
    """Return the plan for targets, in the order of the sites' names.

    `branch` keeps the sites that are built from it. `arch` (amd64, arm64) takes the place of the one that the
    site's tag names.
    """
    chosen = sorted(targets, key=lambda target: target.site)
    return [_planned(one, services, arch) for one in chosen if branch in {None, one.branch}]


def _planned(target: Target, services: Sequence[str], arch: str | None) -> TargetPlan:
    tag = tag_for(target.tag, arch) if arch else target.tag
    platform = f"linux/{arch or arch_of(tag)}"
    images = tuple(Image(name, target.repository(name), tag, platform) for name in services)
    return TargetPlan(target, images)


def plan_json(plans: Iterable[TargetPlan]) -> Json:
    """Return the plan as JSON values: what `xgen build-plan --json` prints."""
    return {
        "targets": [
            {**target_json(one.target), "images": list(map(_image_json, one.images))} for one in plans
        ]
    }


def _image_json(image: Image) -> Json:
    return {
        "service": image.service,
        "repository": image.repository,
        "tag": image.tag,
        "reference": image.reference,
        "platform": image.platform,
        "arch": image.platform.removeprefix("linux/"),
    }


def target_json(target: Target) -> Json:
    """Return a target as JSON values.

    `promote` lists the stacks whose files a build pins; `stacks` all that run the site's images.
    """
    return {
        "site": target.site,
        "branch": target.branch,
        "promote": list(target.pinned_stacks),
        "stacks": [
            {
                "stack": stack.name,
                "file": stack.file,
                "cluster": stack.cluster,
                "canary": stack.canary,
                "delivery": stack.delivery,
            }
            for stack in target.stacks
        ],
        "registry": registry_json(target.registry),
    }


def registry_json(registry: Registry) -> Json:
    """Return a registry as JSON values.

    `variables` are the environment variables into which Jenkins binds the credential; `login` are the commands
    that do by hand what `xgen registry-login` does.
    """
    ecr = registry.ecr
    return {
        "kind": registry.kind,
        "host": registry.host,
        "plainHttp": registry.plain_http,
        "caCertificate": registry.ca_certificate,
        "credentialId": registry.credential_id,
        "variables": variables(registry),
        "ecr": {"account": ecr.account, "region": ecr.region, "pushPrincipal": ecr.push_principal}
        if ecr
        else None,
        "login": login_commands(registry),
    }


USERNAME, PASSWORD = "XGEN_REGISTRY_USERNAME", "XGEN_REGISTRY_PASSWORD"


def variables(registry: Registry) -> dict[str, str] | None:
    """Return the names of the environment variables that carry a registry's credential; None where it needs none."""
    if registry.ecr:
        return {"username": "AWS_ACCESS_KEY_ID", "password": "AWS_SECRET_ACCESS_KEY"}
    return {"username": USERNAME, "password": PASSWORD} if registry.credential_id else None


def login_commands(registry: Registry) -> list[str]:
    """Return shell commands that log Docker in; no secret stands in any of them."""
    host, ecr = registry.host, registry.ecr
    if ecr:
        role = ecr.push_principal
        assume = f"aws sts assume-role --role-arn {role} --role-session-name xgen-build" if role else None
        password = f"aws ecr get-login-password --region {ecr.region}"
        login = f"{password} | docker login --username AWS --password-stdin {host}"
        return [assume, login] if assume and ":role/" in assume else [login]
    if not registry.credential_id:
        return []
    return [f'printf %s "${PASSWORD}" | docker login --username "${USERNAME}" --password-stdin {host}']
