"""The customer's file: `Pulumi.<stack>.yaml` as models. The only home of defaults; imports no Pulumi."""

from xgen_infra.site.cluster import EksCluster, ExistingVpc, K3sCluster, Management
from xgen_infra.site.model import Site, Vendor, with_defaults
from xgen_infra.site.parts import EcrRegistry, LocalRegistry, NexusRegistry
from xgen_infra.site.services import ServiceSpec

__all__ = [
    "EcrRegistry",
    "EksCluster",
    "ExistingVpc",
    "K3sCluster",
    "LocalRegistry",
    "Management",
    "NexusRegistry",
    "ServiceSpec",
    "Site",
    "Vendor",
    "with_defaults",
]
