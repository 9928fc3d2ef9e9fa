"""The document bucket's name, and the key that seals the stack's secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from xgen_infra import naming
from xgen_infra.preflight.check import Result, fine, refuse, warn
from xgen_infra.preflight.reach import closed
from xgen_infra.preflight.scene import Scene, denied, said

_KMS = "awskms://"


def bucket(scene: Scene) -> Iterator[Result]:
    """Look whether the bucket's name is free, this stack's own, or there to be adopted."""
    name, adopt = naming.bucket(scene.site), scene.eks.bucket.adopt
    s3 = scene.account.client("s3")
    try:
        s3.head_bucket(Bucket=name, ExpectedBucketOwner=scene.eks.account)
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status not in {301, 403, 404}:
            raise
        if status == 404:  # noqa: PLR2004
            yield _absent(name, adopt=adopt)
        else:
            yield refuse(
                f"the bucket {name} exists, and account {scene.eks.account} has no way into it in {scene.eks.region}",
                "bucket names are global: write another one as cluster.bucket.name",
            )
        return
    if adopt:
        yield fine(f"the bucket {name} is there to be adopted")
    elif _tags(s3, name).get("stack") == scene.site.stack:
        yield fine(f"the bucket {name} is this stack's own")
    else:
        yield refuse(
            f"the bucket {name} exists in this account, and no stack of this name made it",
            "write cluster.bucket.adopt: true to take it over with what it holds, or another cluster.bucket.name",
        )


def _absent(name: str, *, adopt: bool) -> Result:
    if adopt:
        return refuse(
            f"there is no bucket {name} to adopt", "correct cluster.bucket.name, or take out adopt: true"
        )
    return fine(f"the bucket name {name} is free")


def _tags(s3: Any, name: str) -> dict[str, str]:
    try:
        return {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=name)["TagSet"]}
    except ClientError:
        return {}


def key(scene: Scene) -> Iterator[Result]:
    """Look at what seals the stack's secrets: a key in KMS that is there and enabled."""
    provider = str(scene.file.data.get("secretsprovider") or "")
    if not provider.startswith(_KMS):
        how = (
            "a passphrase"
            if scene.file.data.get("encryptionsalt")
            else provider.partition(":")[0] or "nothing yet"
        )
        say = warn if scene.site.eks else fine
        yield say(f"the stack's secrets are sealed by {how}, not by a key in KMS")
        return
    parts = urlsplit(provider)
    name = f"{parts.netloc}{parts.path}"
    region = parse_qs(parts.query).get("region", [scene.site.eks.region if scene.site.eks else ""])[0]
    try:
        found = scene.aws(region).client("kms").describe_key(KeyId=name)["KeyMetadata"]
    except (ClientError, BotoCoreError) as error:
        say = warn if denied(error) else refuse
        yield say(f"the key {name} in {region or 'no region'} cannot be looked at ({said(error)})")
        return
    if found["KeyState"] != "Enabled":
        yield refuse(
            f"the key {name} is {found['KeyState']}",
            "enable it (aws kms enable-key), or cancel its deletion first: without it no secret can be read",
        )
    else:
        yield fine(f"the key {name} in {region} is enabled")


def object_store(scene: Scene) -> Iterator[Result]:
    """Enter the object store that the file names, with the site's own keys."""
    endpoint = scene.site.infra.minio.endpoint
    assert endpoint  # noqa: S101
    parts = urlsplit(endpoint)
    if why := closed(
        parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80), scene.seconds
    ):
        yield warn(f"the object store {endpoint} cannot be reached from here ({why})")
        return
    name = naming.bucket(scene.site)
    keys = {
        "aws_access_key_id": scene.secrets.need("minioAccessKey"),
        "aws_secret_access_key": scene.secrets.need("minioSecretKey"),
    }
    s3 = scene.aws("us-east-1", **keys).client("s3", endpoint)
    try:
        names = {one["Name"] for one in s3.list_buckets()["Buckets"]}
    except (ClientError, BotoCoreError) as error:
        yield refuse(
            f"the object store {endpoint} does not take the keys ({said(error)})",
            "write the right ones: pulumi config set --secret xgen-infra:minioAccessKey (and minioSecretKey) "
            f"--stack {scene.site.stack}",
        )
        return
    if name in names:
        yield fine(f"the object store {endpoint} takes the keys, and has the bucket {name}")
    else:
        yield warn(
            f"the object store {endpoint} takes the keys, and has no bucket {name}",
            f"make the bucket {name} there, or write its name as cluster.bucket.name",
        )
