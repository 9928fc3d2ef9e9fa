"""The `xgen` command. To add a verb, write its function in a module beside this one and one line in VERBS."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import traceback
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup

from xgen_infra.findings import Refused


class Verb(NamedTuple):
    """Where a verb's function (or its typer.Typer, for a verb with verbs of its own) is, and its line in the help.

    The module is imported when the verb is called and not before.
    """

    target: str
    summary: str


VERBS: dict[str, Verb] = {
    "check": Verb("xgen_infra.cli.check:check", "Validate the customers' files, each and together, offline."),
    "explain": Verb("xgen_infra.cli.explain:explain", "Follow a value from file to container, or back."),
    "new": Verb("xgen_infra.cli.new:new", "Write a new customer's file, by questions or by flags."),
    "import": Verb(
        "xgen_infra.cli.import_:import_projects", "Carry an older projects/*.yaml over to customers' files."
    ),
    "preflight": Verb(
        "xgen_infra.cli.preflight:preflight", "Look at all that the first up needs, and change nothing."
    ),
    "bootstrap": Verb(
        "xgen_infra.cli.bootstrap:bootstrap", "Make what a site's AWS account needs before the first up."
    ),
    "preview": Verb(
        "xgen_infra.cli.preview:preview", "Tell what a change does to each customer's stack, as a comment."
    ),
    "rehearse": Verb(
        "xgen_infra.cli.rehearse:rehearse",
        "Bring a customer's whole stack up, change it, tear it down, here.",
    ),
    "render": Verb(
        "xgen_infra.cli.render:render", "Write the chart and values that go to the customer's Git."
    ),
    "mirror": Verb("xgen_infra.cli.mirror:mirror", "Bring a site's chart and values to the customer's Git."),
    "wait": Verb(
        "xgen_infra.cli.wait:wait", "Wait until the six services are well, or say which is not, and why."
    ),
    "runbook": Verb(
        "xgen_infra.cli.runbook:runbook",
        "Say what to do, step by step, at one site; check that it would work.",
    ),
    "handover": Verb(
        "xgen_infra.cli.handover:handover", "Hand running releases over from Pulumi to Argo CD."
    ),
    "images": Verb(
        "xgen_infra.cli.images:images_of_site", "List the platform's images and charts to mirror."
    ),
    "destroy": Verb("xgen_infra.cli.destroy:destroy", "Remove a customer's stack in stages; data stays."),
    "recover": Verb(
        "xgen_infra.cli.recover:recover", "Find again what an operation that was cut off had made."
    ),
    "rotate-keys": Verb(
        "xgen_infra.cli.rotate_keys:rotate_keys", "Replace the documents' access key while the services run."
    ),
    "drift": Verb(
        "xgen_infra.cli.drift:drift", "Say what differs between the state and what is really there."
    ),
    "support-bundle": Verb(
        "xgen_infra.cli.support_bundle:support_bundle",
        "Collect what explains a site's trouble, without secrets.",
    ),
    "sites": Verb("xgen_infra.cli.sites:sites", "List the sites for which the vendor builds."),
    "build-plan": Verb("xgen_infra.cli.build_plan:build_plan", "Say which image is built and pushed where."),
    "registry-login": Verb(
        "xgen_infra.cli.registry_login:registry_login", "Let Docker push to a site's registry."
    ),
    "promote": Verb("xgen_infra.cli.promote:promote", "Pin images by digest in a customer's file."),
    "affected": Verb(
        "xgen_infra.cli.affected:affected_customers", "List the customers that a change can touch."
    ),
    "pipeline": Verb("xgen_infra.cli.pipeline:pipeline", "Write GitLab's pipeline for the customers."),
    "comment": Verb("xgen_infra.cli.comment:comment", "Comment on a merge request, in one place."),
}

EXPECTED: frozenset[str] = frozenset(
    {
        "xgen_infra.findings.Refused",
        "xgen_infra.authoring.answers.AnswerError",
        "xgen_infra.bootstrap.make.BootstrapError",
        "xgen_infra.cli.destroy.LeftoversError",
        "xgen_infra.cli.destroy.SilentClusterError",
        "xgen_infra.engine.cli.EngineError",
        "xgen_infra.explain.chart.ChartError",
        "xgen_infra.explain.subject.ExplainError",
        "xgen_infra.folder.UnknownSiteError",
        "xgen_infra.handover.run.HandoverError",
        "xgen_infra.health.access.UnreachableError",
        "xgen_infra.mirror.folder.FolderError",
        "xgen_infra.mirror.push.MirrorError",
        "xgen_infra.passphrase.WrongPassphraseError",
        "xgen_infra.pipelines.affected.AffectedError",
        "xgen_infra.pipelines.child.TooManyError",
        "xgen_infra.pipelines.comment.CommentError",
        "xgen_infra.rehearsal.go.ToolError",
        "xgen_infra.rehearsal.moto_server.MotoServerError",
        "xgen_infra.rehearsal.ports.PortError",
        "xgen_infra.rehearsal.processes.ProcessError",
        "xgen_infra.rehearsal.real.MissingPluginError",
        "xgen_infra.rehearsal.report.PhaseFailedError",
        "xgen_infra.recovery.errors.RecoveryError",
        "xgen_infra.registry.problems.RegistryError",
        "xgen_infra.rotation.errors.RotationError",
        "xgen_infra.runbook.facts.RunbookError",
        "xgen_infra.support.bundle.BundleError",
        "xgen_infra.vendor.pins.PromoteError",
        "xgen_infra.vendor.publish.GitError",
        "xgen_infra.yaml_splice.EditError",
    }
)
"""Exceptions whose text is a message to the user: `module.Class`, subclasses included. One with a `status` names
the exit status."""

_INTERRUPTED = 130
_OBJECTS = 100_000
"""How many more objects than before are made until garbage is looked for."""


class _Verbs(TyperGroup):
    """Lists the verbs from the table, and imports the one that is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, _imported(name) if name in VERBS else command, rest


def _imported(name: str) -> Any:
    module, _, attribute = VERBS[name].target.partition(":")
    target = getattr(import_module(module), attribute)
    if isinstance(target, typer.Typer):
        command = typer.main.get_command(target)
    else:
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command(name)(target)
        command = typer.main.get_command(alone)
    command.name = name
    return command


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415

        typer.echo(f"xgen {version('xgen-infra')}")
        raise typer.Exit


def _globals(
    directory: Annotated[
        Path, typer.Option("--directory", "-C", help="Folder of Pulumi.yaml and the customers' files.")
    ] = Path(),
    _shown: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """One file per customer: check it, rehearse it, deploy it, run it."""
    try:
        os.chdir(directory)
    except OSError as error:
        raise typer.BadParameter(f"{directory}: {error.strerror}", param_hint="--directory") from None


def application() -> typer.Typer:
    """Return the command, no verb of which is imported yet."""
    made = typer.Typer(
        cls=_Verbs,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        callback=_globals,
    )
    for name, verb in VERBS.items():
        made.command(name, short_help=verb.summary)(_placeholder)
    return made


def _placeholder() -> None:
    """Stand in the help for a verb that is imported only when it is called."""


def main() -> None:
    """Run the command and end the process: status 0, 1 for a refusal or failure, 2 for wrong usage."""
    # Modules stay: looking through them for garbage again and again is a fifth of a start.
    gc.set_threshold(_OBJECTS)
    try:
        application()()
    except BrokenPipeError:
        # Whoever read the output (`| head`) has seen enough; nothing more can be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except Exception as error:  # noqa: BLE001
        sys.exit(_say(error))


def _say(error: Exception) -> int:
    """Tell the user what went wrong, never as a traceback; return the exit status."""
    if is_expected(error):
        typer.echo(str(error) if isinstance(error, Refused) else f"xgen: {error}", err=True)
    elif isinstance(error, OSError) and error.filename and error.strerror:
        typer.echo(f"xgen: {error.filename}: {error.strerror}", err=True)
    else:
        log = log_of(error)
        typer.echo(
            f"xgen: this is a bug in xgen ({type(error).__name__}). What led to it is in {log}: "
            "please send that file to whoever maintains xgen-infra.",
            err=True,
        )
    return int(getattr(error, "status", 1))


def is_expected(error: BaseException) -> bool:
    """Whether an exception's text is meant for the user."""
    return any(f"{kind.__module__}.{kind.__qualname__}" in EXPECTED for kind in type(error).__mro__)


def log_of(error: Exception) -> Path:
    """Write what led to a mistake of this program into a file, without credentials: it may quote what it choked on."""
    from xgen_infra.secrecy import opened, redact  # noqa: PLC0415

    told = f"xgen {' '.join(sys.argv[1:])}\n{''.join(traceback.format_exception(error))}"
    descriptor, name = tempfile.mkstemp(prefix="xgen-", suffix=".log")
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(redact.text(redact.values(told, opened.values())))
    return Path(name)
