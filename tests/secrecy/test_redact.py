"""What is shown of objects and texts holds no credential, and what explains the trouble stays."""

from __future__ import annotations

import json

import pytest

from xgen_infra.engine.special import SECRET, SIGNATURE
from xgen_infra.secrecy import Search, redact

VALUE = "s3cr3t/Value+of=no&concern"
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{VALUE}\n-----END RSA PRIVATE KEY-----"
SEARCH = Search({"the value": VALUE})


@pytest.mark.parametrize(
    "line",
    [
        f"Authorization: Bearer {VALUE}",
        f"authorization: Basic {VALUE}",
        f'{{"Authorization": "{VALUE}"}}',
        f"GET / with bearer {VALUE}",
        f"fatal: unable to access 'https://user:{VALUE.replace('/', '%2F')}@git.example/x.git'",
        f"postgresql://xgen:{VALUE.replace('/', '.')}@10.0.0.1:5432/xgen",
        PEM,
        json.dumps({"key": PEM}),
        f"POSTGRES_PASSWORD={VALUE}".replace("&", ""),
        f"MINIO_DATA_SECRET_KEY: '{VALUE}'".replace("&", ""),
        f'"apiKey": "{VALUE}"'.replace("&", ""),
        f"    client-key-data: {VALUE}".replace("&", ""),
        f"https://s3/b?X-Amz-Signature={VALUE}".replace("&", ""),
    ],
)
def test_a_credential_in_a_text_is_hidden(line: str) -> None:
    shown = redact.text(f"before\n{line}\nafter")
    assert "s3cr3t" not in shown
    assert redact.HIDDEN in shown or "***@" in shown
    assert shown.startswith("before\n")


@pytest.mark.parametrize(
    "line",
    [
        'Failed to pull image "docker.x2bee.com/xgen/aww/xgen-core:1": unauthorized',
        "http://gitlab.aww.example/xgen/xgen-infra.git: connection refused",
        "Readiness probe failed: HTTP probe failed with statuscode: 503",
        "0/3 nodes are available: 3 Insufficient memory.",
    ],
)
def test_what_explains_the_trouble_stays(line: str) -> None:
    assert redact.text(line) == line


def test_a_pod_keeps_its_shape_and_loses_its_environment() -> None:
    pod = {
        "kind": "Pod",
        "metadata": {
            "name": "core",
            "managedFields": [{}],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": VALUE, "generation": "2"},
        },
        "spec": {
            "containers": [
                {
                    "image": "registry/core:1",
                    "env": [
                        {"name": "PASSWORD", "value": VALUE},
                        {
                            "name": "KEY",
                            "valueFrom": {"secretKeyRef": {"name": "xgen-secrets", "key": "KEY"}},
                        },
                    ],
                }
            ]
        },
    }
    shown = redact.kubernetes(pod)
    (container,) = shown["spec"]["containers"]
    assert container["image"] == "registry/core:1"
    assert container["env"][0] == {"name": "PASSWORD", "value": redact.HIDDEN}
    assert container["env"][1] == pod["spec"]["containers"][0]["env"][1]
    assert shown["metadata"] == {"name": "core", "annotations": {"generation": "2"}}


def test_the_data_of_a_config_map_is_hidden_and_its_keys_are_shown() -> None:
    shown = redact.kubernetes(
        {"kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"REGION": "r", "K": VALUE}}
    )
    assert shown["data"] == {"REGION": redact.HIDDEN, "K": redact.HIDDEN}


def test_a_state_loses_encrypted_values_and_what_they_are_encrypted_with() -> None:
    state = {
        "version": 3,
        "deployment": {
            "secrets_providers": {"type": "passphrase", "state": {"salt": "v1:salt:check"}},
            "resources": [
                {
                    "urn": "urn:x",
                    "inputs": {
                        "password": {SIGNATURE: SECRET, "ciphertext": VALUE},
                        "secretName": "xgen-secrets",
                    },
                    "outputs": {"adminPassword": VALUE, "arn": "arn:aws:iam::123456789012:user/documents"},
                }
            ],
        },
    }
    shown = redact.state(state)
    (resource,) = shown["deployment"]["resources"]
    assert "secrets_providers" not in shown["deployment"]
    assert resource["inputs"] == {"password": redact.HIDDEN, "secretName": "xgen-secrets"}
    assert resource["outputs"] == {
        "adminPassword": redact.HIDDEN,
        "arn": "arn:aws:iam::123456789012:user/documents",
    }
    assert SEARCH.in_text("state", json.dumps(shown)) == []
