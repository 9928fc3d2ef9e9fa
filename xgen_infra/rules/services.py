"""Each of the six services in itself: replicas, the autoscaler's bounds, requests and limits."""

from __future__ import annotations

from collections.abc import Iterator

from xgen_infra.rules.violation import Violation
from xgen_infra.site import Site
from xgen_infra.site.services import misfits


def services_contradict_themselves(site: Site) -> Iterator[Violation]:
    """Yield a minimum above a maximum and a request above its limit, the defaults of the kind included."""
    for spec in site.specs:
        for below, message in misfits(spec):
            found, _, mend = message.partition(": ")
            service = ("services", spec.service.name)
            yield Violation((*service, *below), found, "", mend, also=(service,))
