"""`xgen check`: every customer's file, each in itself and all of them together, without engine or network."""

from __future__ import annotations

import gc
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from xgen_infra.cli import completion
from xgen_infra.findings import Refused, as_code_quality, as_json, errors
from xgen_infra.folder import Report, check_folder


class Form(StrEnum):
    """How findings are written."""

    text = "text"
    json = "json"
    gitlab = "gitlab"


def check(
    sites: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SITE", help="Stacks to report on; all when omitted.", autocompletion=completion.sites
        ),
    ] = None,
    form: Annotated[
        Form, typer.Option("--format", help="text, json, or gitlab: a report for GitLab's code quality.")
    ] = Form.text,
    as_data: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Validate the customers' files offline: each in itself, then all of them together.

    Every finding has file, line and column, what was found, what was expected, and what to do.
    Ends with status 1 where there is an error; warnings leave it 0.
    """
    gc.disable()  # thousands of sites are held until the end of this short process: nothing to collect
    try:
        report = check_folder(Path(), tuple(sites or ()))
    except Refused as refused:
        report = Report(0, {}, refused.findings)
    chosen = Form.json if as_data else form
    match chosen:
        case Form.json:
            typer.echo(as_json(report.findings, files=report.files))
        case Form.gitlab:
            typer.echo(as_code_quality(report.findings))
        case Form.text:
            _write(report)
    if errors(report.findings):
        raise typer.Exit(1)


def _write(report: Report) -> None:
    for finding in report.findings:
        typer.echo(finding.text)
    typer.echo(report.summary, err=True)
