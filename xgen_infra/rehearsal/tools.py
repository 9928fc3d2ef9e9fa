"""The programs a rehearsal runs: each is built once from its pinned Go module, or taken from PATH where it fits."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from xgen_infra.rehearsal import go
from xgen_infra.rehearsal.go import Toolchain, ToolError, cache_dir, module_dir

__all__ = ["Tool", "ToolError", "ensure", "module_dir", "pinned"]

Progress = Callable[[str], None]


class Tool(StrEnum):
    """A program, by the name of its file."""

    PULUMI = "pulumi"
    KUBE_APISERVER = "kube-apiserver"
    KUBE_CONTROLLER_MANAGER = "kube-controller-manager"
    KUBE_SCHEDULER = "kube-scheduler"
    KUBECTL = "kubectl"
    ETCD = "etcd"
    HELM = "helm"
    KWOK = "kwok"
    METRICS_SERVER = "metrics-server"
    ARGOCD = "argocd"
    CRANE = "crane"
    REGISTRY = "registry"
    CUE = "cue"


MEMORY_TOOLS = (Tool.PULUMI, Tool.HELM)
"""The programs of a world in memory (rehearsal/memory.py)."""


@dataclass(frozen=True)
class _Define:
    """A string variable that the linker sets: a module's version, whole (`v1.2.3`), bare (`1.2.3`) or a part."""

    variable: str
    module: str
    form: str = "whole"


@dataclass(frozen=True)
class _Family:
    """What one go.mod under tools/ gives: the module that names its version, a package for each tool."""

    module: str
    packages: Mapping[Tool, str]
    tags: str = ""
    experiment: str = ""
    defines: tuple[_Define, ...] = ()


_KUBERNETES = "k8s.io/kubernetes"
_BASE = "k8s.io/component-base/version"
_HELM = "helm.sh/helm/v3"
_PULUMI = "github.com/pulumi/pulumi"
_CLIENT = "k8s.io/client-go"

# With Go 1.27's new encoding/json kube-openapi prints its embedded extensions into OpenAPI v2, and the API
# server answers 503 to clients that validate by it, such as Helm. Its neighbours share its compiled packages.
_OLD_JSON = "nojsonv2"

_FAMILIES: Mapping[str, _Family] = {
    "engine": _Family(
        f"{_PULUMI}/pkg/v3",
        {Tool.PULUMI: f"{_PULUMI}/pkg/v3/cmd/pulumi"},
        tags="osusergo,grpcnotrace",
        defines=(_Define(f"{_PULUMI}/sdk/v3/go/common/version.Version", f"{_PULUMI}/pkg/v3"),),
    ),
    "kubernetes": _Family(
        _KUBERNETES,
        {
            tool: f"{_KUBERNETES}/cmd/{tool}"
            for tool in (Tool.KUBE_APISERVER, Tool.KUBE_CONTROLLER_MANAGER, Tool.KUBE_SCHEDULER, Tool.KUBECTL)
        },
        experiment=_OLD_JSON,
        defines=(
            _Define(f"{_BASE}.gitVersion", _KUBERNETES),
            _Define(f"{_BASE}.gitMajor", _KUBERNETES, "major"),
            _Define(f"{_BASE}.gitMinor", _KUBERNETES, "minor"),
        ),
    ),
    "etcd": _Family(
        "go.etcd.io/etcd/server/v3", {Tool.ETCD: "go.etcd.io/etcd/server/v3"}, experiment=_OLD_JSON
    ),
    # A Helm release presents the Kubernetes version of its client library to charts; so does this one.
    "helm": _Family(
        _HELM,
        {Tool.HELM: f"{_HELM}/cmd/helm"},
        defines=(
            _Define(f"{_HELM}/internal/version.version", _HELM),
            *(
                _Define(f"{_HELM}/pkg/{package}.k8sVersion{part.title()}", _CLIENT, f"client-{part}")
                for package in ("chartutil", "lint/rules")
                for part in ("major", "minor")
            ),
        ),
    ),
    "kwok": _Family("sigs.k8s.io/kwok", {Tool.KWOK: "sigs.k8s.io/kwok/cmd/kwok"}, experiment=_OLD_JSON),
    "metrics-server": _Family(
        "sigs.k8s.io/metrics-server",
        {Tool.METRICS_SERVER: "sigs.k8s.io/metrics-server/cmd/metrics-server"},
        experiment=_OLD_JSON,
    ),
    "argocd": _Family(
        "github.com/argoproj/argo-cd/v3",
        {Tool.ARGOCD: "github.com/argoproj/argo-cd/v3/cmd"},
        defines=(
            _Define(
                "github.com/argoproj/argo-cd/v3/common.version", "github.com/argoproj/argo-cd/v3", "bare"
            ),
        ),
    ),
    "registry": _Family(
        "github.com/google/go-containerregistry",
        {
            Tool.CRANE: "github.com/google/go-containerregistry/cmd/crane",
            Tool.REGISTRY: "github.com/distribution/distribution/v3/cmd/registry",
        },
    ),
    # What `make bench` compares `xgen check` with; nothing else uses it.
    "cue": _Family("cuelang.org/go", {Tool.CUE: "cuelang.org/go/cmd/cue"}),
}
_FAMILY_OF = {tool: family for family, entry in _FAMILIES.items() for tool in entry.packages}

# Only what a user may well have, and what answers for its version, is looked for on PATH. Each entry: the
# question, and how many minor versions above the pin still fit (kubectl: "Version Skew Policy", Kubernetes docs).
_ON_PATH: Mapping[Tool, tuple[tuple[str, ...], int]] = {
    Tool.PULUMI: (("version",), 10_000),
    Tool.HELM: (("version", "--template", "{{.Version}}"), 10_000),
    Tool.KUBECTL: (("version", "--client", "--output=yaml"), 1),
}


def pinned(tool: Tool) -> str:
    """Return the version of a tool's module, such as `v1.36.3`."""
    family = _FAMILY_OF[tool]
    module = _FAMILIES[family].module
    if tool is Tool.REGISTRY:
        module = "github.com/distribution/distribution/v3"
    return go.version(go.MODULES / family, module)


def ensure(
    tools: Iterable[Tool],
    progress: Progress,
    *,
    cache: Path | None = None,
    search_path: str | None = None,
    toolchain: Toolchain | None = None,
) -> dict[Tool, Path]:
    """Return a path for each tool, building what is missing.

    Binaries live in the cache folder under a key of everything they depend on. Another process that builds
    the same family is waited for. `search_path` (default: $PATH) is where fitting installed programs are
    looked for; an empty string looks nowhere. ToolError when a build fails.
    """
    wanted = list(dict.fromkeys(tools))
    cache = cache or cache_dir()
    search = os.environ.get("PATH", "") if search_path is None else search_path
    found = {tool: path for tool in wanted if (path := on_path(tool, search))}
    for tool, path in found.items():
        progress(f"{tool}: {path} of PATH is used")
    compiler: Toolchain | None = toolchain
    missing: dict[str, list[Tool]] = {}
    for tool in wanted:
        if tool in found:
            continue
        compiler = compiler or go.toolchain()
        home = _home(_FAMILY_OF[tool], cache, compiler)
        found[tool] = home / tool
        if not found[tool].is_file():
            missing.setdefault(_FAMILY_OF[tool], []).append(tool)
    if missing:
        _prepare(cache)
    total = sum(map(len, missing.values()))
    done = 0
    for family, names in missing.items():
        place = f"{done + 1} of {total}" if len(names) == 1 else f"{done + 1}-{done + len(names)} of {total}"
        done += len(names)
        if compiler:
            _build(family, names, cache, compiler, _prefixed(progress, f"{', '.join(names)} ({place})"))
    return {tool: found[tool] for tool in wanted}


def _prepare(cache: Path) -> None:
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        (cache / "tools").mkdir(exist_ok=True)
    except OSError as error:
        raise ToolError(
            f"The cache folder cannot be used: {error}. Set XGEN_CACHE to a folder with 8 GB of space."
        ) from error


def on_path(tool: Tool, search_path: str) -> Path | None:
    """Return an installed program of the pinned major version and at least the pinned minor one, or None."""
    if tool not in _ON_PATH:
        return None
    question, spread = _ON_PATH[tool]
    pin = _parts(pinned(tool))
    for path in _candidates(tool, search_path):
        try:
            answer = subprocess.run(
                [str(path), *question],
                capture_output=True,
                text=True,
                timeout=15,
                check=True,
                stdin=subprocess.DEVNULL,
                env={
                    "PATH": os.defpath,
                    "HOME": os.environ.get("HOME", "/"),
                    "PULUMI_SKIP_UPDATE_CHECK": "true",
                },
            ).stdout
        except (OSError, subprocess.SubprocessError):
            continue
        stated = re.search(r"\bv(\d+)\.(\d+)\.\d+(?![-\w.]*-(?:alpha|beta|rc))", answer)
        if stated and int(stated[1]) == pin[0] and pin[1] <= int(stated[2]) <= pin[1] + spread:
            return path
    return None


def _candidates(tool: Tool, search_path: str) -> Iterator[Path]:
    for folder in search_path.split(os.pathsep):
        # A relative entry would run whatever the current folder holds.
        if Path(folder).is_absolute() and (hit := shutil.which(tool, path=folder)):
            yield Path(hit)


def _parts(version: str) -> tuple[int, int]:
    major, minor = version.removeprefix("v").split(".")[:2]
    return int(major), int(minor)


def _prefixed(progress: Progress, prefix: str) -> Progress:
    return lambda text: progress(f"{prefix}: {text}")


def _flags(family: str) -> tuple[str, ...]:
    entry = _FAMILIES[family]
    link = ["-s", "-w"]
    for define in entry.defines:
        version = go.version(go.MODULES / family, define.module)
        major, minor = _parts(version)
        # client-go numbers Kubernetes 1.N as 0.N.
        forms = {
            "whole": version,
            "bare": version.removeprefix("v"),
            "major": str(major),
            "minor": str(minor),
            "client-major": "1",
            "client-minor": str(minor),
        }
        link.append(f"-X={define.variable}={forms[define.form]}")
    tags = (f"-tags={entry.tags}",) if entry.tags else ()
    # Symbols are stripped, so the compiler need not make debug information either: 7 % of the time.
    return ("-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false", *tags, f"-ldflags={' '.join(link)}")


def _home(family: str, cache: Path, compiler: Toolchain) -> Path:
    experiment = _FAMILIES[family].experiment
    depends = (*_flags(family), *filter(None, [experiment]))
    return cache / "tools" / f"{family}-{go.key(go.MODULES / family, depends, compiler)}"


def _build(family: str, names: Sequence[Tool], cache: Path, compiler: Toolchain, progress: Progress) -> None:
    home = _home(family, cache, compiler)
    packages = _FAMILIES[family].packages
    with go.locked(
        cache / "locks" / f"tools-{family}.lock",
        lambda seconds: progress(f"{seconds:.0f} s: another process is building this; waiting for it"),
    ) as lock:
        left = [tool for tool in names if not (home / tool).is_file()]
        if not left:
            return
        progress("building; the first time takes minutes")
        # Whoever holds the lock is alone: any such folder is what an interrupted build left.
        for stale in (cache / "tools").glob(f".{family}-*"):
            shutil.rmtree(stale)
        fresh = cache / "tools" / f".{family}-{os.getpid()}"
        fresh.mkdir()
        begun = time.monotonic()
        try:
            job = go.Build(
                family,
                go.MODULES / family,
                tuple(packages[tool] for tool in left),
                _flags(family),
                _FAMILIES[family].experiment,
            )
            go.build(job, fresh, cache=cache, go=compiler, progress=progress, lock=lock)
            home.mkdir(exist_ok=True)
            for tool in left:
                (fresh / _built_name(packages[tool])).replace(home / tool)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        progress(f"built in {time.monotonic() - begun:.0f} s")


def _built_name(package: str) -> str:
    """Return the file name `go build` chooses: the last element of the path that is not a major version."""
    *rest, last = package.split("/")
    return rest[-1] if re.fullmatch(r"v[2-9]\d*", last) else last
