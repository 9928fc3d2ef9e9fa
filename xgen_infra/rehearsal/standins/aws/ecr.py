"""ECR repositories and what belongs to them. Rules: Amazon ECR User Guide, "Amazon ECR private repositories"."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import MappingProxyType

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.aws.kind import Job, Kind, Ref, found
from xgen_infra.rehearsal.standins.aws.session import AwsError
from xgen_infra.rehearsal.standins.contract import Failure, Props

_NAME = r"(?=.{2,256}$)[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
_MUTABILITY = ("MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION")


class Repository(Kind):
    type_name = "aws:ecr/repository:Repository"
    optional = frozenset(
        {
            "name",
            "forceDelete",
            "imageTagMutability",
            "imageScanningConfiguration",
            "encryptionConfigurations",
        }
    )
    replace_on = frozenset({"name", "encryptionConfigurations"})
    defaults = MappingProxyType(
        {"imageTagMutability": "MUTABLE", "imageScanningConfiguration": {"scanOnPush": False}}
    )

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.matches(
            inputs, "name", _NAME, "2 to 256 lowercase letters and digits, separated by . _ - or /"
        )
        yield from checks.one_of(inputs, "imageTagMutability", *_MUTABILITY)

    def create(self, job: Job) -> str:
        encryption = {}
        for one in job.inputs.get("encryptionConfigurations") or []:
            key = {"kmsKey": one["kmsKey"]} if one.get("kmsKey") else {}
            encryption = {
                "encryptionConfiguration": {"encryptionType": one.get("encryptionType", "AES256"), **key}
            }
        made = job.aws.client("ecr").create_repository(
            repositoryName=job.physical_name(limit=256, lower=True),
            imageTagMutability=job.text("imageTagMutability", "MUTABLE"),
            imageScanningConfiguration=_scanning(job.inputs),
            tags=[{"Key": k, "Value": v} for k, v in sorted(job.tags.items())],
            **encryption,
        )
        return str(made["repository"]["repositoryName"])

    def read(self, ref: Ref) -> Props | None:
        ecr = ref.client("ecr")
        got = found(ecr.describe_repositories, repositoryNames=[ref.id])
        if got is None:
            return None
        repository = got["repositories"][0]
        listed = ecr.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"]
        encryption = repository.get("encryptionConfiguration") or {"encryptionType": "AES256"}
        return {
            "arn": repository["repositoryArn"],
            "name": repository["repositoryName"],
            "registryId": repository["registryId"],
            "repositoryUrl": f"{ref.aws.account}.dkr.ecr.{ref.aws.region}.amazonaws.com/{ref.id}",
            "imageTagMutability": repository["imageTagMutability"],
            "imageScanningConfiguration": {
                "scanOnPush": bool(repository["imageScanningConfiguration"]["scanOnPush"])
            },
            "encryptionConfigurations": [
                {"encryptionType": encryption["encryptionType"], "kmsKey": encryption.get("kmsKey", "")}
                if encryption["encryptionType"] != "AES256" or not ref.known.get("encryptionConfigurations")
                else ref.known["encryptionConfigurations"][0]
            ],
            "forceDelete": bool(ref.known.get("forceDelete", False)),
            "tagsAll": {t["Key"]: t["Value"] for t in listed},
        }

    def update(self, job: Job, ref: Ref) -> None:
        ecr, arn = job.aws.client("ecr"), ref.known["arn"]
        ecr.put_image_tag_mutability(
            repositoryName=ref.id, imageTagMutability=job.text("imageTagMutability", "MUTABLE")
        )
        ecr.put_image_scanning_configuration(
            repositoryName=ref.id, imageScanningConfiguration=_scanning(job.inputs)
        )
        had = ref.known.get("tagsAll") or {}
        gone = [key for key in had if key not in job.tags]
        if gone:
            ecr.untag_resource(resourceArn=arn, tagKeys=gone)
        new = [{"Key": k, "Value": v} for k, v in job.tags.items() if had.get(k) != v]
        if new:
            ecr.tag_resource(resourceArn=arn, tags=new)

    def delete(self, ref: Ref) -> None:
        force = bool(ref.known.get("forceDelete", False))
        found(ref.client("ecr").delete_repository, repositoryName=ref.id, force=force)


class _OfRepository(Kind):
    """A document on a repository; its id is the repository's name."""

    required = frozenset({"repository", "policy"})
    replace_on = frozenset({"repository"})
    taggable = False
    calls: tuple[str, str, str, str] = ("", "", "", "")

    def create(self, job: Job) -> str:
        self._put(job)
        return job.text("repository")

    def read(self, ref: Ref) -> Props | None:
        _, get, _, body = self.calls
        got = found(getattr(ref.client("ecr"), get), repositoryName=ref.id)
        if got is None:
            return None
        return {"repository": ref.id, "registryId": got["registryId"], "policy": got[body]}

    def update(self, job: Job, ref: Ref) -> None:  # noqa: ARG002 - the repository's name stays
        self._put(job)

    def delete(self, ref: Ref) -> None:
        found(getattr(ref.client("ecr"), self.calls[2]), repositoryName=ref.id)

    def _put(self, job: Job) -> None:
        put, _, _, body = self.calls
        policy = job.inputs["policy"]
        text = policy if isinstance(policy, str) else json.dumps(policy)
        getattr(job.aws.client("ecr"), put)(repositoryName=job.text("repository"), **{body: text})


class LifecyclePolicy(_OfRepository):
    type_name = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
    replace_on = frozenset({"repository", "policy"})
    updatable = False
    calls = ("put_lifecycle_policy", "get_lifecycle_policy", "delete_lifecycle_policy", "lifecyclePolicyText")

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.document(inputs, "policy")


class RepositoryPolicy(_OfRepository):
    type_name = "aws:ecr/repositoryPolicy:RepositoryPolicy"
    calls = ("set_repository_policy", "get_repository_policy", "delete_repository_policy", "policyText")

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.document(inputs, "policy")


class RegistryScanningConfiguration(Kind):
    """The one scanning configuration of an account's registry; deleted means basic and no rules."""

    type_name = "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration"
    required = frozenset({"scanType"})
    optional = frozenset({"rules"})
    taggable = False

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.one_of(inputs, "scanType", "BASIC", "ENHANCED")
        for index, rule in enumerate(inputs.get("rules") or []):
            words = ("SCAN_ON_PUSH", "CONTINUOUS_SCAN", "MANUAL")
            for failure in checks.one_of(rule, "scanFrequency", *words):
                yield Failure(f"rules[{index}].scanFrequency", failure.reason)

    def create(self, job: Job) -> str:
        self._put(job)
        return job.aws.account

    def read(self, ref: Ref) -> Props | None:
        got = ref.client("ecr").get_registry_scanning_configuration()
        held = got["scanningConfiguration"]
        rules = [
            {"scanFrequency": r["scanFrequency"], "repositoryFilters": r["repositoryFilters"]}
            for r in held.get("rules") or []
        ]
        return {"registryId": got["registryId"], "scanType": held["scanType"], "rules": rules}

    def update(self, job: Job, ref: Ref) -> None:
        if ref.id != job.aws.account:
            raise AwsError("InvalidParameter", f"the registry {ref.id} is not of account {job.aws.account}")
        self._put(job)

    def delete(self, ref: Ref) -> None:
        ref.client("ecr").put_registry_scanning_configuration(scanType="BASIC", rules=[])

    def _put(self, job: Job) -> None:
        rules = [
            {
                "scanFrequency": rule["scanFrequency"],
                "repositoryFilters": [
                    {"filter": f["filter"], "filterType": f["filterType"]}
                    for f in rule.get("repositoryFilters") or []
                ],
            }
            for rule in job.inputs.get("rules") or []
        ]
        job.aws.client("ecr").put_registry_scanning_configuration(scanType=job.text("scanType"), rules=rules)


def _scanning(inputs: Props) -> dict[str, bool]:
    return {"scanOnPush": bool((inputs.get("imageScanningConfiguration") or {}).get("scanOnPush", False))}
