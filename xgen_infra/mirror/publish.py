"""One site's mirror, from its file and with its own credential."""

from __future__ import annotations

import os

from xgen_infra.engine import Engine, EngineError
from xgen_infra.mirror import credentials
from xgen_infra.mirror.content import content
from xgen_infra.mirror.push import MirrorError, Plan, opened
from xgen_infra.secrets_catalog import BY_KEY
from xgen_infra.site import Site


def publish(site: Site, engine: Engine, *, over: str | None = None, dry_run: bool = False) -> Plan:
    """Make the customer's branch hold the site's chart and values; return what was, or would be, changed.

    `engine` is asked for the stack's secure value where the environment holds no credential; `over` as in
    `Mirror.publish`. Raises MirrorError, GitError.
    """

    def ask(key: str) -> str:
        return from_stack(engine, site.stack, key)

    with opened(site.source, site.stack, credentials.find(site, os.environ, ask)) as branch:
        return branch.publish(content(site), over=over, dry_run=dry_run)


def from_stack(engine: Engine, stack: str, key: str) -> str:
    """Return a secure value of the stack, asked of the engine; raises MirrorError where it cannot say."""
    secret = BY_KEY[f"xgen-infra:{key}"]
    # Without a log: the answer is the secret.
    quiet = Engine(engine.project, engine.binary, engine.environment)
    try:
        return quiet.run("config", "get", secret.config_key, "--stack", stack).rstrip("\n")
    except (EngineError, OSError) as error:
        names = credentials.PASSWORD if key == "gitPassword" else credentials.SSH_KEY_FILE
        raise MirrorError(
            f"there is no credential for the customer's Git: set {names}, or let `pulumi config get` open the "
            f"stack's own {secret.config_key} ({str(error).splitlines()[-1] if str(error) else 'it failed'})"
        ) from None


def said(plan: Plan, url: str, *, dry_run: bool = False) -> str:
    """Return in a line what became of a plan."""
    where = f"{url}, branch {plan.branch}"
    if not plan.changes:
        return f"nothing to do: {where}, is up to date at {_short(plan.parent)}"
    after = f"after {_short(plan.parent)}" if plan.parent else "as the branch's first commit"
    if dry_run:
        return f"would push to {where}, {after}"
    return f"pushed {_short(plan.commit)} to {where}, {after}"


def _short(commit: str | None) -> str:
    return (commit or "")[:12]
