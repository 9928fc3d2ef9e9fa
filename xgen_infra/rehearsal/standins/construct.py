"""Components (pulumirpc.ResourceProvider.Construct), by the SDK's own machinery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.provider import ConstructResult, Provider
from pulumi.provider.server import ComponentInitError, ProviderServicer

from xgen_infra.rehearsal.standins.contract import ConstructRequest
from xgen_infra.rehearsal.standins.stand import Session, Stand


async def construct(stand: Stand, session: Session, request: Any) -> Any:
    """Construct a component inside the runtime of the program that asks; returns a ConstructResponse.

    Each call has a context of its own (asyncio task), so that components of several runs do not meet.
    """
    component = stand.component(request.type)

    class One(Provider):
        def construct(
            self,
            name: str,
            resource_type: str,
            inputs: Mapping[str, Any],
            options: pulumi.ResourceOptions | None = None,
        ) -> ConstructResult:
            asked = ConstructRequest(
                resource_type, name, inputs, options or pulumi.ResourceOptions(), session.config
            )
            return component(asked)

    servicer: Any = ProviderServicer(One(stand.version), [], session.engine)
    try:
        return await servicer._construct(request, None)  # noqa: SLF001 - without the SDK's traceback in the text
    except ComponentInitError as error:
        raise error.inner from None
