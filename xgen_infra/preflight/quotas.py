"""How much the account may still make in the site's region, and whether its instance types are sold there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from xgen_infra import naming
from xgen_infra.aws.cidr import ZONES
from xgen_infra.preflight.check import Result, StopError, fine, refuse, warn
from xgen_infra.preflight.scene import Account, Scene, denied, said
from xgen_infra.site import EksCluster


@dataclass(frozen=True)
class Quota:
    """A quota of Service Quotas: its codes, how much the site adds, and how much is used."""

    service: str
    code: str
    what: str
    wanted: Callable[[EksCluster], int]
    used: Callable[[Account], int]


def _own_vpc(eks: EksCluster) -> int:
    return 0 if eks.vpc else 1


def _addresses(eks: EksCluster) -> int:
    return 0 if eks.vpc else ZONES if eks.nat == "perZone" else 1


def _listed(account: Account, service: str, operation: str, key: str) -> list[Any]:
    pages = account.client(service).get_paginator(operation).paginate()
    return [one for page in pages for one in page[key]]


def _busiest_zone(account: Account) -> int:
    zones = {
        subnet["SubnetId"]: subnet["AvailabilityZone"]
        for subnet in _listed(account, "ec2", "describe_subnets", "Subnets")
    }
    gateways = _listed(account, "ec2", "describe_nat_gateways", "NatGateways")
    alive = [one for one in gateways if one["State"] in {"available", "pending"}]
    return max(Counter(zones.get(one["SubnetId"]) for one in alive).values(), default=0)


QUOTAS: tuple[Quota, ...] = (
    Quota(
        "vpc",
        "L-F678F1CE",
        "VPCs",
        _own_vpc,
        lambda account: len(_listed(account, "ec2", "describe_vpcs", "Vpcs")),
    ),
    Quota(
        "vpc",
        "L-A4707A72",
        "internet gateways",
        _own_vpc,
        lambda account: len(_listed(account, "ec2", "describe_internet_gateways", "InternetGateways")),
    ),
    Quota("vpc", "L-FE5A380F", "NAT gateways in one zone", _own_vpc, _busiest_zone),
    Quota(
        "ec2",
        "L-0263D0A3",
        "Elastic IP addresses",
        _addresses,
        lambda account: len(account.client("ec2").describe_addresses()["Addresses"]),
    ),
    Quota(
        "eks",
        "L-1194D53C",
        "EKS clusters",
        lambda eks: 0 if eks.existing_cluster else 1,
        lambda account: len(_listed(account, "eks", "list_clusters", "clusters")),
    ),
)

_FAMILIES: tuple[tuple[str, str, str | None], ...] = (
    ("g|vt", "L-DB2E81BA", "L-3819A6DF"),
    ("p", "L-417A185B", "L-7212CCBC"),
    ("x", "L-7295265B", "L-E3A00192"),
    ("a|c|d|h|i|m|r|t|z|im|is", "L-1216C47A", "L-34B43A08"),
)
"""Families of instances that share a quota of vCPUs: On-Demand, Spot (EC2 User Guide, "Amazon EC2 instance type
quotas")."""


def quotas(scene: Scene) -> Iterator[Result]:
    """Compare what the site adds with what is left of each quota; where its cluster is up it adds nothing."""
    if _own_cluster(scene) and not scene.eks.existing_cluster:
        yield fine(f"the cluster {naming.cluster(scene.site)} exists: nothing more is asked of the quotas")
        return
    for quota in QUOTAS:
        if wanted := quota.wanted(scene.eks):
            yield _judged(scene, quota, wanted)
    if not scene.eks.existing_cluster:
        yield from _vcpus(scene)


def _judged(scene: Scene, quota: Quota, wanted: int) -> Result:
    limit = _limit(scene, quota.service, quota.code)
    used = quota.used(scene.account)
    if used + wanted > limit:
        return refuse(
            f"{quota.what}: {used} of {limit} are used in {scene.eks.region}, and the site adds {wanted}",
            _increase(scene, quota.service, quota.code, used + wanted),
        )
    return fine(f"{quota.what}: {used} of {limit} are used, the site adds {wanted}")


def _vcpus(scene: Scene) -> Iterator[Result]:
    """Compare the node group at its most with the vCPUs of its instance family."""
    nodes, ec2 = scene.eks.nodes, scene.account.client("ec2")
    family = _family(nodes.instance_types[0])
    code = None if family is None else family[2] if nodes.capacity_type == "SPOT" else family[1]
    if family is None or code is None:
        yield warn(
            f"no quota is known for the vCPUs of {nodes.instance_types[0]}",
            "look it up in the Service Quotas console, under Amazon EC2",
        )
        return
    told = ec2.describe_instance_types(InstanceTypes=list(nodes.instance_types))["InstanceTypes"]
    wanted = nodes.max * max(int(one["VCpuInfo"]["DefaultVCpus"]) for one in told)
    limit, used = _limit(scene, "ec2", code), _running(scene, family[0], spot=nodes.capacity_type == "SPOT")
    what = f"vCPUs of running instances like {nodes.instance_types[0]}"
    if used + wanted > limit:
        yield refuse(
            f"{what}: {used} of {limit} are used, and {nodes.max} nodes need {wanted}",
            _increase(scene, "ec2", code, used + wanted) + ", or lower cluster.nodes.max",
        )
    else:
        yield fine(f"{what}: {used} of {limit} are used, {nodes.max} nodes need {wanted}")


def _family(instance_type: str) -> tuple[str, str, str | None] | None:
    letters = re.split(r"[0-9.]", instance_type, maxsplit=1)[0]
    return next((one for one in _FAMILIES if re.fullmatch(one[0], letters)), None)


def _running(scene: Scene, families: str, *, spot: bool) -> int:
    pages = scene.account.client("ec2").get_paginator("describe_instances")
    running = pages.paginate(Filters=[{"Name": "instance-state-name", "Values": ["pending", "running"]}])
    total = 0
    for page in running:
        for instance in (one for reservation in page["Reservations"] for one in reservation["Instances"]):
            family = _family(instance["InstanceType"])
            cpu = instance.get("CpuOptions", {})
            if family and family[0] == families and (instance.get("InstanceLifecycle") == "spot") is spot:
                total += int(cpu.get("CoreCount", 0)) * int(cpu.get("ThreadsPerCore", 0))
    return total


def _limit(scene: Scene, service: str, code: str) -> int:
    try:
        told = scene.account.client("service-quotas").get_service_quota(ServiceCode=service, QuotaCode=code)
    except ClientError as error:
        if denied(error):
            raise StopError(
                warn(
                    f"the quotas cannot be read ({said(error)})",
                    "grant servicequotas:GetServiceQuota, or compare by hand in the Service Quotas console",
                )
            ) from None
        raise
    return int(told["Quota"]["Value"])


def _increase(scene: Scene, service: str, code: str, value: int) -> str:
    return (
        f"aws service-quotas request-service-quota-increase --region {scene.eks.region} --service-code {service} "
        f"--quota-code {code} --desired-value {value} (it may take days)"
    )


def instance_types(scene: Scene) -> Iterator[Result]:
    """Look whether each instance type is sold in each of the site's zones."""
    ec2 = scene.account.client("ec2")
    try:
        zones = scene.eks.zones or _first_zones(ec2)
    except ValueError as error:
        yield refuse(str(error), "name three zones as cluster.zones")
        return
    for name in scene.eks.nodes.instance_types:
        pages = ec2.get_paginator("describe_instance_type_offerings").paginate(
            LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": [name]}]
        )
        sold = {one["Location"] for page in pages for one in page["InstanceTypeOfferings"]}
        missing = [zone for zone in zones if zone not in sold]
        if not sold & set(zones):
            yield refuse(f"{name} is sold in none of {', '.join(zones)}")
        elif missing:
            yield warn(f"{name} is not sold in {', '.join(missing)}")
        else:
            yield fine(f"{name} is sold in {', '.join(zones)}")


def _first_zones(ec2: Any) -> tuple[str, ...]:
    """Return the zones that the program takes where the file names none."""
    # Brings Pulumi's SDK along, which no other check needs.
    from xgen_infra.aws.network import choose_zones  # noqa: PLC0415

    filters = {"state": ["available"], "opt-in-status": ["opt-in-not-required"]}
    told = ec2.describe_availability_zones(
        Filters=[{"Name": name, "Values": values} for name, values in filters.items()]
    )["AvailabilityZones"]
    return tuple(choose_zones([zone["ZoneName"] for zone in told], [zone["ZoneId"] for zone in told]))


def cluster_name(scene: Scene) -> Iterator[Result]:
    """Look whether the cluster's name is free, this stack's own, or, where the file says so, there."""
    name, existing = naming.cluster(scene.site), scene.eks.existing_cluster
    found = _cluster(scene)
    if existing:
        yield from _existing(scene, existing, found)
    elif found is None:
        yield fine(f"no EKS cluster is called {name}")
    elif _own_cluster(scene):
        yield fine(f"the EKS cluster {name} is this stack's own")
    else:
        yield refuse(f"an EKS cluster {name} exists in {scene.eks.region}, and is not this stack's")


def _existing(scene: Scene, name: str, found: dict[str, Any] | None) -> Iterator[Result]:
    if found is None:
        yield refuse(
            f"there is no EKS cluster {name} in {scene.eks.region}",
            "correct cluster.existingCluster, or leave it out and let this program make one",
        )
        return
    yield fine(f"the EKS cluster {name} is there, with Kubernetes {found['version']}")
    if scene.eks.vpc and found["resourcesVpcConfig"].get("vpcId") != scene.eks.vpc.id:
        yield refuse(
            f"the EKS cluster {name} is in {found['resourcesVpcConfig'].get('vpcId')}, and the file says "
            f"{scene.eks.vpc.id}",
            "correct cluster.vpc",
        )


def _cluster(scene: Scene) -> dict[str, Any] | None:
    eks = scene.account.client("eks")
    try:
        found: dict[str, Any] = eks.describe_cluster(name=naming.cluster(scene.site))["cluster"]
    except eks.exceptions.ResourceNotFoundException:
        return None
    return found


def _own_cluster(scene: Scene) -> bool:
    found = _cluster(scene)
    return found is not None and found.get("tags", {}).get("stack") == scene.site.stack
