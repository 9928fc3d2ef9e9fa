"""VPC peering, its acceptance by the other side, and its DNS options.

Rules: Amazon VPC Peering Guide, "VPC peering connection lifecycle" and "limitations".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import replace

from xgen_infra.rehearsal.standins.aws.ec2.common import described, retag, tagged, tags_of
from xgen_infra.rehearsal.standins.aws.kind import Job, Kind, Ref
from xgen_infra.rehearsal.standins.aws.session import Aws, AwsError
from xgen_infra.rehearsal.standins.contract import Failure, Props

_DEAD = {"deleted", "deleting", "rejected", "failed", "expired"}
_SIDES = {"requester": "RequesterPeeringConnectionOptions", "accepter": "AccepterPeeringConnectionOptions"}
_DNS = "allowRemoteVpcDnsResolution"


class VpcPeeringConnection(Kind):
    type_name = "aws:ec2/vpcPeeringConnection:VpcPeeringConnection"
    required = frozenset({"vpcId", "peerVpcId"})
    optional = frozenset({"peerOwnerId", "peerRegion", "autoAccept", "accepter", "requester"})
    replace_on = frozenset({"vpcId", "peerVpcId", "peerOwnerId", "peerRegion"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        if inputs.get("autoAccept") and inputs.get("peerRegion"):
            yield Failure(
                "autoAccept", "`peerRegion` cannot be set when `autoAccept` is true: use an accepter there"
            )

    def create(self, job: Job) -> str:
        owner = job.text("peerOwnerId") or job.aws.account
        region = job.text("peerRegion") or job.aws.region
        if job.inputs.get("autoAccept") and owner != job.aws.account:
            raise AwsError("OperationNotPermitted", f"{job.aws.account} cannot accept for {owner}")
        self._refuse_overlap(job, replace(job.aws, account=owner, region=region))
        made = job.aws.client("ec2").create_vpc_peering_connection(
            VpcId=job.text("vpcId"),
            PeerVpcId=job.text("peerVpcId"),
            PeerOwnerId=owner,
            PeerRegion=region,
            **tagged(job, "vpc-peering-connection"),
        )
        ident = str(made["VpcPeeringConnection"]["VpcPeeringConnectionId"])
        if job.inputs.get("autoAccept"):
            job.aws.client("ec2").accept_vpc_peering_connection(VpcPeeringConnectionId=ident)
        _set_options(job, ident)
        return ident

    def read(self, ref: Ref) -> Props | None:
        peering = find(ref.aws, ref.id)
        if peering is None:
            return None
        here, there = peering["RequesterVpcInfo"], peering["AccepterVpcInfo"]
        return {
            "acceptStatus": peering["Status"]["Code"],
            "vpcId": here["VpcId"],
            "peerVpcId": there["VpcId"],
            "peerOwnerId": there["OwnerId"],
            "peerRegion": there["Region"],
            **_options_of(peering),
            "tagsAll": tags_of(peering),
        }

    def update(self, job: Job, ref: Ref) -> None:
        if job.inputs.get("autoAccept") and ref.known.get("acceptStatus") == "pending-acceptance":
            job.aws.client("ec2").accept_vpc_peering_connection(VpcPeeringConnectionId=ref.id)
        _set_options(job, ref.id)
        retag(job, ref)

    def delete(self, ref: Ref) -> None:
        if find(ref.aws, ref.id) is not None:
            ref.client("ec2").delete_vpc_peering_connection(VpcPeeringConnectionId=ref.id)

    def _refuse_overlap(self, job: Job, other: Aws) -> None:
        ours = described(job.aws, "describe_vpcs", "Vpcs", VpcIds=[job.text("vpcId")])
        theirs = described(other, "describe_vpcs", "Vpcs", VpcIds=[job.text("peerVpcId")])
        if theirs is None:
            raise AwsError(
                "InvalidVpcID.NotFound",
                f"{job.text('peerVpcId')} is not there in account {other.account}, region {other.region}",
            )
        if ours is not None and _overlap(ours["CidrBlock"], theirs["CidrBlock"]):
            raise AwsError(
                "VpcPeeringConnection.Failed",
                f"overlapping CIDR range: {ours['CidrBlock']} here, {theirs['CidrBlock']} there",
            )


class VpcPeeringConnectionAccepter(Kind):
    type_name = "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter"
    required = frozenset({"vpcPeeringConnectionId"})
    optional = frozenset({"autoAccept", "accepter", "requester"})
    replace_on = frozenset({"vpcPeeringConnectionId"})

    def create(self, job: Job) -> str:
        ident = job.text("vpcPeeringConnectionId")
        if find(job.aws, ident) is None:
            raise AwsError(
                "InvalidVpcPeeringConnectionID.NotFound",
                f"{ident} has no end in account {job.aws.account}, region {job.aws.region}",
            )
        self._accept(job, ident)
        retag(job, Ref(job.aws, ident, {}))
        return ident

    def read(self, ref: Ref) -> Props | None:
        peering = find(ref.aws, ref.id)
        if peering is None:
            return None
        here, there = peering["AccepterVpcInfo"], peering["RequesterVpcInfo"]
        return {
            "vpcPeeringConnectionId": ref.id,
            "acceptStatus": peering["Status"]["Code"],
            "vpcId": here["VpcId"],
            "peerVpcId": there["VpcId"],
            "peerOwnerId": there["OwnerId"],
            "peerRegion": there["Region"],
            **_options_of(peering),
            "tagsAll": tags_of(peering),
        }

    def update(self, job: Job, ref: Ref) -> None:
        self._accept(job, ref.id)
        retag(job, ref)

    def delete(self, ref: Ref) -> None:
        """Leave the connection: only its requester's resource ends it, as with the provider."""

    def _accept(self, job: Job, ident: str) -> None:
        peering = find(job.aws, ident)
        pending = peering is not None and peering["Status"]["Code"] == "pending-acceptance"
        if job.inputs.get("autoAccept") and pending:
            job.aws.client("ec2").accept_vpc_peering_connection(VpcPeeringConnectionId=ident)
        _set_options(job, ident)


class PeeringConnectionOptions(Kind):
    type_name = "aws:ec2/peeringConnectionOptions:PeeringConnectionOptions"
    required = frozenset({"vpcPeeringConnectionId"})
    optional = frozenset({"accepter", "requester"})
    replace_on = frozenset({"vpcPeeringConnectionId"})
    taggable = False

    def create(self, job: Job) -> str:
        ident = job.text("vpcPeeringConnectionId")
        _set_options(job, ident)
        return ident

    def read(self, ref: Ref) -> Props | None:
        peering = find(ref.aws, ref.id)
        if peering is None:
            return None
        return {"vpcPeeringConnectionId": ref.id, **_options_of(peering)}

    def update(self, job: Job, ref: Ref) -> None:
        _set_options(job, ref.id)

    def delete(self, ref: Ref) -> None:
        """Leave the options as they are, as the provider does."""


def find(aws: Aws, ident: str) -> Props | None:
    """Give a peering connection as this account and region see it, or None when it is not alive."""
    peering = described(
        aws, "describe_vpc_peering_connections", "VpcPeeringConnections", VpcPeeringConnectionIds=[ident]
    )
    return None if peering is None or peering["Status"]["Code"] in _DEAD else peering


def _set_options(job: Job, ident: str) -> None:
    wanted = {
        field: {"AllowDnsResolutionFromRemoteVpc": bool(job.inputs[side].get(_DNS, False))}
        for side, field in _SIDES.items()
        if job.inputs.get(side)
    }
    if not wanted:
        return
    peering = find(job.aws, ident)
    if peering is None or peering["Status"]["Code"] != "active":
        status = "gone" if peering is None else peering["Status"]["Code"]
        raise AwsError(
            "OperationNotPermitted",
            f"options can be set when a peering connection is active; {ident} is {status}",
        )
    job.aws.client("ec2").modify_vpc_peering_connection_options(VpcPeeringConnectionId=ident, **wanted)


def _options_of(peering: Props) -> Props:
    sides = {"requester": peering["RequesterVpcInfo"], "accepter": peering["AccepterVpcInfo"]}
    return {
        side: {_DNS: bool((info.get("PeeringOptions") or {}).get("AllowDnsResolutionFromRemoteVpc", False))}
        for side, info in sides.items()
    }


def _overlap(one: str, other: str) -> bool:
    return ipaddress.ip_network(one).overlaps(ipaddress.ip_network(other))
