"""Values of the chart that shape the pod: resources, probes, the .env file, security, rollout."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StrictBool, StrictInt, model_validator
from pydantic.config import JsonDict

from xgen_infra.delivery.values_types import (
    AbsolutePath,
    Annotations,
    DnsLabel,
    EnvName,
    IntOrPercent,
    Positive,
    Quantity,
    Seconds,
    Values,
)

EXACTLY_ONE: JsonDict = {"oneOf": [{"required": ["path"]}, {"required": ["tcp"]}]}


class Requests(Values):
    """What a node keeps free for a pod; the autoscaler's percentage is of this CPU."""

    cpu: Quantity
    memory: Quantity


class Limits(Values):
    """What a pod may use at most."""

    cpu: Quantity | None = None
    """Without one, a pod may use what the node has free."""
    memory: Quantity


class Resources(Values):
    """CPU and memory of the container."""

    requests: Requests
    limits: Limits


class Probe(Values):
    """Exactly one of `path` (HTTP GET) and `tcp: true` (the port accepts a connection); seconds and counts."""

    model_config = ConfigDict(json_schema_extra=EXACTLY_ONE)

    path: AbsolutePath | None = None
    tcp: Literal[True] | None = None
    initial_delay_seconds: Seconds = 0
    period_seconds: Positive = 10
    timeout_seconds: Positive = 3
    failure_threshold: Positive = 3

    @model_validator(mode="after")
    def _one(self) -> Probe:
        if (self.path is None) == (self.tcp is None):
            raise ValueError("expected exactly one of path and tcp")
        return self


class StartupProbe(Probe):
    """As the others, with five minutes to start."""

    period_seconds: Positive = 5
    failure_threshold: Positive = 60


class Probes(Values):
    """Omitted ones are not made. Liveness and readiness wait for startup."""

    readiness: Probe | None = None
    liveness: Probe | None = None
    startup: StartupProbe | None = None


class Dotenv(Values):
    """An init container merges environment variables into a copy of the image's .env, mounted over the file."""

    enabled: StrictBool = False
    path: AbsolutePath = "/app/.env"
    keys: tuple[EnvName, ...] = ()
    """Variables of env, outputs.env or secretEnv."""
    python: str = "python"
    """The interpreter, by name or path in the image; 3.8 or newer."""

    @model_validator(mode="after")
    def _something(self) -> Dotenv:
        if self.enabled and not self.keys:
            raise ValueError("enabled, but keys names no variable")
        return self


class PodSecurity(Values):
    """The restricted Pod Security Standard, and a read-only root file system. Each switch is a departure."""

    run_as_non_root: StrictBool = True
    run_as_user: Annotated[StrictInt, Field(ge=0, le=2**31 - 1)] = 1000
    seccomp_profile: Literal["RuntimeDefault", "Unconfined"] = "RuntimeDefault"
    allow_privilege_escalation: StrictBool = False
    read_only_root_filesystem: StrictBool = True
    drop_capabilities: tuple[str, ...] = ("ALL",)
    add_capabilities: tuple[str, ...] = ()
    writable_paths: tuple[AbsolutePath, ...] = ("/tmp",)  # noqa: S108
    """Each is an empty folder on the node's disk that lives as long as the pod."""

    @model_validator(mode="after")
    def _root(self) -> PodSecurity:
        if self.run_as_non_root and self.run_as_user == 0:
            raise ValueError("runAsUser 0 is root: write runAsNonRoot: false with it")
        return self


class PodDisruptionBudget(Values):
    """At most one pod is drained at a time; a single one is never held back."""

    enabled: StrictBool = True


class ServiceAccount(Values):
    """The pods' identity."""

    create: StrictBool = True
    name: DnsLabel | Literal[""] = ""
    """Empty: the service's name where it is created, else `default`."""
    annotations: Annotations = Field(default_factory=dict)
    automount: StrictBool = False
    """Whether the pods get a token of the Kubernetes API."""


class Rollout(Values):
    """How a new version replaces the old: by default a new pod is ready before an old one goes."""

    max_unavailable: IntOrPercent = 0
    max_surge: IntOrPercent = 1

    @model_validator(mode="after")
    def _moves(self) -> Rollout:
        if self.max_unavailable in {0, "0%"} and self.max_surge in {0, "0%"}:
            raise ValueError("maxUnavailable and maxSurge are both 0: nothing could be replaced")
        return self
