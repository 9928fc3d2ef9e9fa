"""The real preview of a stack: the caller's own Pulumi, state and credentials."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path

from xgen_infra import policy
from xgen_infra.engine import Engine, EngineError
from xgen_infra.findings import Refused
from xgen_infra.folder import read_site
from xgen_infra.preview.plan import plan_of, planned
from xgen_infra.preview.site import SitePreview
from xgen_infra.rehearsal.go import ToolError


def preview_live(project: Path, stack: str) -> SitePreview:
    """Preview one stack; what fails of it is said in the result. Raises UnknownSiteError for one that has no file."""
    started = time.monotonic()
    try:
        read_site(project, stack)
        with tempfile.TemporaryDirectory(prefix="xgen-policy-") as folder:
            plan, refused = planned(Engine(project), stack, *policy.options(folder=Path(folder)))
        found = SitePreview(stack, "refused" if refused or plan.stopped else "previewed", plan, refused)
    except FileNotFoundError:
        found = SitePreview(stack, "failed", problem="there is no `pulumi` on PATH: install the Pulumi CLI")
    except EngineError as error:
        partial = plan_of(error.result) if error.result else None
        found = SitePreview(stack, "failed", partial, str(error))
    except (Refused, ToolError) as error:
        found = SitePreview(stack, "failed", problem=str(error))
    return replace(found, seconds=round(time.monotonic() - started, 1))
