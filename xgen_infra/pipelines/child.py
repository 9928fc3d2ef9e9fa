"""The child pipelines that GitLab runs: one job per customer and step, from what has to be done. Pure.

A job takes its commands from `ci/gitlab/site.yml`; here it gets its customer, its order and its locks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from xgen_infra.pipelines.work import Cloud, Step, Work

TEMPLATES = "ci/gitlab/site.yml"
CUSTOMERS = 100
"""Customers in one pipeline at most. Each has up to four jobs, and GitLab takes 500 deployment jobs, which all of
these are, in a pipeline (GitLab documentation, "Maximum number of deployment jobs in a pipeline")."""
GATE, REST = "approve the rest", "plan-rest"
_STARTS: frozenset[Step] = frozenset({"up", "mirror"})
Json = dict[str, Any]


class TooManyError(Exception):
    """More customers than one pipeline can hold where they cannot be divided."""


@dataclass(frozen=True)
class Rollout:
    """The canaries' work and the others'. `gated`: somebody has to approve before the others begin."""

    canaries: tuple[Work, ...]
    rest: tuple[Work, ...]
    gated: bool

    @classmethod
    def of(cls, work: Iterable[Work], *, everybody: bool) -> Rollout:
        """Divide the work. The gate stands where canaries went first, and where the program itself changed."""
        found = tuple(work)
        canaries = tuple(one for one in found if one.canary)
        rest = tuple(one for one in found if not one.canary)
        return cls(canaries, rest, gated=bool(rest) and (bool(canaries) or everybody))

    @property
    def parts(self) -> list[tuple[Work, ...]]:
        """The others' work in as many pipelines as it needs: one, unless they are too many for it."""
        return parts(self.rest)


def parts(work: Sequence[Work]) -> list[tuple[Work, ...]]:
    """Return work in portions for one pipeline each."""
    return [tuple(work[start : start + CUSTOMERS]) for start in range(0, len(work), CUSTOMERS)]


def rollout(plan: Rollout, again: str) -> str:
    """Return the child pipeline of a rollout: canaries, gate, the rest in parallel.

    Where the rest is too much for one pipeline, `again` is the command that writes `rest-<n>.yml` in the folder
    build, each of them a pipeline of its own, which this one starts. Raises TooManyError.
    """
    if len(plan.canaries) > CUSTOMERS:
        raise TooManyError(
            f"{len(plan.canaries)} customers have canary: true, and {CUSTOMERS} fit into a pipeline: leave it at fewer"
        )
    divided = len(plan.canaries) + len(plan.rest) > CUSTOMERS
    jobs: Json = {}
    for one in plan.canaries:
        jobs |= _chain(one, "canary", [])
    if plan.gated and not divided:
        for one in plan.rest:
            jobs |= _look(one)
    if plan.gated:
        jobs[GATE] = {"extends": ".gate", "stage": "gate"}
    after = [GATE] if plan.gated else []
    if divided:
        jobs |= _divided(len(plan.parts), again, after)
    else:
        for one in plan.rest:
            jobs |= _chain(one, "sites", after)
    return _text(jobs, ("canary", "gate", "plan", "sites"))


def plain(work: Iterable[Work]) -> str:
    """Return a pipeline in which every customer's work begins at once."""
    jobs: Json = {}
    for one in work:
        jobs |= _chain(one, "sites", [])
    return _text(jobs, ("sites",))


def divided(number: int, again: str) -> str:
    """Return a pipeline that starts others, which `again` writes when it runs."""
    return _text(_divided(number, again, []), ("plan", "sites"))


def _chain(work: Work, stage: str, after: list[str]) -> Json:
    """Return one customer's jobs, each beginning when the one before has succeeded, whatever others do."""
    jobs: Json = {}
    needs = after
    started = False
    for step in work.steps:
        starts = step in _STARTS and not started
        jobs[f"{step} {work.stack}"] = _job(work, step, stage, needs, starts=starts)
        needs, started = [f"{step} {work.stack}"], started or starts
    return jobs


def _look(work: Work) -> Json:
    """Return the preview of a customer that comes after the gate, for whoever stands before it."""
    if "up" not in work.steps:
        return {}
    job = _job(work, "preview", "canary", [], starts=False)
    return {f"preview {work.stack}": {**job, "allow_failure": True}}


def _job(work: Work, step: Step, stage: str, needs: Sequence[str], *, starts: bool) -> Json:
    job: Json = {"extends": f".{step}", "stage": stage, "needs": list(needs)}
    job["variables"] = {"SITE": work.stack, **_cloud(work.cloud, step)}
    if step != "check":
        # Only what starts a deployment may be outdated by a newer one; all get the variables of the environment.
        action = {} if starts else {"action": "access"}
        job["environment"] = {"name": f"customer/{work.stack}", **action}
        job["resource_group"] = f"customer/{work.stack}"
    return job


def _cloud(cloud: Cloud | None, step: Step) -> Mapping[str, str]:
    if cloud is None:
        return {}
    looks = step in {"preview", "drift"}
    return {
        "PULUMI_BACKEND_URL": cloud.backend,
        "AWS_REGION": cloud.region,
        "XGEN_AWS_ROLE": cloud.preview_role if looks else cloud.deploy_role,
    }


def _divided(number: int, again: str, after: list[str]) -> Json:
    files = [f"build/rest-{part}.yml" for part in range(1, number + 1)]
    jobs: Json = {
        REST: {"extends": ".plan", "stage": "plan", "needs": after, "script": [again]},
    }
    for part, file in enumerate(files, start=1):
        jobs[f"rest {part} of {number}"] = {
            "stage": "sites",
            "needs": [REST],
            "trigger": {"include": [{"artifact": file, "job": REST}], "strategy": "depend"},
        }
    return jobs


def _text(jobs: Json, stages: Sequence[str]) -> str:
    if not jobs:
        jobs = {"nothing to do": {"extends": ".nothing", "stage": stages[0]}}
    used = {job["stage"] for job in jobs.values()}
    head = {"include": [{"local": TEMPLATES}], "stages": [stage for stage in stages if stage in used]}
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return yaml.dump({**head, **jobs}, Dumper=dumper, sort_keys=False, width=200)
