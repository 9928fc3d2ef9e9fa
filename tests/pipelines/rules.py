"""What GitLab demands of a pipeline, as far as it is told without GitLab (CI/CD YAML syntax reference; CI/CD limits)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
_HEAD = {"include", "stages", "variables", "default", "workflow"}
NEEDS, DEPLOYMENTS, BYTES = 50, 500, 5_000_000
Json = dict[str, Any]


class Pipeline:
    """A generated pipeline with the templates that it includes."""

    def __init__(self, text: str) -> None:
        self.data: Json = yaml.load(text, Loader=yaml.CSafeLoader)
        self.templates: Json = {}
        for one in self.data["include"]:
            self.templates |= yaml.safe_load((ROOT / one["local"]).read_text())
        self.jobs: Json = {name: job for name, job in self.data.items() if name not in _HEAD}
        assert self.jobs, "a pipeline has at least one job"
        assert len(text) < BYTES
        assert sum("environment" in job for job in self.jobs.values()) <= DEPLOYMENTS
        for name, job in self.jobs.items():
            self._job(name, job)

    def _job(self, name: str, job: Json) -> None:
        assert len(name) <= 255
        assert job["stage"] in self.data["stages"]
        needs = job.get("needs", [])
        assert len(needs) <= NEEDS
        assert set(needs) <= set(self.jobs)
        order = self.data["stages"].index
        assert all(order(self.jobs[one]["stage"]) <= order(job["stage"]) for one in needs)
        if "trigger" in job:
            assert "script" not in job
            assert all(one["job"] in needs for one in job["trigger"]["include"])
        else:
            assert self.template(job["extends"])["script"] or job["script"]

    def template(self, name: str) -> Json:
        """Return a template with what it extends itself."""
        own = self.templates[name]
        parent = self.template(own["extends"]) if "extends" in own else {"script": None}
        return {**parent, **own}

    def before(self, name: str) -> set[str]:
        """Return every job that has to succeed before one begins."""
        job = self.jobs[name]
        if "needs" in job:
            earlier = set(job["needs"])
        else:
            order = self.data["stages"].index
            earlier = {one for one, it in self.jobs.items() if order(it["stage"]) < order(job["stage"])}
        return earlier.union(*(self.before(one) for one in earlier))

    def of(self, stack: str) -> list[str]:
        """Return the jobs of a customer, in order."""
        return [name for name, job in self.jobs.items() if job.get("variables", {}).get("SITE") == stack]


def starts(job: Json, pipeline: Json, **given: str) -> bool:
    """Whether GitLab puts a job into a pipeline with these variables; `changes` are taken to be there.

    The first rule whose condition holds decides (CI/CD YAML syntax reference, `rules`): a comparison, a variable that
    is set and not empty, or several of them with `&&`.
    """
    rules = job.get("rules")
    parents = job.get("extends", [])
    for parent in [parents] if isinstance(parents, str) else reversed(parents):
        rules = rules or pipeline[parent].get("rules")
    found = next((rule for rule in rules or [{}] if _holds(rule.get("if", ""), given)), {"when": "never"})
    return bool(found.get("when") != "never")


def _holds(condition: str, given: Json) -> bool:
    return all(_one(part, given) for part in condition.split(" && ") if part)


def _one(part: str, given: Json) -> bool:
    name, operator, value = part.partition(" == ")
    seen = given.get(name.removeprefix("$"), "")
    wanted = given.get(value.removeprefix("$"), "") if value.startswith("$") else value.strip('"')
    if not operator:
        return bool(seen)
    return bool(seen == wanted)
