"""What is applied for each service of each sample customer."""

from __future__ import annotations

from pathlib import Path

import kubernetes_validate
import pytest

from xgen_infra import catalog
from xgen_infra.delivery.kinds import RENDERED

from .sites import STACKS, manifests, site_of, variables

each_site = pytest.mark.parametrize("stack", STACKS)
each_service = pytest.mark.parametrize("service", catalog.NAMES)


@each_site
@each_service
def test_every_object_of_every_site_is_valid_and_of_a_kind_that_argo_cd_may_apply(
    stack: str, service: catalog.ServiceName, helm: Path
) -> None:
    allowed = {kind.kind for kind in RENDERED}
    for item in manifests(helm, stack, service):
        kubernetes_validate.validate(item, "1.34", strict=True)
        assert item["kind"] in allowed
        assert item["metadata"]["namespace"] == site_of(stack).namespace


@each_service
def test_a_service_gets_the_same_variables_on_eks_and_on_k3s(
    service: catalog.ServiceName, helm: Path
) -> None:
    kinds = {site_of(stack).cluster.kind for stack in STACKS}
    assert kinds == {"eks", "k3s"}
    seen = {frozenset(variables(manifests(helm, stack, service))) for stack in STACKS}
    assert len(seen) == 1
    assert {"APP_SITE", "MINIO_ENDPOINT", "MINIO_DATA_SECRET_KEY", "POSTGRES_HOST"} <= next(iter(seen))


@each_site
def test_no_site_names_another_one(stack: str, helm: Path) -> None:
    text = str([manifests(helm, stack, service) for service in catalog.NAMES])
    # `main` is a word of other meanings.
    others = [other for other in STACKS if other not in {stack, "main"}]
    assert not [other for other in others if other in text]
