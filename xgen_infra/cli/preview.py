"""`xgen preview`: what a change does to each customer's stack."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from xgen_infra.cli import completion
from xgen_infra.preview.markdown import MARKER, markdown
from xgen_infra.preview.site import SitePreview


def preview(
    sites: Annotated[
        list[str],
        typer.Argument(
            metavar="SITE", help="Stacks, as in Pulumi.<stack>.yaml.", autocompletion=completion.sites
        ),
    ],
    against: Annotated[
        str | None,
        typer.Option(metavar="REV", help="A Git revision: compare with it, without credentials or network."),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Write the comment there, not to the terminal.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as data.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="How many stacks are previewed at once.")] = 1,
) -> None:
    """Tell what `pulumi up` would create, update, replace and delete, as one Markdown comment.

    Without --against: the real `pulumi preview`, with your own environment. With it: the stack is brought up at REV
    in a world in memory and previewed at the working tree; the program gets nothing of your environment.

    Both keep to the policy pack (docs/tasks/keep-to-the-policies.md).

    The exit status is 1 where a stack's preview failed, or its `up` would be refused for what is protected or for a
    mandatory policy; the others are previewed all the same.
    """
    wanted = list(dict.fromkeys(sites))
    found = _against(wanted, against, jobs) if against else _live(wanted)
    revision, previews = found
    if as_json:
        data = {"marker": MARKER, "against": against, "revision": revision}
        text = json.dumps(
            {
                **data,
                "failed": any(one.failed for one in previews),
                "sites": [one.as_data() for one in previews],
            },
            indent=2,
            ensure_ascii=False,
        )
    else:
        text = markdown(previews, f"{against} ({revision[:12]})" if against else "")
    if output:
        output.write_text(text + "\n", encoding="utf-8")
    else:
        typer.echo(text)
    raise typer.Exit(1 if any(one.failed for one in previews) else 0)


def _live(wanted: Sequence[str]) -> tuple[str, list[SitePreview]]:
    from xgen_infra.preview.live import preview_live  # noqa: PLC0415

    return "", [preview_live(Path.cwd(), stack) for stack in wanted]


def _against(wanted: Sequence[str], asked: str, jobs: int) -> tuple[str, list[SitePreview]]:
    from xgen_infra.rehearsal.hosts import language_hosts  # noqa: PLC0415
    from xgen_infra.rehearsal.processes import terminable  # noqa: PLC0415
    from xgen_infra.rehearsal.tools import MEMORY_TOOLS, ensure  # noqa: PLC0415

    say = partial(typer.echo, err=True)
    binaries = ensure(MEMORY_TOOLS, say)
    with (
        terminable(),
        tempfile.TemporaryDirectory(prefix="xgen-base-") as name,
        language_hosts(folder := Path(name).resolve(), cloud=_any_on_eks(wanted)) as hosts,
    ):
        # What follows is imported while the hosts start.
        from xgen_infra import policy  # noqa: PLC0415
        from xgen_infra.folder import read_site  # noqa: PLC0415
        from xgen_infra.preview.against import Subject, preview_against, stacks  # noqa: PLC0415
        from xgen_infra.preview.revision import check_out  # noqa: PLC0415

        base = check_out(Path.cwd(), asked, folder / "base")
        subject = Subject(Path.cwd().resolve(), base, binaries, policy.options(say, folder), hosts)
        before, now = stacks(subject)
        for stack in wanted:
            if stack not in before | now:
                read_site(subject.project, stack)
        with ThreadPoolExecutor(jobs) as pool:
            previews = list(pool.map(lambda stack: preview_against(subject, stack, say), wanted))
    return base.commit, previews


def _any_on_eks(wanted: Sequence[str]) -> bool:
    from xgen_infra.findings import Refused  # noqa: PLC0415
    from xgen_infra.folder import UnknownSiteError, read_site  # noqa: PLC0415

    for stack in wanted:
        with suppress(Refused, UnknownSiteError):
            if read_site(Path.cwd(), stack)[1].eks:
                return True
    return False
