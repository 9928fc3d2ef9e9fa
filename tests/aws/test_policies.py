from __future__ import annotations

import json
import subprocess
import sys

import pytest

from xgen_infra.aws import policies
from xgen_infra.aws.load_balancer_policy import load_balancer_controller

LONGEST = "x" * 100
PLACE = policies.Place("aws-us-gov", "us-gov-west-1", "123456789012")


@pytest.mark.parametrize(
    ("document", "limit"),
    [
        (load_balancer_controller(PLACE, LONGEST), 10240),
        (policies.cluster_autoscaler(PLACE, LONGEST), 10240),
        (policies.flow_logs(PLACE, f"/xgen/{LONGEST}/flow-logs"), 10240),
        (policies.documents_user(PLACE, "b" * 63), 2048),
        (policies.trust_pods(PLACE.arn("eks", f"cluster/{LONGEST}"), "kube-system", "x" * 63), 2048),
    ],
    ids=["load balancers", "autoscaler", "flow logs", "documents", "trust"],
)
def test_every_document_fits_iams_limit_with_the_longest_names(
    document: policies.Document, limit: int
) -> None:
    """IAM User Guide, "IAM and AWS STS quotas": inline policies of roles and users, trust policies."""
    assert len(json.dumps(document, separators=(",", ":"))) <= limit


def test_documents_are_of_the_regions_own_partition() -> None:
    text = json.dumps(load_balancer_controller(PLACE, "xgen-aww"))
    assert "arn:aws-us-gov:" in text
    assert "arn:aws:" not in text


def test_statements_of_a_document_have_names_of_their_own() -> None:
    for document in (load_balancer_controller(PLACE, "c"), policies.cluster_autoscaler(PLACE, "c")):
        names = [statement["Sid"] for statement in document["Statement"]]
        assert len(set(names)) == len(names)
        assert all(name.isalnum() for name in names)


def test_the_pure_modules_load_no_cloud_package() -> None:
    pure = "import xgen_infra.aws, xgen_infra.aws.cidr, xgen_infra.aws.ports, xgen_infra.aws.policies"
    told = f"{pure}\nimport sys\nprint([name for name in sys.modules if name.startswith('pulumi')])"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
