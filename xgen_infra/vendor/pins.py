"""Pins: the digests that a customer's file says its services run. From a tag to a changed text, nothing written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from xgen_infra import catalog, naming
from xgen_infra.findings import Refused, errors
from xgen_infra.registry import Credential, RegistryClient, RegistryError
from xgen_infra.site import Site
from xgen_infra.stackfile import SITE_KEY, StackFile
from xgen_infra.validate import examine_file
from xgen_infra.vendor.credentials import endpoint
from xgen_infra.vendor.targets import Registry
from xgen_infra.yaml_edit import EditError, set_value
from xgen_infra.yamlfile import Document

_TAG = re.compile(r"\w[\w.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class PromoteError(Exception):
    """A promotion that is refused: the message has one line for each reason. Nothing was written."""


@dataclass(frozen=True)
class Pin:
    """One service's new digest, the tag or digest it was asked for by, and the digest it had."""

    service: catalog.ServiceName
    asked: str
    digest: str
    before: str | None

    @property
    def changed(self) -> bool:
        """Whether the file says something else."""
        return self.digest != self.before


def wanted(site: Site, arguments: Iterable[str]) -> dict[catalog.ServiceName, str]:
    """Return the tag or digest by service, from `SERVICE=REF`; without any, the site's moving tag for all six.

    REF is a tag, a digest, or a full reference in this site's registry. Raises PromoteError.
    """
    chosen: dict[catalog.ServiceName, str] = {}
    wrong: list[str] = []
    for argument in arguments:
        name, equals, reference = argument.partition("=")
        service = next((known for known in catalog.NAMES if known == name), None)
        if service is None:
            wrong.append(f"there is no service '{name}': the services are {', '.join(catalog.NAMES)}")
        elif service in chosen:
            wrong.append(f"{name} is given twice")
        elif equals and not reference:
            wrong.append(
                f"{argument} names no image: write {name}=TAG, or {name} alone for {site.images.tag}"
            )
        else:
            chosen[service] = reference or site.images.tag
    parsed: dict[catalog.ServiceName, str] = {}
    for service, reference in chosen.items():
        try:
            parsed[service] = _inside(site, service, reference)
        except PromoteError as error:
            wrong.append(str(error))
    if wrong:
        raise PromoteError("\n".join(wrong))
    return parsed or dict.fromkeys(catalog.NAMES, site.images.tag)


def _inside(site: Site, service: str, reference: str) -> str:
    """Return the tag or digest of a reference, which must lie in the service's own repository."""
    own = f"{naming.registry_host(site)}/{naming.repository(site, service)}"
    short = reference
    if "/" in reference:
        name, at, digest = reference.partition("@")
        base, colon, tag = name.rpartition(":") if "/" not in name.rpartition(":")[2] else (name, "", "")
        if base != own:
            raise PromoteError(
                f"{reference} is not an image of {service} at this site: expected {own}:TAG or @sha256:..."
            )
        short = digest if at else tag if colon else site.images.tag
    if not _TAG.fullmatch(short) and not _DIGEST.fullmatch(short):
        raise PromoteError(
            f"{service}: '{reference}' is neither a tag nor a digest (sha256: and 64 hexadecimal digits)"
        )
    return short


def resolve(
    site: Site, wants: Mapping[catalog.ServiceName, str], credential: Credential | None, platform: str
) -> list[Pin]:
    """Return the pins of a site; raises PromoteError, with every reason, where an image cannot be used."""
    with RegistryClient(endpoint(Registry.of(site)), credential) as client:

        def look(service: catalog.ServiceName) -> Pin | RegistryError:
            try:
                image = client.resolve(naming.repository(site, service), wants[service], platform)
            except RegistryError as error:
                return error
            return Pin(service, wants[service], image.digest, site.service(service).digest)

        try:
            # Once and first: six wrong logins at a time could lock the user.
            client.check()
        except RegistryError as error:
            raise PromoteError(str(error)) from None
        with ThreadPoolExecutor(max_workers=len(catalog.NAMES)) as pool:
            answers = list(pool.map(look, wants))
    wrong = dict.fromkeys(str(answer) for answer in answers if isinstance(answer, RegistryError))
    if wrong:
        raise PromoteError("\n".join(wrong))
    return [answer for answer in answers if isinstance(answer, Pin)]


def pinned_text(text: str, file: StackFile, site: Site, pins: Iterable[Pin], vendor: object) -> str:
    """Return a text of the file with the pins in it, and nothing else changed.

    `text` may be a newer one than `file` and `site` are of. Raises EditError where its form does not allow that,
    Refused where the result would be refused, PromoteError where it pulls from elsewhere than `site` does.
    """
    chosen = list(pins)
    before = _site_of(file, text, vendor)
    if Registry.of(before) != Registry.of(site) or before.site != site.site or before.project != site.project:
        raise PromoteError(
            f"{file.name} names another registry or site there than here: bring both up to date first"
        )
    for pin in chosen:
        text = set_value(text, ("config", SITE_KEY, "services", pin.service, "image", "digest"), pin.digest)
    after = _site_of(file, text, vendor)
    expected = {pin.service: pin.digest for pin in chosen}
    for service in catalog.NAMES:
        if after.service(service).digest != expected.get(service, before.service(service).digest):
            raise EditError(f"{file.name}: the digest of {service} cannot be set alone: edit it by hand")
    return text


def _site_of(file: StackFile, text: str, vendor: object) -> Site:
    document = Document.read(text.removeprefix("\ufeff"), file.name)
    site, findings = examine_file(StackFile(file.path, file.stack, document), vendor)
    if site is None or errors(findings):
        raise Refused(findings)
    return site
