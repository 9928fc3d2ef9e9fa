"""What `xgen build-plan` costs for a thousand customers, against reading the same YAML with PyYAML's C loader."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from bench.measure import Figure, alternating
from xgen_infra.vendor import inventory
from xgen_infra.vendor.plan import plan, plan_json

_ROOT = Path(__file__).parents[1]
_CUSTOMERS = 1000
_ROUNDS = 3


def against_loader() -> Iterator[Figure]:
    """Yield the ratio for a thousand customers."""
    with tempfile.TemporaryDirectory(prefix="xgen-bench-") as name:
        folder = Path(name)
        customers(folder, _CUSTOMERS)

        def planned() -> None:
            found = inventory.read(folder)
            if len(plan_json(plan(found.targets.values()))["targets"]) != _CUSTOMERS:
                raise SystemExit(f"a sample was refused: {found.findings[:1]}")

        def loaded() -> None:
            for path in folder.glob("Pulumi.*.yaml"):
                yaml.load(path.read_text(), Loader=yaml.CSafeLoader)

        ours, theirs = alternating(planned, loaded, _ROUNDS)
    yield Figure(f"plan of {_CUSTOMERS} sites / yaml.CSafeLoader", ours / theirs, 3)
    yield Figure(f"plan of {_CUSTOMERS} sites", ours, unit="s")


def customers(folder: Path, number: int) -> None:
    """Write copies of the sample of a customer on premises, each with a name of its own."""
    shutil.copy(_ROOT / "Pulumi.yaml", folder)
    sample = (_ROOT / "Pulumi.lotteimall.yaml").read_text()
    for one in range(number):
        (folder / f"Pulumi.customer{one}.yaml").write_text(sample.replace("lotteimall", f"customer{one}"))
