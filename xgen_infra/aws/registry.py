"""Image repositories in Amazon ECR: one per service, scanned on push, written by the vendor alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from xgen_infra.aws import policies

KEPT_IMAGES = 100
"""By count and not by age: a digest that a customer's file pins may be old, and lose its tag to the next push."""


@dataclass(frozen=True)
class RegistryArgs:
    """Repository paths by service, and the vendor's principal that may push."""

    repositories: Mapping[str, str]
    push_principal: str | None


class Registry(pulumi.ComponentResource):
    """ECR repositories; nodes of the same account pull by their role, with no pull secret."""

    urls: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("xgen:aws:Registry", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.urls = {}
        for service, path in args.repositories.items():
            repository = aws.ecr.Repository(
                f"{name}-{service}",
                name=path,
                image_scanning_configuration={"scan_on_push": True},
                # Jenkins pushes a moving tag; `xgen promote` pins digests.
                image_tag_mutability="MUTABLE",
                force_delete=True,
                opts=child,
            )
            aws.ecr.LifecyclePolicy(
                f"{name}-{service}", repository=repository.name, policy=json.dumps(lifecycle()), opts=child
            )
            if args.push_principal:
                aws.ecr.RepositoryPolicy(
                    f"{name}-{service}",
                    repository=repository.name,
                    policy=policies.text(policies.repository(args.push_principal)),
                    opts=child,
                )
            self.urls[service] = repository.repository_url
        self.register_outputs({})


def lifecycle() -> dict[str, object]:
    """Return the lifecycle policy: the newest images stay (Amazon ECR User Guide, "Lifecycle policies")."""
    return {
        "rules": [
            {
                "rulePriority": 1,
                "description": f"keep the newest {KEPT_IMAGES} images",
                "selection": {
                    "tagStatus": "any",
                    "countType": "imageCountMoreThan",
                    "countNumber": KEPT_IMAGES,
                },
                "action": {"type": "expire"},
            }
        ]
    }
