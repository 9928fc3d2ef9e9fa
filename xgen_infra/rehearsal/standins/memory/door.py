"""What a world in memory is made of, and how it is asked from outside its process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from multiprocessing.connection import Client
from pathlib import Path
from typing import Any

DOOR = "door.json"


@dataclass(frozen=True)
class Setting:
    """What a world in memory is made of; a JSON file carries it to its process.

    `places` are the (account, region)s whose contents are listed; `existing` are Kubernetes objects, and
    `networks` names a file of AWS networks, that were there before the customer.
    """

    account: str
    places: tuple[tuple[str, str], ...]
    networks: str
    existing: tuple[dict[str, Any], ...]

    @classmethod
    def read(cls, file: Path) -> Setting:
        """Read what `write` wrote."""
        given = json.loads(file.read_text(encoding="utf-8"))
        places = tuple((account, region) for account, region in given["places"])
        return cls(given["account"], places, given["networks"], tuple(given["existing"]))

    def write(self, file: Path) -> None:
        """Write it to a file."""
        file.write_text(json.dumps(self.__dict__), encoding="utf-8")


def ask(folder: Path, verb: str) -> dict[str, Any]:
    """Ask a running world in memory for its "contents", or to "reset"; raises RuntimeError with what failed."""
    door = json.loads((folder / "private" / DOOR).read_text())
    with Client(("127.0.0.1", door["port"]), authkey=door["key"].encode()) as connection:
        connection.send_bytes(json.dumps(verb).encode())
        told: dict[str, Any] = json.loads(connection.recv_bytes())
    if "error" in told:
        raise RuntimeError(f"the world in memory: {verb}: {told['error']}")
    answer: dict[str, Any] = told["answer"]
    return answer
