"""For whom the vendor builds: one target per site, from the stack files that share it. Reads no secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from xgen_infra import naming
from xgen_infra.findings import Finding, KeyPath, dotted, shown
from xgen_infra.site import EcrRegistry, NexusRegistry, Site
from xgen_infra.stackfile import StackFile

Kind = Literal["nexus", "ecr", "local"]
Pair = tuple[StackFile, Site]

_ARCH = re.compile(r"-(amd64|arm64)$")
DEFAULT_ARCH = "amd64"


@dataclass(frozen=True)
class Ecr:
    """What a login to Amazon ECR needs. `push_principal` is the role to assume first, None where there is none."""

    account: str
    region: str
    push_principal: str | None


@dataclass(frozen=True)
class Registry:
    """Where a site's images go. `credential_id` names a credential in Jenkins; empty where none is needed."""

    kind: Kind
    host: str
    plain_http: bool
    credential_id: str
    ca_certificate: str | None = None
    ecr: Ecr | None = None

    @classmethod
    def of(cls, site: Site) -> Registry:
        """Return a site's registry."""
        registry, host = site.registry, naming.registry_host(site)
        if isinstance(registry, EcrRegistry):
            account, region = naming.ecr_home(site)
            ecr = Ecr(account, region, registry.push_principal)
            return cls("ecr", host, plain_http=False, credential_id=registry.credential_id, ecr=ecr)
        ca = registry.ca_certificate if isinstance(registry, NexusRegistry) else None
        return cls(registry.kind, host, registry.plain_http, registry.credential_id, ca)


@dataclass(frozen=True)
class Stack:
    """One stack of a site."""

    name: str
    file: str
    cluster: Literal["eks", "k3s"]
    canary: bool
    delivery: str


@dataclass(frozen=True)
class Target:
    """One site: what is built once, whatever number of stacks runs it."""

    site: str
    project: str
    branch: str
    tag: str
    registry: Registry
    stacks: tuple[Stack, ...]

    @property
    def pinned_stacks(self) -> tuple[str, ...]:
        """The stacks that a build pins: the canaries where the site has any beside others, else all."""
        canaries = tuple(stack.name for stack in self.stacks if stack.canary)
        return canaries or tuple(stack.name for stack in self.stacks)

    def repository(self, service: str) -> str:
        """Return an image's repository, host included."""
        return f"{self.registry.host}/{self.project}/{self.site}/{service}"


def arch_of(tag: str) -> str:
    """Return the architecture that a tag's suffix names, amd64 where it names none."""
    found = _ARCH.search(tag)
    return found[1] if found else DEFAULT_ARCH


def tag_for(tag: str, arch: str) -> str:
    """Return a tag for another architecture; one without such a suffix stands for all."""
    return _ARCH.sub(f"-{arch}", tag)


def branch_of(site: Site) -> str:
    """Return the branch of the service repositories that is built for a site."""
    return site.branch or site.site


def target_of(pairs: Sequence[Pair]) -> Target:
    """Return the target of stacks that share a site and agree on it."""
    site = pairs[0][1]
    stacks = tuple(
        Stack(one.stack, file.path.name, one.cluster.kind, one.canary, one.delivery) for file, one in pairs
    )
    return Target(site.site, site.project, branch_of(site), site.images.tag, Registry.of(site), stacks)


def by_site(pairs: Iterable[Pair]) -> dict[str, list[Pair]]:
    """Group stacks by the site whose images they run, in the order of names; the stack of the site's own name first."""
    groups: dict[str, list[Pair]] = {}
    for pair in sorted(pairs, key=lambda pair: (pair[1].stack != pair[1].site, pair[1].stack)):
        groups.setdefault(pair[1].site, []).append(pair)
    return dict(sorted(groups.items()))


def contradictions(groups: Mapping[str, Sequence[Pair]]) -> list[Finding]:
    """Return where stacks that share a site do not agree on what is built for it."""
    return [
        finding for pairs in groups.values() for other in pairs[1:] for finding in _apart(pairs[0], other)
    ]


def _apart(first: Pair, second: Pair) -> Iterator[Finding]:
    """Yield one finding, in the second file, for each fact in which two stacks of a site differ."""
    mine, theirs = _facts(second[1]), _facts(first[1])
    for path, value in mine.items():
        if value == theirs[path]:
            continue
        place = second[0].where(path)
        yield Finding(
            second[0].name,
            place.line,
            place.column,
            dotted(path),
            f"{shown(value)}, where {first[0].name}, of the same site '{first[1].site}', has {shown(theirs[path])}",
            "one value for the images that both stacks run",
            f"make the two files agree, or give this stack a site of its own (site: {second[1].stack})",
            rule="shared-site",
        )
        if path == ("registry", "kind"):
            return


def _facts(site: Site) -> dict[KeyPath, Any]:
    registry = Registry.of(site)
    ecr = registry.ecr
    return {
        ("project",): site.project,
        ("branch",): branch_of(site),
        ("images", "tag"): site.images.tag,
        ("registry", "kind"): registry.kind,
        ("registry", "host"): registry.host,
        ("registry", "plainHttp"): registry.plain_http,
        ("registry", "credentialId"): registry.credential_id,
        ("registry", "caCertificate"): registry.ca_certificate,
        ("registry", "pushPrincipal"): ecr.push_principal if ecr else None,
    }
