"""The world of one rehearsal: control plane, emulator, stand-ins, and the environment that the engine needs."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from xgen_infra.engine import Engine
from xgen_infra.load import STACK_FILE_VARIABLE
from xgen_infra.rehearsal import gitops, seeds
from xgen_infra.rehearsal.canary import Canaries, RehearsalFile, prepare
from xgen_infra.rehearsal.charts import pack
from xgen_infra.rehearsal.control_plane import plane as control_plane
from xgen_infra.rehearsal.control_plane.pki import Authority
from xgen_infra.rehearsal.control_plane.plane import ControlPlane
from xgen_infra.rehearsal.hosts import spawn
from xgen_infra.rehearsal.moto_server import MotoServer, Tls, free_port
from xgen_infra.rehearsal.processes import Supervisor, clean_environment
from xgen_infra.rehearsal.real import link
from xgen_infra.rehearsal.standins.eks import command
from xgen_infra.rehearsal.standins.kubernetes.charts import SUBSTITUTES
from xgen_infra.rehearsal.surroundings import PASSPHRASE, PORTS, STAND_INS, install_language, programs_on_path
from xgen_infra.rehearsal.tools import Tool
from xgen_infra.site import Site
from xgen_infra.versions import ARGO_CD, CLUSTER_AUTOSCALER, LOAD_BALANCER_CONTROLLER

_SECONDS = 300.0
Session = tuple[str, str, str]
"""Credentials of an assumed role: key id, secret, token."""


@dataclass(frozen=True)
class S3Door:
    """Where S3 answers with TLS on 127.0.0.1; `ca` signed its certificate."""

    port: int
    ca: Path


@dataclass(frozen=True)
class Cloud:
    """A world's AWS. The stand-ins ask it at `address`, with `options` for the rights that they have there."""

    endpoint: str
    door: S3Door
    address: str
    options: tuple[str | Path, ...]


@dataclass(frozen=True)
class World:
    """A running world. `environment` is what a `pulumi` command needs to act in it."""

    root: Path
    site: Site
    file: RehearsalFile
    supervisor: Supervisor
    control_plane: ControlPlane
    kubeconfig: Path
    binaries: Mapping[Tool, Path]
    environment: dict[str, str]
    project: Path
    aws_endpoint: str | None
    git: gitops.GitOps | None = None
    s3: S3Door | None = None

    @property
    def stack(self) -> str:
        """The stack's name."""
        return self.site.stack

    @property
    def engine(self) -> Engine:
        """The engine, acting in this world."""
        log = self.root / "logs" / "engine.log"
        return Engine(self.project, self.binaries[Tool.PULUMI], self.environment, log)

    @property
    def journal(self) -> Path:
        """Every call that the engine made to the stand-ins."""
        return self.root / "stand-ins" / "journal.jsonl"

    @property
    def temporary(self) -> Path:
        """What the engine and xgen use as /tmp: what they leave there is this world's, not another's."""
        return Path(self.environment["TMPDIR"])


def tools_of(site: Site) -> tuple[Tool, ...]:
    """Return the programs that a rehearsal of a site runs."""
    tools = [Tool.PULUMI, Tool.HELM, *control_plane.TOOLS, Tool.METRICS_SERVER]
    return (*tools, Tool.ARGOCD) if site.delivery == "argocd" else tuple(tools)


@contextmanager
def world(
    site: Site,
    source: Path,
    root: Path,
    binaries: Mapping[Tool, Path],
    *,
    project: Path | None = None,
    real: Sequence[str] = (),
    beside: World | None = None,
    session: Callable[[str], Session] | None = None,
    progress: Callable[[str], None] = lambda _line: None,
) -> Iterator[World]:
    """Start a world for one site and end every process of it afterwards.

    `source` is the customer's file; `real` names providers for which the user's own plugins are used. `beside` is a
    running world whose AWS this one shares: another customer's, with a cluster of its own. `session` is called with
    the address of AWS before anything is asked of it, and gives the credentials by whose rights all is done. Raises
    ProcessError where a server does not start.
    """
    project = project or source.parent
    (root / "pulumi-home").mkdir(mode=0o700, parents=True, exist_ok=True)
    link(real, root / "pulumi-home")
    with Supervisor(root) as supervisor:
        file = prepare(source, root / source.name, Canaries(PASSPHRASE))
        file.change(("delivery",), site.delivery)
        progress("control plane: etcd, API server, controller manager, scheduler, simulated nodes, metrics")
        context = (site.k3s.context if site.k3s else None) or "rehearsal"
        plane = control_plane.start(supervisor, root, binaries, seeds.nodes(site), context=context)
        cloud = _cloud(supervisor, root, site, beside, session, progress) if site.eks else None
        progress("provider stand-ins")
        ports = _stand_ins(supervisor, root, project, binaries, plane, cloud, real, site)
        if site.eks:
            command.install(root / "bin", plane.kubeconfig, root / "stand-ins" / "private")
        if "python" not in real:
            install_language(root / "bin", spawn(supervisor, root, cloud=bool(site.eks)).folder)
        environment = _environment(root, plane, ports, binaries, file, source)
        git = None
        if Tool.ARGOCD in binaries:
            progress("GitOps: the customer's Git server; Argo CD's own programs where its pods are")
            git = _git(supervisor, root, binaries, plane, file, site)
            environment |= git.environment
        made = World(
            root,
            site,
            file,
            supervisor,
            plane,
            plane.kubeconfig,
            binaries,
            environment,
            project,
            cloud.endpoint if cloud else None,
            git,
            cloud.door if cloud else None,
        )
        (root / "state").mkdir(exist_ok=True)
        _init(made)
        yield made


def _init(world: World) -> None:
    """Make the stack; `stack init` takes no --config-file, so it runs where the rehearsal's file lies."""
    shutil.copy(world.project / "Pulumi.yaml", world.root)
    Engine(world.root, world.binaries[Tool.PULUMI], world.environment).init(world.stack)


def _git(
    supervisor: Supervisor,
    root: Path,
    binaries: Mapping[Tool, Path],
    plane: ControlPlane,
    file: RehearsalFile,
    site: Site,
) -> gitops.GitOps:
    password = file.canaries.get("xgen-infra:gitPassword", "")
    git = gitops.start(supervisor, root, binaries, plane, site.source, password)
    if site.source.ca_certificate:
        file.change(("source", "caCertificate"), git.ca.read_text())
    return git


def _cloud(
    supervisor: Supervisor,
    root: Path,
    site: Site,
    beside: World | None,
    session: Callable[[str], Session] | None,
    progress: Callable[[str], None],
) -> Cloud:
    options: list[str | Path] = []
    if beside:
        if not beside.aws_endpoint or not beside.s3:
            raise ValueError(f"{beside.stack} has no AWS to share")
        endpoint, door = beside.aws_endpoint, beside.s3
        options += ["--aws-root", beside.root / "stand-ins"]
    else:
        progress("AWS: emulator with the networks that the customer's file names")
        endpoint, door = _emulator(supervisor, root, site)
    if session is None:
        return Cloud(endpoint, door, endpoint, tuple(options))
    options += [*_rights(root, session(endpoint)), "--aws-ca", door.ca]
    return Cloud(endpoint, door, f"https://127.0.0.1:{door.port}", tuple(options))


def _emulator(supervisor: Supervisor, root: Path, site: Site) -> tuple[str, S3Door]:
    """Start AWS: plain HTTP for the stand-ins, and a TLS door at which policies are enforced for everyone."""
    authority = Authority(root / "aws", "AWS")
    pair = authority.issue("s3", hosts=["127.0.0.1"])
    tls = Tls(free_port(), pair.cert, pair.key)
    server = MotoServer(free_port(), root, tls, networks=tuple(seeds.networks(site)))
    environment = clean_environment(root, PYTHONPATH=_source())
    supervisor.start("aws", server.command(), env=environment, ready=server.is_up, timeout=_SECONDS)
    return server.url, S3Door(tls.port, authority.cert)


def _stand_ins(
    supervisor: Supervisor,
    root: Path,
    project: Path,
    binaries: Mapping[Tool, Path],
    plane: ControlPlane,
    cloud: Cloud | None,
    real: Sequence[str],
    site: Site,
) -> dict[str, int]:
    folder = root / "stand-ins"
    (folder / "private").mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = [name for name in STAND_INS if name not in real and (cloud or name not in {"aws", "eks"})]
    substitutes = pack((ARGO_CD, LOAD_BALANCER_CONTROLLER, CLUSTER_AUTOSCALER), root / "charts")
    environment = clean_environment(
        root,
        PYTHONPATH=_source(),
        KUBECONFIG=str(plane.kubeconfig),
        PATH=programs_on_path(root, binaries),
        **{SUBSTITUTES: str(substitutes)},
    )
    argv: list[str | Path] = [sys.executable, "-m", "xgen_infra.rehearsal.standins.main"]
    argv += ["--folder", folder, "--project", project, "--providers", ",".join(wanted)]
    argv += ["--helm", binaries[Tool.HELM], "--kubeconfig", plane.kubeconfig]
    argv += ["--aws-endpoint", cloud.address if cloud else ""]
    argv += ["--account", site.eks.account if site.eks else "0" * 12]
    argv += cloud.options if cloud else ()
    listed = folder / PORTS
    listed.unlink(missing_ok=True)
    supervisor.start("stand-ins", argv, env=environment, ready=listed.exists, timeout=_SECONDS)
    ports: dict[str, int] = json.loads(listed.read_text())
    return ports


def _rights(root: Path, session: Session) -> list[str | Path]:
    """Keep a session's credentials in a file of the owner's own; return the option that names it."""
    file = root / "aws-session.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(session))
    return ["--aws-session", file]


def _environment(
    root: Path,
    plane: ControlPlane,
    ports: Mapping[str, int],
    binaries: Mapping[Tool, Path],
    file: RehearsalFile,
    source: Path,
) -> dict[str, str]:
    home, state, temporary = root / "pulumi-home", root / "state", root / "tmp"
    for folder in (home, state, temporary):
        folder.mkdir(mode=0o700, exist_ok=True)
    providers = ",".join(f"{name}:{port}" for name, port in ports.items())
    return {
        "PULUMI_HOME": str(home),
        "PULUMI_BACKEND_URL": f"file://{state}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_OPTION_CONFIG_FILE": str(file.path),
        "PULUMI_DEBUG_PROVIDERS": providers,
        "KUBECONFIG": str(plane.kubeconfig),
        "PATH": programs_on_path(root, binaries),
        "TMPDIR": str(temporary),
        STACK_FILE_VARIABLE: str(source.resolve()),
    }


def _source() -> str:
    return str(Path(__file__).parents[2])
