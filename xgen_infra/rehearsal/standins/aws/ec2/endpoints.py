"""VPC endpoints (gateway and interface) and flow logs."""

from __future__ import annotations

from collections.abc import Iterator

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.aws.ec2.common import described, filtered, retag, tagged, tags_of
from xgen_infra.rehearsal.standins.aws.kind import Job, Kind, Ref
from xgen_infra.rehearsal.standins.aws.session import AwsError
from xgen_infra.rehearsal.standins.contract import Failure, Props

_GONE = {"deleted", "deleting"}
_MEMBERS = {
    "routeTableIds": ("RouteTableIds", "AddRouteTableIds", "RemoveRouteTableIds"),
    "subnetIds": ("SubnetIds", "AddSubnetIds", "RemoveSubnetIds"),
    "securityGroupIds": ("SecurityGroupIds", "AddSecurityGroupIds", "RemoveSecurityGroupIds"),
}


class VpcEndpoint(Kind):
    type_name = "aws:ec2/vpcEndpoint:VpcEndpoint"
    required = frozenset({"vpcId"})
    optional = frozenset({*_MEMBERS, "serviceName", "vpcEndpointType", "policy", "privateDnsEnabled"})
    replace_on = frozenset({"vpcId", "serviceName", "vpcEndpointType"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.document(inputs, "policy")
        yield from checks.one_of(
            inputs,
            "vpcEndpointType",
            "Gateway",
            "Interface",
            "GatewayLoadBalancer",
            "Resource",
            "ServiceNetwork",
        )
        gateway = inputs.get("vpcEndpointType", "Gateway") == "Gateway"
        for key in ("subnetIds", "securityGroupIds", "privateDnsEnabled") if gateway else ("routeTableIds",):
            if inputs.get(key):
                yield Failure(key, f"a {'gateway' if gateway else 'non-gateway'} endpoint takes no {key}")

    def create(self, job: Job) -> str:
        if f".{job.aws.region}." not in job.text("serviceName"):
            raise AwsError(
                "InvalidServiceName",
                f"The Vpc Endpoint Service '{job.text('serviceName')}' does not exist in {job.aws.region}",
            )
        policy = {"PolicyDocument": job.text("policy")} if job.inputs.get("policy") else {}
        made = job.aws.client("ec2").create_vpc_endpoint(
            VpcId=job.text("vpcId"),
            ServiceName=job.text("serviceName"),
            VpcEndpointType=job.text("vpcEndpointType", "Gateway"),
            PrivateDnsEnabled=bool(job.inputs.get("privateDnsEnabled", False)),
            **{field: job.inputs.get(key) or [] for key, (field, _, _) in _MEMBERS.items()},
            **policy,
            **tagged(job, "vpc-endpoint"),
        )
        return str(made["VpcEndpoint"]["VpcEndpointId"])

    def read(self, ref: Ref) -> Props | None:
        endpoint = described(ref.aws, "describe_vpc_endpoints", "VpcEndpoints", VpcEndpointIds=[ref.id])
        if endpoint is None or endpoint["State"] in _GONE:
            return None
        lists = filtered(
            ref.aws, "describe_prefix_lists", "PrefixLists", {"prefix-list-name": endpoint["ServiceName"]}
        )
        return {
            "arn": ref.aws.arn("ec2", f"vpc-endpoint/{ref.id}"),
            "vpcId": endpoint["VpcId"],
            "serviceName": endpoint["ServiceName"],
            "vpcEndpointType": endpoint["VpcEndpointType"],
            "state": endpoint["State"],
            "policy": endpoint.get("PolicyDocument"),
            "ownerId": endpoint.get("OwnerId", ref.aws.account),
            "privateDnsEnabled": bool(endpoint.get("PrivateDnsEnabled", False)),
            "requesterManaged": False,
            "routeTableIds": endpoint.get("RouteTableIds") or [],
            "subnetIds": endpoint.get("SubnetIds") or [],
            "securityGroupIds": [g["GroupId"] for g in endpoint.get("Groups") or []],
            "networkInterfaceIds": endpoint.get("NetworkInterfaceIds") or [],
            "dnsEntries": [
                {"dnsName": e["DnsName"], "hostedZoneId": e["HostedZoneId"]}
                for e in endpoint.get("DnsEntries") or []
            ],
            "prefixListId": lists[0]["PrefixListId"] if lists else "",
            "cidrBlocks": list(lists[0].get("Cidrs") or []) if lists else [],
            "tagsAll": tags_of(endpoint),
        }

    def update(self, job: Job, ref: Ref) -> None:
        changed: Props = {}
        for key, (_, add, remove) in _MEMBERS.items():
            had, wanted = set(ref.known.get(key) or []), set(job.inputs.get(key) or [])
            if key in job.inputs and wanted - had:
                changed[add] = sorted(wanted - had)
            if key in job.inputs and had - wanted:
                changed[remove] = sorted(had - wanted)
        if job.inputs.get("policy") and job.inputs["policy"] != ref.known.get("policy"):
            changed["PolicyDocument"] = job.inputs["policy"]
        if changed:
            job.aws.client("ec2").modify_vpc_endpoint(VpcEndpointId=ref.id, **changed)
        retag(job, ref)

    def delete(self, ref: Ref) -> None:
        if self.read(ref) is not None:
            ref.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[ref.id])


class FlowLog(Kind):
    type_name = "aws:ec2/flowLog:FlowLog"
    optional = frozenset(
        {
            "vpcId", "subnetId", "trafficType", "logDestination", "logDestinationType", "iamRoleArn",
            "logFormat", "maxAggregationInterval",
        }
    )  # fmt: skip
    replace_on = optional

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.exclusive(inputs, "vpcId", "subnetId")
        yield from checks.one_of(inputs, "trafficType", "ACCEPT", "REJECT", "ALL")
        yield from checks.one_of(
            inputs, "logDestinationType", "cloud-watch-logs", "s3", "kinesis-data-firehose"
        )
        yield from checks.one_of(inputs, "maxAggregationInterval", "60", "600")
        yield from checks.arn(inputs, "iamRoleArn", "iam")
        yield from checks.arn(inputs, "logDestination")

    def create(self, job: Job) -> str:
        where = ("VPC", job.text("vpcId")) if job.inputs.get("vpcId") else ("Subnet", job.text("subnetId"))
        role = {"DeliverLogsPermissionArn": job.text("iamRoleArn")} if job.inputs.get("iamRoleArn") else {}
        form = {"LogFormat": job.text("logFormat")} if job.inputs.get("logFormat") else {}
        made = job.aws.client("ec2").create_flow_logs(
            ResourceType=where[0],
            ResourceIds=[where[1]],
            TrafficType=job.text("trafficType", "ALL"),
            LogDestinationType=job.text("logDestinationType", "cloud-watch-logs"),
            LogDestination=job.text("logDestination"),
            MaxAggregationInterval=int(job.inputs.get("maxAggregationInterval") or 600),
            **role,
            **form,
            **tagged(job, "vpc-flow-log"),
        )
        if made.get("Unsuccessful"):
            error = made["Unsuccessful"][0]["Error"]
            raise AwsError(str(error["Code"]), str(error["Message"]))
        return str(made["FlowLogIds"][0])

    def read(self, ref: Ref) -> Props | None:
        log = described(ref.aws, "describe_flow_logs", "FlowLogs", FlowLogIds=[ref.id])
        if log is None:
            return None
        key = "vpcId" if str(log["ResourceId"]).startswith("vpc-") else "subnetId"
        return {
            "arn": ref.aws.arn("ec2", f"vpc-flow-log/{ref.id}"),
            key: log["ResourceId"],
            "trafficType": log["TrafficType"],
            "logDestination": log.get("LogDestination"),
            "logDestinationType": log["LogDestinationType"],
            "iamRoleArn": log.get("DeliverLogsPermissionArn"),
            "logFormat": log.get("LogFormat"),
            "maxAggregationInterval": log.get("MaxAggregationInterval"),
            "tagsAll": tags_of(log),
        }

    def update(self, job: Job, ref: Ref) -> None:
        retag(job, ref)

    def delete(self, ref: Ref) -> None:
        if self.read(ref) is not None:
            ref.client("ec2").delete_flow_logs(FlowLogIds=[ref.id])
