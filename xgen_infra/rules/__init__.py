"""Rules that hold across the fields of one customer's file: pure functions of a site, listed here once.

To add one, write a generator of Violations in the module of its concern and name it in RULES. Its name is the
rule's name in reports.
"""

from xgen_infra.rules import exposure, hosts, names, networks, nodes, services, variables
from xgen_infra.rules.violation import Rule, Violation

RULES: tuple[Rule, ...] = (
    services.services_contradict_themselves,
    nodes.services_fit_a_node,
    nodes.capacity_suffices,
    networks.networks_overlap,
    networks.docker_shadows_the_vpc,
    networks.api_access_is_narrow,
    networks.management_side_is_complete,
    networks.zones_are_of_the_region,
    hosts.eks_has_data_services,
    hosts.hosts_are_reachable,
    hosts.object_store_is_the_bucket,
    hosts.registry_fits_the_cluster,
    exposure.exposure_fits_the_cluster,
    exposure.the_internet_gets_https,
    exposure.existing_vpc_has_what_it_needs,
    exposure.hosts_are_names,
    exposure.hosts_belong_to_one_service,
    exposure.arns_are_of_the_partition,
    names.ecr_has_a_home,
    names.bucket_has_a_valid_name,
    names.kubernetes_has_pins,
    names.folders_stay_inside,
    variables.vars_contradict_nothing_wired,
    variables.dotenv_carries_every_value,
)

__all__ = ["RULES", "Rule", "Violation"]
