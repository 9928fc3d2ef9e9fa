"""A customer for the stages' tests: a stack file, AWS' rule of two keys, pods that roll one at a time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from xgen_infra.folder import read_site
from xgen_infra.rotation import Rotation
from xgen_infra.site import EksCluster

ROOT = Path(__file__).parents[2]
TWO_KEYS = 2


class Interrupted(BaseException):
    """The run was killed."""


@dataclass
class Pod:
    """What a pod was started with: the key in the Secret at that time, and the generation."""

    key: int
    generation: int


@dataclass
class Customer:
    """Plays stack and cluster. Every change is a `tick`; the one numbered `kill_at` is not lived to see."""

    folder: Path
    keys: dict[int, bool] = field(default_factory=lambda: {1: True})
    """Keys at AWS: whether active."""
    secret: int = 1
    pods: list[Pod] = field(default_factory=lambda: [Pod(1, 1) for _ in range(3)])
    kill_at: int = 0
    ticks: int = 0
    seen: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("Pulumi.yaml", "Pulumi.aww.yaml"):
            shutil.copy(ROOT / name, self.folder)

    @property
    def eks(self) -> EksCluster:
        eks = read_site(self.folder, "aww")[1].eks
        assert eks
        return eks

    @property
    def file(self) -> tuple[int, tuple[int, ...], tuple[int, ...], int]:
        """The file's words: current, previous, retired, generation of the Secret."""
        eks, site = self.eks, read_site(self.folder, "aww")[1]
        generation = site.generations.secrets
        return eks.access_key_generation, eks.previous_access_keys, eks.retired_access_keys, generation

    def tick(self) -> None:
        """One change was made: every pod must carry a key that works."""
        self.ticks += 1
        assert len(self.keys) <= TWO_KEYS, "LimitExceeded: an IAM user has two keys"
        assert all(self.keys.get(pod.key) for pod in self.pods), (self.keys, self.pods)
        assert self.keys.get(self.secret), "a pod that starts now gets a key that does not work"
        if self.ticks == self.kill_at:
            raise Interrupted

    def generations(self) -> frozenset[int]:
        return frozenset(self.keys)

    def make_key(self, generation: int) -> None:
        self.tick()
        self.keys[generation] = True
        self.tick()

    def up(self) -> None:
        """Create, update, roll, delete: in the engine's order, dying after any of them."""
        current, previous, retired, generation = self.file
        for key in (current, *previous, *retired):
            self.keys[key] = key not in retired
            self.tick()
        self.secret = current
        self.tick()
        if any(pod.generation < generation for pod in self.pods):
            self.pods[0] = Pod(self.secret, generation)
            self.tick()
        for key in set(self.keys) - {current, *previous, *retired}:
            del self.keys[key]
            self.tick()

    def wait(self, generation: int) -> None:
        for number, pod in enumerate(self.pods):
            if pod.generation < generation:
                self.pods[number] = Pod(self.secret, generation)
                self.tick()

    def rotate(self, *, delete: bool = True) -> None:
        Rotation(self.folder, "aww", self, self, lambda _line: self.tick()).run(delete=delete)
