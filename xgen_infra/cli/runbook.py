"""`xgen runbook`: what to do on the worst night, for one installation, and whether it would work."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from xgen_infra.engine import Engine
from xgen_infra.runbook.diagram import svg
from xgen_infra.runbook.facts import HIDDEN, Facts, RunbookError, facts_of
from xgen_infra.runbook.page import chapters, html, markdown, tally
from xgen_infra.runbook.results import Result, run
from xgen_infra.runbook.scene import Scene, scene
from xgen_infra.runbook.step import Step


class Format(StrEnum):
    """What is written."""

    MARKDOWN = "md"
    HTML = "html"


STDIN = "-"


def runbook(
    site: Annotated[
        str,
        typer.Argument(
            metavar="SITE|-", help="The stack; - reads `pulumi stack output --json` from standard input."
        ),
    ],
    outputs: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The outputs as JSON, in place of the engine's; - is standard input."
        ),
    ] = None,
    shape: Annotated[
        Format | None, typer.Option("--format", help="md unless --output ends with .html.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to write; a drawing goes beside a .md file.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Run the read-only check of every step.")] = False,
    kubeconfig: Annotated[
        Path | None,
        typer.Option(help="For --check: another kubeconfig than the stack's; its current context."),
    ] = None,
    as_data: Annotated[bool, typer.Option("--json", help="For --check: the results for programs.")] = False,
) -> None:
    """Write the runbook of a site from its stack's outputs alone: Markdown, or one HTML page that needs nothing else.

    The customer's file is not read. With --check the read-only check of every step is run against the live cluster:
    each is ok, failed or not run, with what was seen; status 1 if one failed. With --output the page carries the marks.
    """
    if (as_data or kubeconfig) and not check:
        raise typer.BadParameter("--json and --kubeconfig go with --check")
    if output and output.is_dir():
        raise typer.BadParameter(f"{output} is a folder: name a file in it", param_hint="--output")
    facts, engine, text = _read(site, outputs)
    steps = [entry.step for chapter in chapters(facts) for entry in chapter.entries]
    results: dict[str, Result] = {}
    if check:
        with scene(facts, engine, kubeconfig, text) as made:
            results = _checked(steps, made, as_data=as_data)
    if output or not check:
        _write(facts, shape, output, results)
    if any(result.state == "failed" for result in results.values()):
        raise typer.Exit(1)


def _read(site: str, file: Path | None) -> tuple[Facts, Engine | None, str | None]:
    """Return the outputs, the engine where they are its own, and the kubeconfig where it is among them in clear."""
    engine = Engine(Path.cwd())
    given: Any
    if site == STDIN or file is not None:
        source = STDIN if file is None else str(file)
        given, name = _given(source), "standard input" if source == STDIN else source
    else:
        given, name = engine.outputs(site), f"the stack {site}"
    facts = facts_of(given, name)
    stack = facts.text("stack")
    if site not in {STDIN, stack}:
        raise RunbookError(f"{name}: these are the outputs of the stack {stack}, not of {site}")
    own = site != STDIN and file is None
    text = given.get("kubeconfig")
    return facts, engine if own else None, text if isinstance(text, str) and text != HIDDEN else None


def _given(source: str) -> Any:
    """Return the JSON of a file or of standard input, in UTF-8, or in UTF-16 as Windows' shells redirect it."""
    name = "standard input" if source == STDIN else source
    given = sys.stdin.buffer.read() if source == STDIN else Path(source).read_bytes()
    expected = "expected what `pulumi stack output --json --stack SITE` prints"
    if not given.strip():
        raise RunbookError(f"{name}: found nothing; {expected}: did that command fail?")
    try:
        return json.loads(given)
    except json.JSONDecodeError as error:
        place = f"{name}:{error.lineno}:{error.colno}"
        raise RunbookError(f"{place}: found no JSON ({error.msg}); {expected}") from None
    except (ValueError, RecursionError):
        raise RunbookError(f"{name}: found no JSON; {expected}") from None


def _checked(steps: list[Step], made: Scene, *, as_data: bool) -> dict[str, Result]:
    results: dict[str, Result] = {}
    for result in run(steps, made):
        results[result.step] = result
        if not as_data:
            typer.echo(f"{result.state:<8} {result.step}: {result.saw}")
    if as_data:
        listed = [{"step": one.step, "state": one.state, "saw": one.saw} for one in results.values()]
        told = {"stack": made.facts.text("stack"), "steps": listed}
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        typer.echo(tally(list(results.values())))
    return results


def _write(facts: Facts, shape: Format | None, output: Path | None, results: dict[str, Result]) -> None:
    by_name = output is not None and output.suffix.lower() in {".html", ".htm"}
    if (shape or (Format.HTML if by_name else Format.MARKDOWN)) is Format.HTML:
        page = html(facts, results)
    else:
        page = markdown(facts, _picture(facts, output), results)
    if output is None:
        sys.stdout.write(page)
        return
    output.write_text(page, encoding="utf-8")
    typer.echo(f"{output} is written", err=True)


def _picture(facts: Facts, output: Path | None) -> str:
    """Return what leads to the drawing: a file beside the page, or the drawing itself where there is no page's file."""
    drawing = svg(facts)
    if output is None:
        return drawing
    beside = output.with_suffix(".svg")
    beside.write_text(drawing, encoding="utf-8")
    return f"![Architecture of {facts.text('stack')}]({beside.name})"
