"""The kinds of object that Argo CD handles at a customer's, and nothing else.

Its project, its permissions and what it looks at are made of these two lists.
"""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """A kind, with the plural that permissions name it by."""

    group: str
    kind: str
    plural: str


RENDERED = (
    Kind("", "ConfigMap", "configmaps"),
    Kind("", "Service", "services"),
    Kind("", "ServiceAccount", "serviceaccounts"),
    Kind("apps", "Deployment", "deployments"),
    Kind("autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    Kind("networking.k8s.io", "Ingress", "ingresses"),
    Kind("networking.k8s.io", "NetworkPolicy", "networkpolicies"),
    Kind("policy", "PodDisruptionBudget", "poddisruptionbudgets"),
)
"""What the chart renders. Secrets are Pulumi's."""

READ = (
    Kind("", "Pod", "pods"),
    Kind("apps", "ReplicaSet", "replicasets"),
)
"""What comes of these, read to judge health."""
