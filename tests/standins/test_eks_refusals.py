"""The eks components refuse what the real ones do, before anything is registered."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pulumi
import pytest

from xgen_infra.rehearsal.standins.eks.addons import configuration_values
from xgen_infra.rehearsal.standins.eks.inputs import ComponentError, Inputs
from xgen_infra.rehearsal.standins.eks.refusals import check_cluster, check_node_group

FINE: dict[str, Any] = {"skipDefaultNodeGroup": True, "authenticationMode": "API", "subnetIds": ["a", "b"]}
ENTRIES = {"admin": {"principalArn": "arn:aws:iam::123456789012:role/platform"}}
ROLE = {"nodeRoleArn": "arn:aws:iam::123456789012:role/nodes"}
TEMPLATE = {"launchTemplate": {"id": "lt-1", "version": "1"}}


@pytest.fixture(autouse=True)
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / "aws"
    found.write_text("#!/bin/sh\necho aws-cli/2.31.0 Python/3.13.0\n")
    found.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return found


def _said(inputs: dict[str, Any], check: Any = check_cluster) -> str:
    with pytest.raises(ComponentError) as refused:
        check(Inputs(inputs))
    return str(refused.value)


def test_what_is_fine_is_not_refused() -> None:
    check_cluster(Inputs({**FINE, "accessEntries": ENTRIES, "publicAccessCidrs": ["203.0.113.0/24"]}))
    check_cluster(Inputs({"skipDefaultNodeGroup": True, "instanceRoles": ["role"], "roleMappings": []}))
    check_cluster(Inputs({**FINE, "authenticationMode": "API_AND_CONFIG_MAP", "roleMappings": ["one"]}))
    check_node_group(Inputs({**ROLE, **TEMPLATE, "amiType": "AL2023_x86_64_STANDARD"}))
    check_node_group(Inputs({**ROLE, "enableIMDSv2": True, "diskSize": 50}))


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({**FINE, "privateSubnetIds": ["c"]}, "mutually exclusive"),
        ({**FINE, "authenticationMode": "CONFIG_MAP", "accessEntries": ENTRIES}, "set to CONFIG_MAP"),
        ({"skipDefaultNodeGroup": True, "accessEntries": ENTRIES}, "not set"),
        ({**FINE, "roleMappings": [{}]}, "roleMappings cannot be given"),
        ({**FINE, "userMappings": [{}]}, "userMappings cannot be given"),
        ({**FINE, "instanceRoles": ["role"]}, "instanceRoles cannot be given"),
        ({**FINE, "authenticationMode": "Api"}, "invalid authenticationMode"),
        ({**FINE, "publicAccessCidrs": ["0.0.0.0/0"], "endpointPublicAccess": False}, "publicAccessCidrs"),
        ({"autoMode": {"enabled": True}, "skipDefaultNodeGroup": True}, "needs access entries"),
        ({**FINE, "nodeGroupOptions": {}, "instanceType": "t3.large"}, "instanceType are mutually exclusive"),
        ({**FINE, "instanceRole": "a", "instanceRoles": []}, "mutually exclusive"),
        ({**FINE, "skipDefaultNodeGroup": False}, "no default node group"),
        ({**FINE, "fargate": True}, "Fargate"),
    ],
)
def test_a_cluster_is_refused(inputs: dict[str, Any], said: str) -> None:
    assert said in _said(inputs)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({}, "a role, or the ARN of one"),
        ({**ROLE, "nodeRole": "role"}, "cannot both be given"),
        ({**ROLE, **TEMPLATE, "enableIMDSv2": True}, "belong into that template"),
        ({**ROLE, **TEMPLATE, "userData": "text"}, "belong into that template"),
        ({**ROLE, **TEMPLATE, "kubeletExtraArgs": "--x"}, "belong into that template"),
        ({**ROLE, **TEMPLATE, "amiId": "ami-1"}, "belong into that template"),
        ({**ROLE, "amiId": "ami-1", "gpu": True}, "amiId and gpu"),
        ({**ROLE, "amiId": "ami-1", "amiType": "AL2023_x86_64_STANDARD"}, "amiId and amiType"),
        ({**ROLE, "bootstrapExtraArgs": "--x", "amiType": "AL2023_x86_64_STANDARD"}, "not supported"),
        ({**ROLE, "userData": "text", "kubeletExtraArgs": "--x"}, "belong into that user data"),
        ({**ROLE, "enableEfaSupport": True}, "placementGroupAvailabilityZone"),
    ],
)
def test_a_node_group_is_refused(inputs: dict[str, Any], said: str) -> None:
    assert said in _said(inputs, check_node_group)


def test_every_problem_of_a_node_group_is_told_at_once() -> None:
    said = _said({"amiId": "ami-1", "gpu": True}, check_node_group)
    assert "a role, or the ARN of one" in said
    assert "amiId and gpu" in said


def test_an_output_cannot_be_the_authentication_mode() -> None:
    assert "has to be plain" in _said({**FINE, "authenticationMode": pulumi.Output.from_input("API")})


def test_an_output_where_a_plain_value_belongs_counts_as_true_silently() -> None:
    check_cluster(Inputs({**FINE, "skipDefaultNodeGroup": pulumi.Output.from_input(False)}))


def test_access_entries_as_one_output_are_refused() -> None:
    with pytest.raises(ComponentError, match="plain mapping"):
        Inputs({"accessEntries": pulumi.Output.from_input(ENTRIES)}).mapping("accessEntries")


def test_a_missing_or_old_aws_command_is_refused(command: Path) -> None:
    command.write_text("#!/bin/sh\necho aws-cli/2.6.9 Python/3.9\n")
    assert "at least 2.7.0" in _said(FINE)
    command.write_text("#!/bin/sh\necho aws-cli/1.23.0 Python/3.9\n")
    assert "at least 1.24.0" in _said(FINE)
    command.write_text("#!/bin/sh\necho something else\n")
    assert "no version" in _said(FINE)
    command.unlink()
    assert "no `aws` command" in _said(FINE)


def test_the_network_plugin_s_options_become_its_environment_and_its_own_values_win() -> None:
    made = configuration_values(
        {
            "enablePrefixDelegation": True,
            "warmPrefixTarget": 1,
            "enableNetworkPolicy": True,
            "configurationValues": {"env": {"AWS_VPC_ENI_MTU": "1500"}, "resources": {}},
        }
    )
    assert made["enableNetworkPolicy"] == "true"
    assert made["env"]["ENABLE_PREFIX_DELEGATION"] == "true"
    assert made["env"]["WARM_PREFIX_TARGET"] == "1"
    assert made["env"]["AWS_VPC_ENI_MTU"] == "1500"
    assert made["env"]["WARM_ENI_TARGET"] == "1"
    assert made["init"] == {"env": {"DISABLE_TCP_EARLY_DEMUX": "false"}}
    assert made["resources"] == {}
