"""A site's world in memory: the real engine and program against clusters and AWS that live in one small process.

No API server, no etcd, no emulator on a port, no credential, nothing from the caller's environment. What runs is the
Pulumi engine, the Python of the program, and `helm template` for charts of the project. Use it like this::

    binaries = ensure(MEMORY_TOOLS, print)
    with memory_world(site, Path("Pulumi.aww.yaml"), root, binaries) as made:
        made.engine.up(made.stack)
        before = made.contents()                      # clusters' objects and releases, and what is in AWS
        faults.order(made.records, [Fault(Kind.ERROR, call=7)])   # the 7th changing call fails once
        try:
            made.engine.up(made.stack)
        except EngineError:
            pass
        journal.read(made.records)                    # every call that the engine made, in order
        made.engine.up(made.stack)                    # converges
        assert made.contents().names == before.names
        made.reset()                                  # empty again: state, clusters, AWS, journal, faults

`made.file.change((...), value)` changes a field of the customer's file for the next operation; `made.turn(program)`
puts another program (another revision, another file) in place of the present one, on the same state and contents.

Kind.KILL_ENGINE works as in a rehearsal (clear the lock by `made.engine.cancel(made.stack)`). Kind.KILL_PROVIDER does
not: the world's contents are in the provider's process and would die with it.

Differences from the rehearsal's world: fields of objects are not validated, nothing is scheduled, every object is
ready at once, charts from repositories are recorded and not rendered (docs/adr/0014-preview.md).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from xgen_infra.engine import Engine
from xgen_infra.load import STACK_FILE_VARIABLE
from xgen_infra.rehearsal import seeds
from xgen_infra.rehearsal.canary import Canaries, RehearsalFile, prepare, seal
from xgen_infra.rehearsal.contents import Contents
from xgen_infra.rehearsal.hosts import LanguageHosts, spawn
from xgen_infra.rehearsal.processes import Supervisor, clean_environment
from xgen_infra.rehearsal.standins.aws.emulator.networks import dump
from xgen_infra.rehearsal.standins.eks import command
from xgen_infra.rehearsal.standins.memory import door
from xgen_infra.rehearsal.surroundings import (
    HOST_READY,
    PASSPHRASE,
    PORTS,
    STAND_INS,
    install_language,
    programs_on_path,
)
from xgen_infra.rehearsal.tools import Tool
from xgen_infra.site import Site

_SECONDS = 300.0


@dataclass(frozen=True)
class Program:
    """A program and one customer's file for it: `project` is the folder of Pulumi.yaml and __main__.py."""

    project: Path
    source: Path


@dataclass
class MemoryWorld:
    """A running world in memory."""

    root: Path
    site: Site
    program: Program
    file: RehearsalFile
    supervisor: Supervisor
    binaries: Mapping[Tool, Path]
    environment: dict[str, str] = field(repr=False)
    hosts: LanguageHosts | None = None
    _ahead: dict[Program, Path] = field(default_factory=dict)

    @property
    def stack(self) -> str:
        """The stack's name."""
        return self.site.stack

    @property
    def engine(self) -> Engine:
        """The engine, acting in this world, with nothing of the caller's environment."""
        log = self.root / "logs" / "engine.log"
        return Engine(self.root / _LINK, self.binaries[Tool.PULUMI], self.environment, log, alone=True)

    @property
    def records(self) -> Path:
        """Where the journal is, and where faults are ordered."""
        return self.root / "stand-ins"

    def contents(self) -> Contents:
        """Return what exists in the world."""
        return Contents(**door.ask(self.records, "contents"))

    def turn(self, program: Program) -> bool:
        """Put another program in place of the present one; a secret that is sealed alike keeps its canary.

        Returns whether the seal itself (salt, key or provider) is another: then no secret is sealed alike.
        """
        resealed = seal(self.program.source) != seal(program.source)
        self.program = program
        self.file = self.file.become(program.source)
        _link(self.root, program.project)
        self.environment |= _place(program)
        self.take_host()
        return resealed

    def prepare(self, program: Program) -> None:
        """Have a program imported beside what goes on: the next operation that runs it starts sooner."""
        if self.hosts:
            self._ahead[program] = self.hosts.ask(program.project, {**self.environment, **_place(program)})

    def take_host(self) -> None:
        """Let the engine's next operation use the host that was prepared for the present program."""
        self.environment.pop(HOST_READY, None)
        if self.hosts and (ready := self._ahead.pop(self.program, None)):
            self.hosts.wait(ready)
            self.environment[HOST_READY] = str(ready)

    def reset(self) -> None:
        """Empty the world and forget the stack's state; what was there before the customer is there again."""
        door.ask(self.records, "reset")
        shutil.rmtree(self.root / "state")
        _init(self)


_LINK = "program"


@contextmanager
def memory_world(
    site: Site,
    source: Path,
    root: Path,
    binaries: Mapping[Tool, Path],
    *,
    project: Path | None = None,
    also: Sequence[Site] = (),
    hosts: LanguageHosts | None = None,
    aws_port: int = 0,
    hasty: bool = False,
) -> Iterator[MemoryWorld]:
    """Start a world in memory for one site and end every process of it afterwards.

    `source` is the customer's file, `project` the program's folder (that of the file unless given). What was there
    before the customer follows from `site` and, where the world will see the customer's file at several revisions,
    from `also`. `hosts` import programs before the engine runs them. `hasty`: the state is written once, at an operation's
    end; a killed engine then leaves none. At `aws_port`, where given, AWS answers what a program asks of it. Raises
    ProcessError where the stand-ins do not start.
    """
    program = Program((project or source.parent).resolve(), source)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    root = root.resolve()
    with Supervisor(root) as supervisor:
        file = prepare(source, root / source.name, Canaries(PASSPHRASE))
        if file.value(("delivery",), Site.model_fields["delivery"].default) != site.delivery:
            file.change(("delivery",), site.delivery)
        _link(root, program.project)
        kubeconfig = _kubeconfig(root, (site, *also))
        _start(supervisor, root, binaries, (site, *also), kubeconfig, aws_port)
        environment = _environment(root, binaries, kubeconfig, file.path) | _place(program)
        if hasty:
            environment |= {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
        install_language(root / "bin", (hosts or spawn(supervisor, root, cloud=bool(site.eks))).folder)
        made = MemoryWorld(root, site, program, file, supervisor, binaries, environment, hosts)
        made.prepare(program)
        _init(made)
        listed = made.records / PORTS
        supervisor.wait(listed.exists, _SECONDS, what="stand-ins")
        ports: dict[str, int] = json.loads(listed.read_text())
        environment["PULUMI_DEBUG_PROVIDERS"] = ",".join(f"{name}:{port}" for name, port in ports.items())
        made.take_host()
        yield made


def _start(
    supervisor: Supervisor,
    root: Path,
    binaries: Mapping[Tool, Path],
    sites: Sequence[Site],
    kubeconfig: Path,
    aws_port: int,
) -> None:
    """Begin to start the stand-ins: they take seconds, in which other things can be done."""
    folder = root / "stand-ins"
    (folder / "private").mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / PORTS).unlink(missing_ok=True)
    cloud = [site.eks for site in sites if site.eks]
    networks = {one.vpc_id: one for site in sites for one in seeds.networks(site)}
    if networks:
        dump(root / "networks.json", list(networks.values()))
    places = {(one.account, one.region) for one in cloud}
    places |= {(one.account, one.region) for one in networks.values()}
    setting = door.Setting(
        account=cloud[0].account if cloud else "0" * 12,
        places=tuple(sorted(places)),
        networks=str(root / "networks.json") if networks else "",
        existing=tuple(manifest for site in sites for manifest in seeds.objects(site)),
        port=aws_port,
    )
    setting.write(root / "setting.json")
    path = programs_on_path(root, binaries, sealed=True)
    wanted = STAND_INS if cloud else ("kubernetes",)
    if cloud:
        command.install(root / "bin", kubeconfig, folder / "private")
    argv: list[str | Path] = [sys.executable, "-m", "xgen_infra.rehearsal.standins.main"]
    argv += ["--folder", folder, "--project", root / _LINK, "--providers", ",".join(wanted)]
    argv += ["--helm", binaries[Tool.HELM], "--memory", root / "setting.json", "--parent", str(os.getpid())]
    environment = clean_environment(root, PYTHONPATH=_source(), PATH=path, KUBECONFIG=str(kubeconfig))
    supervisor.spawn("stand-ins", argv, env=environment)


def _environment(root: Path, binaries: Mapping[Tool, Path], kubeconfig: Path, file: Path) -> dict[str, str]:
    return clean_environment(
        root,
        PULUMI_HOME=str(root / "pulumi-home"),
        PULUMI_BACKEND_URL=f"file://{root / 'state'}?metadata=skip",
        PULUMI_CONFIG_PASSPHRASE=PASSPHRASE,
        PULUMI_SKIP_UPDATE_CHECK="true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION="true",
        PULUMI_OPTION_CONFIG_FILE=str(file),
        KUBECONFIG=str(kubeconfig),
        PATH=programs_on_path(root, binaries, sealed=True),
    )


def _place(program: Program) -> dict[str, str]:
    """Return what tells a program where its file is."""
    return {STACK_FILE_VARIABLE: str(program.source.resolve())}


def _kubeconfig(root: Path, sites: Sequence[Site]) -> Path:
    """Write a kubeconfig with the contexts that the customer's files name; its addresses lead nowhere."""
    contexts = dict.fromkeys((site.k3s.context if site.k3s else None) or "memory" for site in sites)
    nothing = {"client-certificate-data": "", "client-key-data": ""}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": next(iter(contexts)),
        "clusters": [{"name": "memory", "cluster": {"server": "https://cluster.invalid"}}],
        "contexts": [{"name": one, "context": {"cluster": "memory", "user": "memory"}} for one in contexts],
        "users": [{"name": "memory", "user": nothing}],
    }
    file = root / "kubeconfig"
    file.write_text(yaml.safe_dump(content))
    return file


def _init(made: MemoryWorld) -> None:
    """Make the stack; `stack init` takes no --config-file, so it runs where the world's file lies."""
    for folder in ("state", "pulumi-home"):
        (made.root / folder).mkdir(mode=0o700, exist_ok=True)
    shutil.copy(made.program.project / "Pulumi.yaml", made.root)
    Engine(made.root, made.binaries[Tool.PULUMI], made.environment, alone=True).init(made.stack)


def _link(root: Path, project: Path) -> None:
    part = root / f"{_LINK}.part"
    part.unlink(missing_ok=True)
    part.symlink_to(project.resolve(), target_is_directory=True)
    part.replace(root / _LINK)


def _source() -> str:
    return str(Path(__file__).parents[2])
