"""Which secrets a state and a Kubernetes Secret hold."""

from __future__ import annotations

import json
from base64 import b64encode

from xgen_infra.engine.special import SECRET, SIGNATURE
from xgen_infra.secrecy.known import HELM_RELEASE, of_kubernetes, of_state

URN = "urn:pulumi:aww::xgen-infra::aws:iam/accessKey:AccessKey::keys-generation-1"


def sealed(value: object) -> dict[str, str]:
    return {SIGNATURE: SECRET, "plaintext": json.dumps(value)}


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


def state(**outputs: object) -> dict[str, object]:
    return {"deployment": {"resources": [{"urn": URN, "outputs": outputs}]}}


def test_every_encrypted_value_of_a_state_is_known() -> None:
    known = of_state(state(secret=sealed("of-the-key"), id="AKIA", deep={"list": [sealed("in-a-list")]}))
    assert known == {
        "keys-generation-1.secret": "of-the-key",
        "keys-generation-1.deep.list[0]": "in-a-list",
    }


def test_the_data_of_a_secret_in_the_state_is_known_as_pods_see_it() -> None:
    known = of_state(
        state(data=sealed({"PASSWORD": encoded("as-pods-see-it"), "url": encoded("https://git")}))
    )
    assert set(known.values()) == {"as-pods-see-it"}


def test_credentials_inside_documents_are_known() -> None:
    kubeconfig = "apiVersion: v1\nkind: Config\nclusters: []\nusers: [{user: {token: the-token, client-key-data: the-key}}]\n"
    docker = json.dumps(
        {"auths": {"host": {"username": "pull", "password": "the-password", "auth": "the-pair"}}}
    )
    known = of_state(state(kubeconfig=sealed(kubeconfig), config=sealed(docker)))
    assert set(known.values()) == {"the-token", "the-key", "the-password", "the-pair", docker}


def test_a_kubeconfig_that_calls_a_command_holds_no_secret() -> None:
    kubeconfig = {
        "kind": "Config",
        "users": [{"user": {"exec": {"command": "aws", "args": ["eks", "get-token"]}}}],
    }
    assert of_state(state(kubeconfig=sealed(json.dumps(kubeconfig)))) == {}
    assert of_state(state(kubeconfig=sealed(kubeconfig))) == {}


def test_an_id_is_no_secret_wherever_it_is_passed_on() -> None:
    shown = state(secret=sealed("the-secret-of-it"), data=sealed({"KEY": encoded("AKIA1234567890")}))
    shown["deployment"]["resources"][0]["id"] = "AKIA1234567890"  # type: ignore[index]
    assert set(of_state(shown).values()) == {"the-secret-of-it"}


def test_a_kubernetes_secret_gives_its_values_and_not_its_addresses() -> None:
    secret = {
        "metadata": {"name": "repository", "namespace": "argocd"},
        "type": "Opaque",
        "data": {"password": encoded("of-git"), "url": encoded("https://git.example"), "binary": "/w=="},
    }
    assert of_kubernetes(secret) == {
        "Secret argocd/repository: password": "of-git",
        "Secret argocd/repository: binary": "/w==",
    }
    assert of_kubernetes({**secret, "type": HELM_RELEASE}) == {}


def test_of_a_cluster_that_argo_cd_is_told_of_only_the_credentials_are_secret() -> None:
    labels = {"argocd.argoproj.io/secret-type": "cluster"}
    config = json.dumps({"bearerToken": "right", "tlsClientConfig": {"insecure": False, "keyData": "key"}})
    data = {"server": "https://kubernetes.default.svc", "name": "in-cluster", "config": config}
    encoded = {key: b64encode(value.encode()).decode() for key, value in data.items()}
    secret = {"metadata": {"namespace": "argocd", "name": "c", "labels": labels}, "data": encoded}
    assert set(of_kubernetes(secret).values()) == {"right", "key"}
