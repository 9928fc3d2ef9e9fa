"""VPC and subnet. Rules: Amazon VPC User Guide, "VPC CIDR blocks" and "Subnet CIDR blocks"."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.aws.ec2.common import described, filtered, retag, tagged, tags_of
from xgen_infra.rehearsal.standins.aws.kind import Job, Kind, Ref
from xgen_infra.rehearsal.standins.aws.session import AwsError
from xgen_infra.rehearsal.standins.contract import Failure, Props

_SHORTEST, _LONGEST = 16, 28
_VPC_FLAGS = {"enableDnsSupport": True, "enableDnsHostnames": False}
_GONE = {"deleted", "deleting"}
_DEPENDENTS = (
    ("describe_subnets", "Subnets", "SubnetId", "vpc-id"),
    ("describe_internet_gateways", "InternetGateways", "InternetGatewayId", "attachment.vpc-id"),
    ("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", "vpc-id"),
    ("describe_security_groups", "SecurityGroups", "GroupId", "vpc-id"),
)


class Vpc(Kind):
    type_name = "aws:ec2/vpc:Vpc"
    optional = frozenset({"cidrBlock", "instanceTenancy", *_VPC_FLAGS})
    replace_on = frozenset({"cidrBlock", "instanceTenancy"})
    defaults = MappingProxyType({"instanceTenancy": "default", "enableDnsSupport": True})

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.network(inputs, "cidrBlock", _SHORTEST, _LONGEST)
        yield from checks.one_of(inputs, "instanceTenancy", "default", "dedicated")

    def create(self, job: Job) -> str:
        made = job.aws.client("ec2").create_vpc(
            CidrBlock=job.text("cidrBlock"),
            InstanceTenancy=job.text("instanceTenancy", "default"),
            **tagged(job, "vpc"),
        )
        ident = str(made["Vpc"]["VpcId"])
        self._set_flags(job, ident, dict(_VPC_FLAGS))
        return ident

    def read(self, ref: Ref) -> Props | None:
        vpc = described(ref.aws, "describe_vpcs", "Vpcs", VpcIds=[ref.id])
        if vpc is None:
            return None
        tables = filtered(ref.aws, "describe_route_tables", "RouteTables", {"vpc-id": ref.id})
        main = next((t["RouteTableId"] for t in tables if any(a["Main"] for a in t["Associations"])), None)
        groups = filtered(
            ref.aws, "describe_security_groups", "SecurityGroups", {"vpc-id": ref.id, "group-name": "default"}
        )
        acls = filtered(
            ref.aws, "describe_network_acls", "NetworkAcls", {"vpc-id": ref.id, "default": "true"}
        )
        return {
            "arn": ref.aws.arn("ec2", f"vpc/{ref.id}"),
            "cidrBlock": vpc["CidrBlock"],
            "instanceTenancy": vpc["InstanceTenancy"],
            "dhcpOptionsId": vpc.get("DhcpOptionsId"),
            "ownerId": vpc.get("OwnerId", ref.aws.account),
            "mainRouteTableId": main,
            "defaultRouteTableId": ref.known.get("defaultRouteTableId") or main,
            "defaultSecurityGroupId": groups[0]["GroupId"] if groups else None,
            "defaultNetworkAclId": acls[0]["NetworkAclId"] if acls else None,
            "ipv6CidrBlock": "",
            "tagsAll": tags_of(vpc),
            **{flag: self._flag(ref, flag) for flag in _VPC_FLAGS},
        }

    def update(self, job: Job, ref: Ref) -> None:
        self._set_flags(job, ref.id, {f: ref.known.get(f, default) for f, default in _VPC_FLAGS.items()})
        retag(job, ref)

    def delete(self, ref: Ref) -> None:
        if described(ref.aws, "describe_vpcs", "Vpcs", VpcIds=[ref.id]) is None:
            return
        for operation, answer, name, by_vpc in _DEPENDENTS:
            for item in filtered(ref.aws, operation, answer, {by_vpc: ref.id}):
                if item.get("State") not in _GONE and item.get("GroupName") != "default":
                    raise _in_use(ref, str(item[name]))
        ref.client("ec2").delete_vpc(VpcId=ref.id)

    def _set_flags(self, job: Job, ident: str, had: dict[str, bool]) -> None:
        for flag, default in _VPC_FLAGS.items():
            wanted = bool(job.inputs.get(flag, default))
            if wanted is not had[flag]:
                setting = {flag[0].upper() + flag[1:]: {"Value": wanted}}
                job.aws.client("ec2").modify_vpc_attribute(VpcId=ident, **setting)

    def _flag(self, ref: Ref, flag: str) -> bool:
        got = ref.client("ec2").describe_vpc_attribute(VpcId=ref.id, Attribute=flag)
        return bool(got[flag[0].upper() + flag[1:]]["Value"])


class Subnet(Kind):
    type_name = "aws:ec2/subnet:Subnet"
    required = frozenset({"vpcId"})
    optional = frozenset({"availabilityZone", "availabilityZoneId", "cidrBlock", "mapPublicIpOnLaunch"})
    replace_on = frozenset({"vpcId", "availabilityZone", "availabilityZoneId", "cidrBlock"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.network(inputs, "cidrBlock", _SHORTEST, _LONGEST)
        yield from checks.exclusive(inputs, "availabilityZone", "availabilityZoneId")

    def create(self, job: Job) -> str:
        where = {"AvailabilityZone": "availabilityZone", "AvailabilityZoneId": "availabilityZoneId"}
        self._refuse_zone(job)
        made = job.aws.client("ec2").create_subnet(
            VpcId=job.text("vpcId"),
            CidrBlock=job.text("cidrBlock"),
            **{name: job.inputs[key] for name, key in where.items() if job.inputs.get(key)},
            **tagged(job, "subnet"),
        )
        ident = str(made["Subnet"]["SubnetId"])
        self._set_public(job, ident, had=False)
        return ident

    def read(self, ref: Ref) -> Props | None:
        subnet = described(ref.aws, "describe_subnets", "Subnets", SubnetIds=[ref.id])
        if subnet is None:
            return None
        return {
            "arn": ref.aws.arn("ec2", f"subnet/{ref.id}"),
            "vpcId": subnet["VpcId"],
            "cidrBlock": subnet["CidrBlock"],
            "availabilityZone": subnet["AvailabilityZone"],
            "availabilityZoneId": subnet["AvailabilityZoneId"],
            "mapPublicIpOnLaunch": subnet["MapPublicIpOnLaunch"],
            "ownerId": subnet.get("OwnerId", ref.aws.account),
            "assignIpv6AddressOnCreation": False,
            "tagsAll": tags_of(subnet),
        }

    def update(self, job: Job, ref: Ref) -> None:
        self._set_public(job, ref.id, had=bool(ref.known.get("mapPublicIpOnLaunch")))
        retag(job, ref)

    def delete(self, ref: Ref) -> None:
        if described(ref.aws, "describe_subnets", "Subnets", SubnetIds=[ref.id]) is None:
            return
        for gateway in filtered(ref.aws, "describe_nat_gateways", "NatGateways", {"subnet-id": ref.id}):
            if gateway["State"] not in _GONE:
                raise _in_use(ref, gateway["NatGatewayId"])
        ref.client("ec2").delete_subnet(SubnetId=ref.id)

    def _refuse_zone(self, job: Job) -> None:
        zone = job.text("availabilityZone") or job.text("availabilityZoneId")
        zones = filtered(job.aws, "describe_availability_zones", "AvailabilityZones")
        known = {name for one in zones for name in (one["ZoneName"], one["ZoneId"])}
        if zone and zone not in known:
            raise AwsError(
                "InvalidParameterValue",
                f"Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be created "
                f"in the following availability zones: {', '.join(sorted(one['ZoneName'] for one in zones))}.",
            )

    def _set_public(self, job: Job, ident: str, *, had: bool) -> None:
        wanted = bool(job.inputs.get("mapPublicIpOnLaunch", False))
        if wanted is not had:
            job.aws.client("ec2").modify_subnet_attribute(
                SubnetId=ident, MapPublicIpOnLaunch={"Value": wanted}
            )


def _in_use(ref: Ref, by: str) -> AwsError:
    return AwsError("DependencyViolation", f"{ref.id} has dependencies and cannot be deleted: {by}")
