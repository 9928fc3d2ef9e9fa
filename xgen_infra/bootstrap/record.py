"""What the program registers at AWS for a site, found by running it without engine or cloud."""

from __future__ import annotations

from xgen_infra.bootstrap.deploy import Registered
from xgen_infra.explain.stack import Resources
from xgen_infra.site import Site

_OURS = ("aws:", "eks:")


def aws_resources(site: Site) -> list[Registered]:
    """Return the AWS resources and components of a site. Raises ValueError where the program refuses the site."""
    found = Resources.of(site).inputs
    return [Registered(one.type, inputs) for one, inputs in found.items() if one.type.startswith(_OURS)]
