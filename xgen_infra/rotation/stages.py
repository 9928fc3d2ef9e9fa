"""The stages of a rotation. The customer's file is their only memory.

Stages, by what the file says of the keys:

1. one key, `n`: the file gets `n + 1` as the current key, `n` as the previous one, and the next generation of
   xgen-secrets, in one write;
2. a previous key: `n + 1` is made and tried, then the Secret and the pods follow; once every pod carries the new
   generation, the previous key becomes a retired one;
3. a retired key: it is inactive; once every pod is seen again, it leaves the file, and with it the stack.

Source: IAM User Guide, "Update access keys" (create, update all applications, deactivate, delete).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from xgen_infra.findings import KeyPath
from xgen_infra.folder import read_site
from xgen_infra.rotation.errors import RotationError
from xgen_infra.site import EksCluster, Site
from xgen_infra.stackfile import SITE_KEY
from xgen_infra.yaml_edit import Value, edit_file, read_text, remove, set_value

_SITE: KeyPath = ("config", SITE_KEY)
_CURRENT: KeyPath = (*_SITE, "cluster", "accessKeyGeneration")
_PREVIOUS: KeyPath = (*_SITE, "cluster", "previousAccessKeys")
_RETIRED: KeyPath = (*_SITE, "cluster", "retiredAccessKeys")
_SECRETS: KeyPath = (*_SITE, "generations", "secrets")


class Stack(Protocol):
    """What a rotation asks of the stack."""

    def generations(self) -> frozenset[int]:
        """Return the generations of the keys in the stack's state."""

    def make_key(self, generation: int) -> None:
        """Make one key, unless it is there, and nothing else; return when AWS accepts it."""

    def up(self) -> None:
        """Bring the stack to what the file says."""


class Pods(Protocol):
    """What a rotation asks of the cluster."""

    def wait(self, generation: int) -> None:
        """Return when every running pod of the six carries this generation of xgen-secrets, or a later one.

        Raises RotationError after its time.
        """


@dataclass(frozen=True)
class Rotation:
    """A rotation for one stack file in `folder`. `tell` receives a line for each thing that is done."""

    folder: Path
    stack_name: str
    stack: Stack
    pods: Pods
    tell: Callable[[str], None] = lambda _line: None

    def run(self, *, delete: bool = True) -> None:
        """Go on from wherever the file and the stack are, to the end of one rotation.

        Without `delete` it ends with the old key inactive; run again, it deletes it. Raises RotationError,
        EngineError, and what reading the file raises.
        """
        cluster = self._cluster()
        if not (cluster.previous_access_keys or cluster.retired_access_keys):
            if self._finish(cluster):
                return
            self._begin()
        if self._cluster().previous_access_keys:
            self._replace()
        self._retire()
        if delete:
            self._delete()
        else:
            self.tell("Run this again to delete the old key.")

    def _finish(self, cluster: EksCluster) -> bool:
        """Delete what an interrupted rotation left in the stack; say whether there was anything."""
        current, made = cluster.access_key_generation, self.stack.generations()
        if current not in made:
            found = f"keys {_listed(made)}" if made else "no key"
            raise RotationError(
                f"{self.stack_name}: accessKeyGeneration is {current}, but the stack has {found}. Bring the stack up "
                "with the number that it has, then rotate"
            )
        if made == {current}:
            return False
        self.tell(f"key {_listed(made - {current})}: left by an interrupted rotation, is deleted")
        self.pods.wait(self._site().generations.secrets)
        self.stack.up()
        self.tell(f"Done: key {current} is the only one. Run this again to rotate it.")
        return True

    def _begin(self) -> None:
        site = self._site()
        old, secrets = self._cluster().access_key_generation, site.generations.secrets
        self._edit({_CURRENT: old + 1, _PREVIOUS: [old], _SECRETS: secrets + 1})
        self.tell(f"file: key {old + 1} beside {old}, xgen-secrets generation {secrets + 1}")

    def _replace(self) -> None:
        cluster, secrets = self._cluster(), self._site().generations.secrets
        old = cluster.previous_access_keys[0]
        self.stack.make_key(cluster.access_key_generation)
        self.tell(f"key {cluster.access_key_generation}: made, and accepted by AWS")
        self.stack.up()
        self.tell(f"xgen-secrets: has key {cluster.access_key_generation}; pods are rolled")
        self.pods.wait(secrets)
        self.tell(f"pods: every one carries generation {secrets}")
        self._edit({_RETIRED: [old]}, [_PREVIOUS])

    def _retire(self) -> None:
        self.pods.wait(self._site().generations.secrets)
        self.stack.up()
        self.tell(f"key {_listed(self._cluster().retired_access_keys)}: inactive")

    def _delete(self) -> None:
        old = self._cluster().retired_access_keys[0]
        self.pods.wait(self._site().generations.secrets)
        self._edit({}, [_RETIRED])
        self.stack.up()
        self.tell(f"key {old}: deleted. Commit Pulumi.{self.stack_name}.yaml: it says where the rotation is.")

    def _site(self) -> Site:
        return read_site(self.folder, self.stack_name)[1]

    def _cluster(self) -> EksCluster:
        eks = self._site().eks
        if eks is None:
            raise RotationError(
                f"{self.stack_name} is not on EKS: its object store's key is the file's minioAccessKey and "
                "minioSecretKey, which people set"
            )
        return eks

    def _edit(self, values: dict[KeyPath, Value], gone: Sequence[KeyPath] = ()) -> None:
        path = read_site(self.folder, self.stack_name)[0].path
        text = read_text(path)
        for key, value in values.items():
            text = set_value(text, key, value)
        for key in gone:
            text = remove(text, key)
        edit_file(path, text)


def _listed(generations: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(generations)))
