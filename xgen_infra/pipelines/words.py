"""What people read of a change before they read what it does to each customer."""

from __future__ import annotations

from collections.abc import Sequence

from xgen_infra.pipelines.affected import Affected, Why

_REASONS: dict[Why, str] = {
    "added": "new",
    "file": "own file changed",
    "program": "the program changed",
}
_SHOWN = 50


def deletion(stack: str) -> str:
    """Return what is to be said of a customer whose file is gone."""
    return (
        f"{stack}: its file Pulumi.{stack}.yaml is gone. Nothing is removed at the customer's: unless that was done "
        f"already, keep the file and run `xgen destroy {stack}` first"
    )


def summary(found: Affected) -> str:
    """Return whom a change touches, as Markdown for the top of a merge request's comment."""
    lines = [
        "### Customers",
        "",
        f"This change can touch **{len(found.customers)} of {found.total}** customers.",
    ]
    if found.program:
        more = f" and {len(found.program) - 5} more" if found.program[5:] else ""
        named = ", ".join(f"`{path}`" for path in found.program[:5])
        lines += ["", f"The program itself changes, which touches all: {named}{more}."]
    lines += _by_reason(found)
    lines += [line for stack in found.deleted for line in ("", f"> **Deleted:** {deletion(stack)}.")]
    return "\n".join(lines) + "\n"


def _by_reason(found: Affected) -> list[str]:
    lines: list[str] = []
    for why, words in _REASONS.items():
        stacks = [one.stack for one in found.customers if one.why == why]
        if stacks:
            lines += ["", f"- {words}: {_names(stacks)}"] if not lines else [f"- {words}: {_names(stacks)}"]
    return lines


def _names(stacks: Sequence[str]) -> str:
    more = f" and {len(stacks) - _SHOWN} more" if len(stacks) > _SHOWN else ""
    return ", ".join(f"`{stack}`" for stack in stacks[:_SHOWN]) + more
