"""Functions about the account, the region and public parameters."""

from __future__ import annotations

import hashlib

from xgen_infra.rehearsal.standins.aws.kind import found
from xgen_infra.rehearsal.standins.aws.session import Aws, AwsError
from xgen_infra.rehearsal.standins.contract import Props

_NODE_IMAGES = "/aws/service/eks/optimized-ami/"
_HOME = "us-east-1"
_SUFFIX = {"aws": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}


def get_caller_identity(aws: Aws, _arguments: Props) -> Props:
    """Say whose credentials these are."""
    got = aws.client("sts").get_caller_identity()
    return {"accountId": got["Account"], "arn": got["Arn"], "userId": got["UserId"], "id": got["Account"]}


def get_partition(aws: Aws, _arguments: Props) -> Props:
    """Give the partition of the region."""
    suffix = _SUFFIX[aws.partition]
    reverse = ".".join(reversed(suffix.split(".")))
    return {"partition": aws.partition, "id": aws.partition, "dnsSuffix": suffix, "reverseDnsPrefix": reverse}


def get_region(aws: Aws, arguments: Props) -> Props:
    """Describe a region. Raises AwsError when there is none of that name."""
    name = str(arguments.get("region") or arguments.get("name") or aws.region)
    regions = aws.in_region(_HOME).client("ec2").describe_regions(AllRegions=True)["Regions"]
    if name not in {r["RegionName"] for r in regions}:
        raise AwsError("InvalidParameterValue", f"no region is called {name}")
    endpoint = f"ec2.{name}.{_SUFFIX[aws.partition]}"
    return {"region": name, "name": name, "id": name, "endpoint": endpoint, "description": name}


def get_availability_zones(aws: Aws, arguments: Props) -> Props:
    """List the region's zones by name; filters and exclusions as EC2 has them."""
    filters = [{"Name": f["name"], "Values": f["values"]} for f in arguments.get("filters") or []]
    known = [f for f in filters if f["Name"] not in {"opt-in-status", "zone-type"}]
    zones = aws.client("ec2").describe_availability_zones(Filters=known)["AvailabilityZones"]
    state = arguments.get("state")
    without = {*(arguments.get("excludeNames") or []), *(arguments.get("excludeZoneIds") or [])}
    kept = sorted(
        (
            z
            for z in zones
            if not {z["ZoneName"], z["ZoneId"]} & without and (state is None or z["State"] == state)
        ),
        key=lambda zone: str(zone["ZoneName"]),
    )
    return {
        "id": aws.region,
        "names": [z["ZoneName"] for z in kept],
        "zoneIds": [z["ZoneId"] for z in kept],
        "groupNames": [aws.region],
    }


def get_default_tags(aws: Aws, _arguments: Props) -> Props:
    """Give the provider's default tags."""
    return {"id": aws.partition, "tags": aws.default_tags}


def get_parameter(aws: Aws, arguments: Props) -> Props:
    """Read a parameter; those by which AWS publishes EKS node images have an image id made up from their name."""
    name = str(arguments["name"])
    got = found(aws.client("ssm").get_parameter, Name=name, WithDecryption=True)
    if got is not None:
        parameter = got["Parameter"]
        held = {"value": parameter["Value"], "type": parameter["Type"], "version": parameter["Version"]}
    elif name.startswith(_NODE_IMAGES):
        image = f"ami-{hashlib.sha256(f'{aws.region}{name}'.encode()).hexdigest()[:17]}"
        value = image if name.endswith("image_id") else name.split("/")[-2]
        held = {"value": value, "type": "String", "version": 1}
    else:
        raise AwsError("ParameterNotFound", f"no parameter is called {name}")
    public = {"insecureValue": held["value"]} if held["type"] == "String" else {}
    arn = f"arn:{aws.partition}:ssm:{aws.region}:{aws.account}:parameter/{name.lstrip('/')}"
    return {**held, **public, "name": name, "id": name, "arn": arn}
