"""The ways in and out of a VPC: internet gateway, elastic IP address, NAT gateway."""

from __future__ import annotations

from collections.abc import Iterator

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.aws.ec2.common import described, filtered, retag, tagged, tags_of
from xgen_infra.rehearsal.standins.aws.kind import Job, Kind, Ref, found
from xgen_infra.rehearsal.standins.aws.session import Aws, AwsError
from xgen_infra.rehearsal.standins.contract import Failure, Props

_GONE = {"deleted", "deleting"}


class InternetGateway(Kind):
    type_name = "aws:ec2/internetGateway:InternetGateway"
    optional = frozenset({"vpcId"})

    def create(self, job: Job) -> str:
        made = job.aws.client("ec2").create_internet_gateway(**tagged(job, "internet-gateway"))
        ident = str(made["InternetGateway"]["InternetGatewayId"])
        if job.inputs.get("vpcId"):
            job.aws.client("ec2").attach_internet_gateway(InternetGatewayId=ident, VpcId=job.text("vpcId"))
        return ident

    def read(self, ref: Ref) -> Props | None:
        gateway = described(
            ref.aws, "describe_internet_gateways", "InternetGateways", InternetGatewayIds=[ref.id]
        )
        if gateway is None:
            return None
        attached = gateway.get("Attachments") or [{}]
        return {
            "arn": ref.aws.arn("ec2", f"internet-gateway/{ref.id}"),
            "vpcId": attached[0].get("VpcId", ""),
            "ownerId": gateway.get("OwnerId", ref.aws.account),
            "tagsAll": tags_of(gateway),
        }

    def update(self, job: Job, ref: Ref) -> None:
        had, wanted = str(ref.known.get("vpcId") or ""), job.text("vpcId")
        if had != wanted:
            self._detach(ref, had)
            if wanted:
                job.aws.client("ec2").attach_internet_gateway(InternetGatewayId=ref.id, VpcId=wanted)
        retag(job, ref)

    def delete(self, ref: Ref) -> None:
        live = self.read(ref)
        if live is None:
            return
        self._detach(ref, live["vpcId"])
        ref.client("ec2").delete_internet_gateway(InternetGatewayId=ref.id)

    def _detach(self, ref: Ref, vpc: str) -> None:
        if not vpc:
            return
        for gateway in filtered(ref.aws, "describe_nat_gateways", "NatGateways", {"vpc-id": vpc}):
            if gateway["State"] not in _GONE and gateway.get("ConnectivityType") != "private":
                raise AwsError(
                    "DependencyViolation",
                    f"Network {vpc} has some mapped public address(es), such as {gateway['NatGatewayId']}'s; "
                    f"{ref.id} cannot be detached before they are unmapped",
                )
        ref.client("ec2").detach_internet_gateway(InternetGatewayId=ref.id, VpcId=vpc)


class Eip(Kind):
    type_name = "aws:ec2/eip:Eip"
    optional = frozenset({"domain"})
    replace_on = frozenset({"domain"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.one_of(inputs, "domain", "vpc")

    def create(self, job: Job) -> str:
        made = job.aws.client("ec2").allocate_address(Domain="vpc", **tagged(job, "elastic-ip"))
        return str(made["AllocationId"])

    def read(self, ref: Ref) -> Props | None:
        address = described(ref.aws, "describe_addresses", "Addresses", AllocationIds=[ref.id])
        if address is None:
            return None
        ip = str(address["PublicIp"])
        return {
            "allocationId": ref.id,
            "arn": ref.aws.arn("ec2", f"elastic-ip/{ref.id}"),
            "domain": address["Domain"],
            "publicIp": ip,
            "publicDns": f"ec2-{ip.replace('.', '-')}.{ref.aws.region}.compute.amazonaws.com",
            "associationId": address.get("AssociationId", ""),
            "networkInterface": address.get("NetworkInterfaceId", ""),
            "tagsAll": tags_of(address),
        }

    def update(self, job: Job, ref: Ref) -> None:
        retag(job, ref)

    def delete(self, ref: Ref) -> None:
        for gateway in _gateways_of(ref.aws, ref.id):
            raise AwsError(
                "InvalidIPAddress.InUse", f"{ref.id} is in use by {gateway}: release it after that"
            )
        found(ref.client("ec2").release_address, AllocationId=ref.id)


class NatGateway(Kind):
    type_name = "aws:ec2/natGateway:NatGateway"
    optional = frozenset({"subnetId", "allocationId", "connectivityType"})
    replace_on = frozenset({"subnetId", "allocationId", "connectivityType"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.one_of(inputs, "connectivityType", "public", "private")
        if inputs.get("connectivityType") == "private" and inputs.get("allocationId"):
            yield Failure("allocationId", "a private NAT gateway takes no elastic IP address")

    def create(self, job: Job) -> str:
        kind = job.text("connectivityType", "public")
        address: dict[str, str] = {}
        if kind == "public":
            address = {"AllocationId": job.text("allocationId")}
            self._refuse_unusable(job)
        subnet = described(job.aws, "describe_subnets", "Subnets", SubnetIds=[job.text("subnetId")])
        if subnet is None:
            raise AwsError("NatGatewayNotFound", f"the subnet {job.text('subnetId')} does not exist")
        made = job.aws.client("ec2").create_nat_gateway(
            SubnetId=job.text("subnetId"), ConnectivityType=kind, **address, **tagged(job, "natgateway")
        )
        return str(made["NatGateway"]["NatGatewayId"])

    def read(self, ref: Ref) -> Props | None:
        gateway = described(ref.aws, "describe_nat_gateways", "NatGateways", NatGatewayIds=[ref.id])
        if gateway is None or gateway["State"] in _GONE:
            return None
        address = (gateway.get("NatGatewayAddresses") or [{}])[0]
        return {
            "subnetId": gateway["SubnetId"],
            "allocationId": address.get("AllocationId"),
            "associationId": address.get("AssociationId", ""),
            "connectivityType": gateway.get("ConnectivityType", "public"),
            "networkInterfaceId": address.get("NetworkInterfaceId", ""),
            "privateIp": address.get("PrivateIp", ""),
            "publicIp": address.get("PublicIp", ""),
            "tagsAll": tags_of(gateway),
        }

    def update(self, job: Job, ref: Ref) -> None:
        retag(job, ref)

    def delete(self, ref: Ref) -> None:
        if self.read(ref) is not None:
            ref.client("ec2").delete_nat_gateway(NatGatewayId=ref.id)

    def _refuse_unusable(self, job: Job) -> None:
        allocation = job.text("allocationId")
        if described(job.aws, "describe_addresses", "Addresses", AllocationIds=[allocation]) is None:
            raise AwsError("InvalidAllocationID.NotFound", f"the allocation ID {allocation!r} does not exist")
        for gateway in _gateways_of(job.aws, allocation):
            raise AwsError(
                "Resource.AlreadyAssociated", f"the address {allocation} is associated with {gateway}"
            )


def _gateways_of(aws: Aws, allocation: str) -> Iterator[str]:
    for gateway in filtered(aws, "describe_nat_gateways", "NatGateways"):
        held = {a.get("AllocationId") for a in gateway.get("NatGatewayAddresses") or []}
        if gateway["State"] not in _GONE and allocation in held:
            yield str(gateway["NatGatewayId"])
