"""docs/licences.md: under which licence everything comes that is locked, pinned or installed, and what is allowed.

`python -m xgen_infra.licences` writes it anew: Python packages by pip-licenses (from this environment), tools in Go
by the LICENSE of their module (downloaded where it is not in the module cache), third-party images by the table here.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xgen_infra import versions
from xgen_infra.reference import table
from xgen_infra.versions import Chart, Image

DOCUMENT = Path("docs/licences.md")
LOCKS: Mapping[Literal["program", "policy", "development"], Path] = {
    "program": Path("requirements/program.txt"),
    "policy": Path("requirements/policy.txt"),
    "development": Path("requirements/dev.txt"),
}

ALLOWED = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CNRI-Python",
        "ISC",
        "MIT",
        "MIT-0",
        "MPL-2.0",
        "PostgreSQL",
        "PSF-2.0",
        "Unlicense",
    }
)
"""SPDX identifiers that may be used and passed on beside any other code; MPL-2.0 asks for changed files alone."""

WAIVERS: Mapping[str, str] = {
    "psycopg": "LGPL: imported unchanged, and exchangeable by its user",
    "psycopg-binary": "LGPL: imported unchanged, and exchangeable by its user",
    "python-gitlab": "LGPL: imported unchanged, and exchangeable by its user",
    "ecr-public.aws.com/docker/library/redis": "AGPL, RSAL or SSPL: Argo CD's cache, run unchanged, offered to nobody",
    "ecr-public.aws.com/docker/library/haproxy": "GPL: a program of its own, run unchanged",
}
"""By name: what is used in spite of its licence, and why that is in order."""

ELSEWHERE: Mapping[str, str] = {
    "async-timeout": "Apache-2.0",
    "colorama": "BSD-3-Clause",
    "pulumi-policy": "Apache-2.0",
    "pywin32": "PSF-2.0",
    "tzdata": "Apache-2.0",
}
"""Locked packages that other systems, older Pythons or other environments install: by their page on the index."""

IMAGES: Mapping[str, str] = {
    "docker.io/library/postgres": "PostgreSQL",
    "docker.io/qdrant/qdrant": "Apache-2.0",
    "docker.io/rclone/rclone": "MIT",
    "docker.io/valkey/valkey": "BSD-3-Clause",
    "docker.io/versity/versitygw": "Apache-2.0",
    "ecr-public.aws.com/docker/library/haproxy": "GPL-2.0-or-later",
    "ecr-public.aws.com/docker/library/redis": "AGPL-3.0-only OR RSALv2 OR SSPL-1.0",
    "ghcr.io/dexidp/dex": "Apache-2.0",
    "public.ecr.aws/eks/aws-load-balancer-controller": "Apache-2.0",
    "quay.io/argoproj/argocd": "Apache-2.0",
    "registry.k8s.io/autoscaling/cluster-autoscaler": "Apache-2.0",
}
"""By image: the licence of the program that it is for, by its source repository. What else it holds is the system's."""

CHARTS: Mapping[str, str] = {
    "argo-cd": "Apache-2.0",
    "aws-load-balancer-controller": "Apache-2.0",
    "cluster-autoscaler": "Apache-2.0",
}
"""By chart: the licence of its source repository. What its images are licensed under stands with the images."""

_SPDX: Mapping[str, str] = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "PSF": "PSF-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""Words of packages' classifiers (Python Package Index, "Classifiers") as SPDX identifiers."""

_TEXTS: tuple[tuple[str, str], ...] = (
    (r"Apache License\s+Version 2\.0", "Apache-2.0"),
    (r"Mozilla Public License,? [Vv]ersion 2\.0", "MPL-2.0"),
    (r"Permission is hereby granted, free of charge", "MIT"),
    (r"Neither the name of", "BSD-3-Clause"),
)


@dataclass(frozen=True)
class Licence:
    """What one thing is licensed under: an SPDX expression, or `UNKNOWN`."""

    name: str
    expression: str
    use: str

    @property
    def allowed(self) -> bool:
        """Whether it may be used as it is, or by its waiver."""
        return self.name in WAIVERS or allowed(self.expression)


def allowed(expression: str) -> bool:
    """Whether an SPDX expression leaves a choice that is allowed: one side of each OR, all of each AND."""
    return any(
        all(part.strip("() ") in ALLOWED for part in choice.split(" AND "))
        for choice in expression.split(" OR ")
    )


def spdx(told: str) -> str:
    """Return what pip-licenses tells as an SPDX expression; several classifiers are joined by AND."""
    words = [_SPDX.get(part.strip(), part.strip()) for part in told.split(";") if part != "DFSG approved"]
    return " AND ".join(dict.fromkeys(words))


def locked(lock: Path) -> set[str]:
    """Return the names of a lock's packages, in lower case with hyphens (PyPA specifications, "Name normalization")."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return {_normal(name) for name in found}


def other_locks(root: Path = Path()) -> list[str]:
    """Return the locks of programs that are only run beside this one, relative to the root."""
    patterns = ("requirements/*.txt", "tests/*/*/package-lock.json", "tests/*/*/pom.xml")
    found = {path.relative_to(root).as_posix() for pattern in patterns for path in root.glob(pattern)}
    return sorted(found - {path.as_posix() for path in LOCKS.values()})


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> dict[str, str]:
    """Return this environment's packages and what they tell, by pip-licenses."""
    command = [sys.executable, "-m", "piplicenses", "--format=json", "--with-system", "--from=mixed"]
    told = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return {_normal(one["Name"]): spdx(one["License"]) for one in told}


def python() -> Iterator[Licence]:
    """Yield every locked package once: the program's, what its policies need besides, then those of development alone."""
    here, seen = installed(), set[str]()
    for use, lock in LOCKS.items():
        for name in sorted(locked(lock) - seen):
            seen.add(name)
            yield Licence(name, here.get(name) or ELSEWHERE.get(name, "UNKNOWN"), use)


def go_modules(root: Path = Path()) -> dict[str, tuple[str, str]]:
    """Return the modules whose programs tools/*/go.mod names: (family, version) by module path."""
    found = {}
    for path in sorted(root.glob("tools/*/go.mod")):
        text = path.read_text(encoding="utf-8")
        block = re.search(r"^tool \((.*?)^\)", text, re.MULTILINE | re.DOTALL)
        packages = block[1].split() if block else re.findall(r"^tool (\S+)", text, re.MULTILINE)
        required = dict(re.findall(r"^\s*(?:require )?(\S+) (v\S+)", text, re.MULTILINE))
        for package in packages:
            module = max((one for one in required if f"{package}/".startswith(f"{one}/")), key=len)
            found[module] = (path.parent.name, required[module])
    return found


def go() -> Iterator[Licence]:
    """Yield the tools in Go, by the text of their module's LICENSE."""
    from xgen_infra.rehearsal.go import module_dir  # noqa: PLC0415 - of the rehearsal, which the program never needs

    for module, (family, _) in sorted(go_modules().items()):
        text = (module_dir(family, module) / "LICENSE").read_text(encoding="utf-8")
        yield Licence(module, _of_text(text), f"tools/{family}")


def _of_text(text: str) -> str:
    return next((name for pattern, name in _TEXTS if re.search(pattern, text)), "UNKNOWN")


def pinned_images() -> list[Image]:
    """Return every third-party image that versions.py pins."""
    own = [value for value in vars(versions).values() if isinstance(value, Image)]
    return [*own, *(pins.cluster_autoscaler for pins in versions.EKS.values())]


def images() -> Iterator[Licence]:
    """Yield the third-party images, each once."""
    names = {f"{image.registry}/{image.repository}" for image in pinned_images()}
    for name in sorted(names):
        yield Licence(name, IMAGES.get(name, "UNKNOWN"), "image")


def charts() -> Iterator[Licence]:
    """Yield the third-party charts that versions.py pins."""
    for name in sorted(value.name for value in vars(versions).values() if isinstance(value, Chart)):
        yield Licence(name, CHARTS.get(name, "UNKNOWN"), "chart")


_HEAD = """# Licences

Written by `make licences`; the tests see that nothing is missing, and nothing unknown or forbidden without a waiver.
Versions are in `requirements/`, `tools/` and `xgen_infra/versions.py`.
"""


def _section(title: str, text: str, licences: list[Licence]) -> str:
    rows = [[f"`{one.name}`", one.expression, one.use, WAIVERS.get(one.name, "")] for one in licences]
    return f"## {title}\n\n{text}\n\n{table(('name', 'licence', 'used by', 'waiver'), rows)}"


def page() -> str:
    """Return the whole document."""
    return "\n".join(
        [
            _HEAD,
            _section(
                "Python packages",
                "By pip-licenses, as SPDX expressions. What is run in an environment of its own, and comes with "
                f"nothing, is not listed: {', '.join(f'`{path}`' for path in other_locks())}.",
                list(python()),
            ),
            _section(
                "Tools of the rehearsal",
                "Built from source on the machine that rehearses, and passed on to nobody. By the LICENSE of the module "
                "that holds the program; what it imports in turn is in its `go.sum`.",
                list(go()),
            ),
            _section(
                "Charts at customers'",
                "Third-party charts, installed as they are published.",
                list(charts()),
            ),
            _section(
                "Images at customers'",
                "Pulled by the customer's cluster from where they are published. The licence is that of the program "
                "that the image is for.",
                list(images()),
            ),
        ]
    )


if __name__ == "__main__":
    DOCUMENT.write_text(page(), encoding="utf-8")
