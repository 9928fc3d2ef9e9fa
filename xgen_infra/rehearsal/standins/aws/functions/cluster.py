"""Functions about EKS clusters."""

from __future__ import annotations

import base64
import json

from xgen_infra.rehearsal.standins.aws.eks.addon import NAMES, default_version
from xgen_infra.rehearsal.standins.aws.eks.cluster import Cluster
from xgen_infra.rehearsal.standins.aws.kind import Ref
from xgen_infra.rehearsal.standins.aws.session import Aws, AwsError
from xgen_infra.rehearsal.standins.contract import Props

_AS_LISTS = {
    "certificateAuthority": "certificateAuthorities",
    "accessConfig": "accessConfigs",
    "kubernetesNetworkConfig": "kubernetesNetworkConfigs",
    "upgradePolicy": "upgradePolicies",
}


def get_cluster(aws: Aws, arguments: Props) -> Props:
    """Find a cluster by name. Raises AwsError."""
    name = str(arguments["name"])
    live = Cluster().read(Ref(aws, name, {}))
    if live is None:
        raise AwsError("ResourceNotFoundException", f"No cluster found for name: {name}.")
    shown = {_AS_LISTS.get(key, key): [value] if key in _AS_LISTS else value for key, value in live.items()}
    tags = shown.pop("tagsAll", {})
    return {**{k: v for k, v in shown.items() if v is not None}, "id": name, "tags": tags}


def get_clusters(aws: Aws, _arguments: Props) -> Props:
    """List the clusters of the account and region. Raises AwsError."""
    names = aws.client("eks").list_clusters()["clusters"]
    return {"id": aws.region, "names": sorted(names)}


def get_cluster_auth(aws: Aws, arguments: Props) -> Props:
    """Give a token of the form that EKS takes; the local API server takes none of these, only certificates."""
    asked = {"cluster": str(arguments["name"]), "account": aws.account}
    token = base64.urlsafe_b64encode(json.dumps(asked).encode()).decode().rstrip("=")
    return {"name": asked["cluster"], "id": asked["cluster"], "token": f"k8s-aws-v1.{token}"}


def get_addon_version(_aws: Aws, arguments: Props) -> Props:
    """Give an add-on's version for a Kubernetes version. Raises AwsError for an add-on that EKS does not know."""
    name, kubernetes = str(arguments["addonName"]), str(arguments["kubernetesVersion"])
    if name not in NAMES:
        raise AwsError("InvalidParameterException", f"Addon {name} specified is not supported")
    return {"id": name, "version": default_version(name, kubernetes)}
