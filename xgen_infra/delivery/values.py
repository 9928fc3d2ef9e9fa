"""The values of the chart charts/xgen-service: the contract between this program and the chart, one file a service.

The models hold the same defaults as the chart's values.yaml, which a test compares.
"""

from __future__ import annotations

from itertools import combinations
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StrictBool, StrictInt, model_validator

from xgen_infra.delivery.values_network import Ingress, NetworkPolicy, Service
from xgen_infra.delivery.values_pod import (
    Dotenv,
    PodDisruptionBudget,
    PodSecurity,
    Probes,
    Resources,
    Rollout,
    ServiceAccount,
)
from xgen_infra.delivery.values_types import (
    Annotations,
    Count,
    Digest,
    DnsLabel,
    Environment,
    EnvName,
    LabelKey,
    Labels,
    Positive,
    Reference,
    RegistryHost,
    Seconds,
    Selector,
    Tag,
    Values,
    sorted_map,
)

GENERATION_PREFIX = "generation/"
"""Prefix of the pod annotation that carries a Secret's generation: `generation/<secret>: "<number>"`."""


class Registry(Values):
    """Where the site's images are: `<host>/<project>/<site>/<name>`."""

    host: RegistryHost
    """host or host:port, without scheme or path."""
    project: DnsLabel = "xgen"
    site: DnsLabel


class Global(Values):
    """What all six services of a site have in common."""

    registry: Registry


class Image(Values):
    """Which image. A digest wins over the tag. Tags are pulled always, digests if not present."""

    repository: Reference | Literal[""] = ""
    """The whole name without tag, in place of the one made of global.registry and name."""
    tag: Tag = "latest-amd64"
    digest: Digest | Literal[""] = ""
    """sha256:..."""


class Autoscaling(Values):
    """The HorizontalPodAutoscaler. Where it is on, the Deployment states no replicas."""

    enabled: StrictBool = True
    min_replicas: Positive = 1
    max_replicas: Positive = 2
    target_cpu: Annotated[
        StrictInt, Field(ge=1, le=100, alias="targetCPUUtilizationPercentage", strict=True)
    ] = 70
    """Percent of the CPU request."""

    @model_validator(mode="after")
    def _order(self) -> Autoscaling:
        if self.min_replicas > self.max_replicas:
            raise ValueError(f"minReplicas {self.min_replicas} is above maxReplicas {self.max_replicas}")
        return self


class SecretKey(Values):
    """A key of a Secret in the namespace."""

    secret: DnsLabel
    key: Annotated[str, Field(pattern=r"^[-._a-zA-Z0-9]+$")]


class Outputs(Values):
    """What only the provisioned resources know, such as the bucket's name. Stated apart from `env`, by its owner."""

    env: Environment = Field(default_factory=dict)
    """Into the same ConfigMap as `env`; a key in both is refused."""


class ServiceValues(Values):
    """The values file of one service."""

    name: DnsLabel
    """The service: release, Deployment, Service and image are called so."""
    site: DnsLabel
    """The customer: a label on every object."""
    global_: Annotated[Global, Field(alias="global")]
    image: Image = Image()
    image_pull_secrets: tuple[DnsLabel, ...] = ()
    """Secrets of type kubernetes.io/dockerconfigjson; none for ECR, where the nodes may pull."""
    replicas: Count = 1
    """Where autoscaling is off."""
    autoscaling: Autoscaling = Autoscaling()
    resources: Resources
    env: Environment = Field(default_factory=dict)
    """Plain environment: the ConfigMap `<name>-env`."""
    outputs: Outputs = Outputs()
    secret_env: Annotated[dict[EnvName, SecretKey], AfterValidator(sorted_map)] = Field(default_factory=dict)
    """Secret environment, by variable."""
    generations: Annotated[dict[DnsLabel, Positive], AfterValidator(sorted_map)] = Field(default_factory=dict)
    """A number per Secret, raised when its content was replaced: the pods are rolled."""
    command: tuple[str, ...] = ()
    """Empty: the image's."""
    args: tuple[str, ...] = ()
    service: Service = Service()
    probes: Probes = Probes()
    dotenv: Dotenv = Dotenv()
    ingress: Ingress = Ingress()
    network_policy: NetworkPolicy = NetworkPolicy()
    pod_security: PodSecurity = PodSecurity()
    pod_disruption_budget: PodDisruptionBudget = PodDisruptionBudget()
    service_account: ServiceAccount = ServiceAccount()
    rollout: Rollout = Rollout()
    revision_history_limit: Count = 5
    pre_stop_sleep_seconds: Seconds = 10
    """A pod that is to end goes on serving this long, until no load balancer sends it anything."""
    termination_grace_period_seconds: Positive = 45
    """Includes the sleep before the stop."""
    topology_spread: tuple[LabelKey, ...] = ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    """Node labels over whose values the pods are spread where that can be."""
    labels: Labels = Field(default_factory=dict)
    """Further labels of every object and of the pods."""
    selector_labels: Selector = Field(default_factory=dict)
    """Only for a Deployment that exists with another selector, which cannot be changed: its matchLabels."""
    pod_annotations: Annotations = Field(default_factory=dict)
    node_selector: Selector = Field(default_factory=dict)
    tolerations: tuple[dict[str, Any], ...] = ()
    """As in a pod's spec."""

    @model_validator(mode="after")
    def _consistent(self) -> ServiceValues:
        owners = (
            ("env", set(self.env)),
            ("outputs.env", set(self.outputs.env)),
            ("secretEnv", set(self.secret_env)),
        )
        for (one, mine), (other, theirs) in combinations(owners, 2):
            if both := sorted(mine & theirs):
                raise ValueError(f"{', '.join(both)}: in both {one} and {other}; a variable has one owner")
        plain = {**self.env, **self.outputs.env} if self.dotenv.enabled else {}
        for key in self.dotenv.keys:
            if any(bad in plain.get(key, "") for bad in ("\n", "\r", "${")):
                raise ValueError(
                    f"{key}: a value with a line break or '${{' cannot go into {self.dotenv.path}"
                )
        if self.termination_grace_period_seconds <= self.pre_stop_sleep_seconds:
            raise ValueError(
                f"terminationGracePeriodSeconds {self.termination_grace_period_seconds} leaves no time after "
                f"preStopSleepSeconds {self.pre_stop_sleep_seconds}"
            )
        return self

    def to_values(self) -> dict[str, Any]:
        """Return the values file's content: every key but the absent ones, in the models' order, maps sorted.

        Defaults are written out, so that the file says what runs without the chart at hand, and a changed
        default shows as a difference in the customer's repository.
        """
        return self.model_dump(mode="json", exclude_none=True)
