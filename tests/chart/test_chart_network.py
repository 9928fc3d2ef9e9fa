"""Service, Ingress and NetworkPolicy, as rendered by Helm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conftest import Chart

DNS = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ],
    "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
}
HTTPS = {
    "to": [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}},
        {"ipBlock": {"cidr": "::/0", "except": ["fd00:ec2::254/128"]}},
    ],
    "ports": [{"port": 443, "protocol": "TCP"}],
}


def rules(chart: Chart, **policy: Any) -> dict[str, Any]:
    spec: dict[str, Any] = chart.render(networkPolicy=policy).one("NetworkPolicy")["spec"]
    return spec


def test_the_service_leads_to_the_containers_port(chart: Chart) -> None:
    objects = chart.render(service={"port": 3000})
    spec = objects.one("Service")["spec"]
    assert spec["type"] == "ClusterIP"
    assert spec["ports"] == [{"name": "http", "port": 3000, "targetPort": "http", "protocol": "TCP"}]
    assert spec["selector"].items() <= objects.pod["metadata"]["labels"].items()


def test_there_is_no_ingress_unless_asked_for(chart: Chart) -> None:
    assert "Ingress" not in chart.render().kinds


def test_an_alb_ingress_addresses_pods_and_asks_their_readiness_path(chart: Chart) -> None:
    scheme = {"alb.ingress.kubernetes.io/scheme": "internal"}
    objects = chart.render(
        ingress={"enabled": True, "className": "alb", "path": "/api", "annotations": scheme},
        probes={"readiness": {"path": "/health"}},
    )
    ingress = objects.one("Ingress")
    assert ingress["metadata"]["annotations"] == scheme | {
        "alb.ingress.kubernetes.io/target-type": "ip",
        "alb.ingress.kubernetes.io/healthcheck-path": "/health",
    }
    backend = {"service": {"name": "xgen-core", "port": {"name": "http"}}}
    assert ingress["spec"] == {
        "ingressClassName": "alb",
        "rules": [{"http": {"paths": [{"path": "/api", "pathType": "Prefix", "backend": backend}]}}],
    }


def test_given_annotations_win_over_the_charts_own(chart: Chart) -> None:
    given = {
        "alb.ingress.kubernetes.io/target-type": "instance",
        "alb.ingress.kubernetes.io/healthcheck-path": "/mine",
    }
    objects = chart.render(
        ingress={"enabled": True, "annotations": given}, probes={"readiness": {"path": "/health"}}
    )
    assert objects.one("Ingress")["metadata"]["annotations"] == given


def test_a_traefik_ingress_has_host_and_certificate(chart: Chart) -> None:
    ingress = chart.render(
        ingress={
            "enabled": True,
            "className": "traefik",
            "host": "xgen.example",
            "tls": {"secretName": "xgen-tls"},
        }
    ).one("Ingress")
    assert "annotations" not in ingress["metadata"]
    assert ingress["spec"]["ingressClassName"] == "traefik"
    assert ingress["spec"]["tls"] == [{"secretName": "xgen-tls", "hosts": ["xgen.example"]}]
    assert [rule["host"] for rule in ingress["spec"]["rules"]] == ["xgen.example"]


def test_by_default_nobody_comes_in_and_only_dns_and_https_go_out(chart: Chart) -> None:
    objects = chart.render()
    spec = objects.one("NetworkPolicy")["spec"]
    assert spec["podSelector"]["matchLabels"].items() <= objects.pod["metadata"]["labels"].items()
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert spec["ingress"] == []
    assert spec["egress"] == [DNS, HTTPS]


def test_each_source_may_reach_the_services_port_and_no_other(chart: Chart) -> None:
    traefik = {"app.kubernetes.io/name": "traefik"}
    spec = chart.render(
        service={"port": 3000},
        networkPolicy={
            "ingress": {
                "fromServices": ["xgen-backend-gateway", "xgen-workflow"],
                "fromCidrs": ["10.40.0.0/16", "fd00:1::/64"],
                "fromPods": [{"namespace": "kube-system", "podLabels": traefik}, {"namespace": "ingress"}],
            }
        },
    ).one("NetworkPolicy")["spec"]
    named = "kubernetes.io/metadata.name"
    assert spec["ingress"] == [
        {
            "ports": [{"port": 3000, "protocol": "TCP"}],
            "from": [
                {"podSelector": {"matchLabels": {"xgen/service": "xgen-backend-gateway"}}},
                {"podSelector": {"matchLabels": {"xgen/service": "xgen-workflow"}}},
                {"ipBlock": {"cidr": "10.40.0.0/16"}},
                {"ipBlock": {"cidr": "fd00:1::/64"}},
                {
                    "namespaceSelector": {"matchLabels": {named: "kube-system"}},
                    "podSelector": {"matchLabels": traefik},
                },
                {"namespaceSelector": {"matchLabels": {named: "ingress"}}},
            ],
        }
    ]


def test_a_service_named_as_a_source_carries_the_label_that_is_looked_for(chart: Chart) -> None:
    labels = chart.render(name="xgen-backend-gateway").pod["metadata"]["labels"]
    assert labels["xgen/service"] == "xgen-backend-gateway"


def test_egress_goes_to_what_is_listed_on_the_ports_that_are_listed(chart: Chart) -> None:
    spec = rules(
        chart,
        egress={
            "https": False,
            "services": [{"name": "xgen-documents", "port": 8000}],
            "cidrs": [{"cidr": "10.20.1.10/32", "ports": [5432, 6379]}, {"cidr": "10.30.0.0/24"}],
            "namespaces": [{"name": "xgen-system", "ports": [9000]}, {"name": "tools"}],
        },
    )
    named = "kubernetes.io/metadata.name"
    assert spec["egress"] == [
        DNS,
        {
            "to": [{"podSelector": {"matchLabels": {"xgen/service": "xgen-documents"}}}],
            "ports": [{"port": 8000, "protocol": "TCP"}],
        },
        {
            "to": [{"ipBlock": {"cidr": "10.20.1.10/32"}}],
            "ports": [{"port": 5432, "protocol": "TCP"}, {"port": 6379, "protocol": "TCP"}],
        },
        {"to": [{"ipBlock": {"cidr": "10.30.0.0/24"}}]},
        {
            "to": [{"namespaceSelector": {"matchLabels": {named: "xgen-system"}}}],
            "ports": [{"port": 9000, "protocol": "TCP"}],
        },
        {"to": [{"namespaceSelector": {"matchLabels": {named: "tools"}}}]},
    ]


def test_nothing_listed_is_nothing_allowed(chart: Chart) -> None:
    assert rules(chart, egress={"dns": False, "https": False})["egress"] == []


def test_the_policy_can_be_left_out(chart: Chart) -> None:
    assert "NetworkPolicy" not in chart.render(networkPolicy={"enabled": False}).kinds
