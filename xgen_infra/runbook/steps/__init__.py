"""The steps of the runbook, a module a theme, in the order in which somebody on call needs them."""

from __future__ import annotations

from xgen_infra.runbook.step import Theme
from xgen_infra.runbook.steps import access, changes, data, network, platform, secrets

THEMES: tuple[Theme, ...] = (
    access.THEME,
    changes.THEME,
    data.THEME,
    secrets.THEME,
    network.THEME,
    platform.THEME,
)
