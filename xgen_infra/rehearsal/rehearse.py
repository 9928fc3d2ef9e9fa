"""A whole rehearsal: tools, world, phases, report."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from xgen_infra import policy
from xgen_infra.engine import EngineError
from xgen_infra.rehearsal import upgrade
from xgen_infra.rehearsal.gitops import account
from xgen_infra.rehearsal.go import cache_dir
from xgen_infra.rehearsal.phases import Rehearsal
from xgen_infra.rehearsal.processes import ProcessError
from xgen_infra.rehearsal.report import PhaseFailedError, Report
from xgen_infra.rehearsal.secrecy import Watch
from xgen_infra.rehearsal.tools import ensure, pinned
from xgen_infra.rehearsal.world import World, tools_of, world
from xgen_infra.site import Site

_BULKY = ("from", "rendered", "control-plane", "gitops", "pulumi-home", "bin", "tmp", "home")


@dataclass(frozen=True)
class Options:
    """What was asked for. `real` names providers (and `python`) for which the user's own plugins serve.

    `since` is a Git revision: the stack is brought up by its program and file, and upgraded to the working tree's.
    """

    keep: bool = False
    real: Sequence[str] = ()
    root: Path | None = None
    since: str | None = None


def rehearse(
    site: Site,
    source: Path,
    options: Options,
    console: Console,
    after_up: Callable[[World], None] | None = None,
) -> Report:
    """Rehearse a site from its file. Every process ends with the call; the report says how it went.

    `after_up` is called between `up` and the changes, as by `--shell`; with it, nothing more is done.
    """
    root = options.root or fresh_root(site.stack)
    report = Report(site.stack, site.site, site.cluster.kind, site.delivery, root)
    upgraded = upgrade.upgrade_from(options.since, source, root) if options.since else None
    first, project = (upgraded.base_source, upgraded.link) if upgraded else (source, None)
    try:
        with report.phase("tools", console) as phase:

            def say(line: str) -> None:
                console.print(f"  {line}", markup=False, highlight=False)

            binaries = ensure(tools_of(site), say)
            policy.options(say)
            phase.check("all there", True, ", ".join(f"{tool} {pinned(tool)}" for tool in binaries))
        console.print("[bold]world[/bold]")
        started = time.monotonic()
        with world(
            site,
            first,
            root,
            binaries,
            project=project,
            real=options.real,
            progress=lambda line: console.print(f"  {line}"),
        ) as made:
            console.print(f"  [dim]{time.monotonic() - started:.1f} s[/dim]")
            _describe(report, site, options.real)
            with Watch() as watch:
                rehearsal = Rehearsal(made, report, console, watch)
                if upgraded:
                    upgrade.run(rehearsal, upgraded)
                else:
                    _run(rehearsal, options, after_up)
    except PhaseFailedError as failed:
        report.error = f"phase {failed} has a check that failed"
    except (EngineError, ProcessError) as error:
        report.error = str(error)
    if report.passed and not options.keep:
        for name in _BULKY:
            shutil.rmtree(root / name, ignore_errors=True)
    return report


def _run(rehearsal: Rehearsal, options: Options, after_up: Callable[[World], None] | None) -> None:
    made = rehearsal.world
    rehearsal.before()
    rehearsal.preview()
    rehearsal.up()
    rehearsal.services()
    if after_up:
        after_up(made)
        if options.keep:
            made.supervisor.release()
        return
    rehearsal.document()
    rehearsal.again()
    rehearsal.change()
    rehearsal.runbook()
    rehearsal.refused()
    rehearsal.secrecy()
    if options.keep:
        made.supervisor.release()
        return
    rehearsal.destroy()
    rehearsal.secrecy_at_the_end()


def fresh_root(stack: str) -> Path:
    """Return a new folder for one rehearsal, outside the tree."""
    folder = cache_dir() / "rehearsals"
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{stack}-{time.strftime('%Y%m%d-%H%M%S')}"
    for number in range(100):
        root = folder / (f"{stem}-{number}" if number else stem)
        try:
            root.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return root
    raise ProcessError(f"no free name for a folder in {folder}")


def _describe(report: Report, site: Site, real: Sequence[str]) -> None:
    report.real = [
        "Pulumi engine and Python SDK, this working tree's program, the customer's own file",
        "Kubernetes API server, controller manager, scheduler, metrics-server, etcd",
        "Helm and the chart charts/xgen-service",
        *(f"the {name} plugin of this machine" for name in real),
    ]
    report.simulated = [
        "nodes and containers (kwok): a pod is Ready whatever its image does",
        "volumes and load-balancer addresses",
        "secure: values, replaced by canaries",
        "third-party charts, packed from what pinned modules ship",
    ]
    report.real += account.real(site)
    report.simulated += account.simulated(site)
    if site.eks:
        report.simulated += ["AWS (moto; what it lacks is in a store)", "EKS' control plane: the local one"]
