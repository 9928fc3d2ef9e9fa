"""Fixtures of the K3s side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pulumi
import pulumi.runtime
import pytest
from pulumi.runtime.mocks import set_mocks

from xgen_infra import k3s
from xgen_infra.cluster import Cluster
from xgen_infra.load import Credentials

from .recording import SECRETS, Build, Built, Monitor, Recorder, site_of


@pytest.fixture
def build() -> Build:

    def run(
        cluster: Mapping[str, Any] | None = None, secrets: Mapping[str, str | None] | None = None, **more: Any
    ) -> Built:
        recorder = Recorder()
        monitor = Monitor(recorder)
        set_mocks(recorder, project="xgen-infra", stack="mart", preview=False, monitor=monitor)
        site = site_of(cluster, **more)
        made: list[Cluster] = []

        @pulumi.runtime.test  # type: ignore[untyped-decorator]
        def program() -> None:
            given = {
                key: None if value is None else pulumi.Output.secret(value)
                for key, value in {**SECRETS, **(secrets or {})}.items()
            }
            made.append(k3s.build(site, replace(Credentials(), **given)))

        program()
        return Built(site, made[0], tuple(recorder.made), monitor.requests)

    return run
