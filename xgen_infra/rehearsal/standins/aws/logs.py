"""CloudWatch log groups. Rules: Amazon CloudWatch Logs API Reference, CreateLogGroup, PutRetentionPolicy."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.aws.kind import Job, Kind, Ref, found
from xgen_infra.rehearsal.standins.contract import Failure, Props

_DAYS = (
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


class LogGroup(Kind):
    type_name = "aws:cloudwatch/logGroup:LogGroup"
    optional = frozenset(
        {"name", "namePrefix", "retentionInDays", "kmsKeyId", "logGroupClass", "skipDestroy"}
    )
    replace_on = frozenset({"name", "namePrefix", "logGroupClass"})
    defaults = MappingProxyType({"logGroupClass": "STANDARD"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.matches(
            inputs, "name", r"[a-zA-Z0-9_/.#-]{1,512}", "1 to 512 letters, digits and _ - / . #"
        )
        yield from checks.arn(inputs, "kmsKeyId", "kms")
        days = inputs.get("retentionInDays")
        if days is not None and int(days) not in _DAYS:
            yield Failure("retentionInDays", f"expected one of {', '.join(map(str, _DAYS))}, got {int(days)}")

    def create(self, job: Job) -> str:
        name = job.physical_name(limit=512)
        key = {"kmsKeyId": job.text("kmsKeyId")} if job.inputs.get("kmsKeyId") else {}
        tags = {"tags": job.tags} if job.tags else {}
        job.aws.client("logs").create_log_group(logGroupName=name, **key, **tags)
        self._retain(job, name)
        return name

    def read(self, ref: Ref) -> Props | None:
        logs = ref.client("logs")
        for group in logs.describe_log_groups(logGroupNamePrefix=ref.id)["logGroups"]:
            if group["logGroupName"] == ref.id:
                arn = str(group["arn"]).removesuffix(":*")
                return {
                    "arn": arn,
                    "name": ref.id,
                    "retentionInDays": int(group.get("retentionInDays", 0)),
                    "kmsKeyId": group.get("kmsKeyId") or None,
                    "logGroupClass": group.get("logGroupClass", "STANDARD"),
                    "skipDestroy": bool(ref.known.get("skipDestroy", False)),
                    "tagsAll": logs.list_tags_for_resource(resourceArn=arn)["tags"],
                }
        return None

    def update(self, job: Job, ref: Ref) -> None:
        logs, arn = job.aws.client("logs"), ref.known["arn"]
        self._retain(job, ref.id)
        key = job.text("kmsKeyId")
        if key and key != ref.known.get("kmsKeyId"):
            logs.associate_kms_key(logGroupName=ref.id, kmsKeyId=key)
        elif not key and ref.known.get("kmsKeyId"):
            logs.disassociate_kms_key(logGroupName=ref.id)
        had = ref.known.get("tagsAll") or {}
        gone = [k for k in had if k not in job.tags]
        if gone:
            logs.untag_resource(resourceArn=arn, tagKeys=gone)
        new = {k: v for k, v in job.tags.items() if had.get(k) != v}
        if new:
            logs.tag_resource(resourceArn=arn, tags=new)

    def delete(self, ref: Ref) -> None:
        if not ref.known.get("skipDestroy"):
            found(ref.client("logs").delete_log_group, logGroupName=ref.id)

    def _retain(self, job: Job, name: str) -> None:
        days = int(job.inputs.get("retentionInDays") or 0)
        logs = job.aws.client("logs")
        if days:
            logs.put_retention_policy(logGroupName=name, retentionInDays=days)
        else:
            logs.delete_retention_policy(logGroupName=name)
