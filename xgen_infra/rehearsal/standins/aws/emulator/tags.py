"""Takes the tags of what is deleted: moto keeps them, and DescribeTags lists them for ever. Names types as AWS does.

Source: Amazon EC2 User Guide, "Tag your Amazon EC2 resources" (deleting a resource deletes its tags). A NAT gateway
and a peering connection stay listed for an hour, with their tags. The names of types: Amazon EC2 API Reference, "TagSpecification".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.responses import EC2Response
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE

_DELETERS = {
    "delete_vpc": "vpc",
    "delete_subnet": "subnet",
    "delete_route_table": "rtb",
    "delete_internet_gateway": "igw",
    "release_address": "eipalloc",
    "delete_flow_logs": "fl",
    "delete_launch_template": "lt",
    "delete_security_group": "sg",
    "delete_vpc_endpoints": "vpce",
    "revoke_security_group_ingress": "sgr",
    "revoke_security_group_egress": "sgr",
}
"""Actions, and how the ids of what they delete begin."""
_NAMES = {"eipalloc": "elastic-ip", "fl": "vpc-flow-log", "nat": "natgateway"}
"""What DescribeTags calls a type whose ids begin so, where moto has a name of its own."""


def install() -> None:
    """Wrap the actions that delete, and name the types, in this process."""
    EC2_PREFIX_TO_RESOURCE.update(_NAMES)
    for action, prefix in _DELETERS.items():
        setattr(EC2Response, action, _dropping(getattr(EC2Response, action), prefix))


def _dropping(delete: Callable[[EC2Response], Any], prefix: str) -> Callable[[EC2Response], Any]:
    def deleted(response: EC2Response) -> Any:
        made = delete(response)
        tags = ec2_backends[response.current_account][response.region].tags
        for values in response.querystring.values():
            for value in values:
                if str(value).startswith(f"{prefix}-"):
                    tags.pop(str(value), None)
        return made

    return deleted
