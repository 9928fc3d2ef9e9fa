"""The stand-ins of a world in memory, in the process that holds it."""

from __future__ import annotations

import json
import secrets
import shutil
import threading
from multiprocessing.connection import Listener
from pathlib import Path
from typing import Any

from xgen_infra.rehearsal.standins import faults, journal, sdk
from xgen_infra.rehearsal.standins.contract import Props
from xgen_infra.rehearsal.standins.memory.cluster import bare
from xgen_infra.rehearsal.standins.memory.door import DOOR, Setting
from xgen_infra.rehearsal.standins.stand import Stand


class Memory:
    """Clusters and AWS of one process; `folder` has its journal and faults, `project` the program's charts."""

    def __init__(self, folder: Path, setting: Setting, helm: Path, project: Path) -> None:
        from xgen_infra.rehearsal.standins.memory.clusters import MemoryClusters  # noqa: PLC0415

        private = folder / "private"
        private.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._private, self._helm, self._project = folder, private, helm, project
        self._setting = setting
        self._clusters = MemoryClusters(private, setting.existing)
        self._world: Any = None

    def stand(self, name: str) -> Stand:
        """Return a provider of this world; raises KeyError for one that has no stand-in."""
        match name:
            case "kubernetes":
                from xgen_infra.rehearsal.standins.kubernetes import provider as kubernetes  # noqa: PLC0415
                from xgen_infra.rehearsal.standins.memory.releases import MemoryReleases  # noqa: PLC0415

                releases = MemoryReleases(self._clusters, self._helm, self._project, self._private)
                return kubernetes.stand_on(self._clusters, releases)
            case "aws":
                from xgen_infra.rehearsal.standins.aws import provider as aws  # noqa: PLC0415
                from xgen_infra.rehearsal.standins.aws.emulator.application import application  # noqa: PLC0415
                from xgen_infra.rehearsal.standins.aws.emulator.identities import with_identities  # noqa: PLC0415
                from xgen_infra.rehearsal.standins.aws.world import World  # noqa: PLC0415
                from xgen_infra.rehearsal.standins.memory.aws import ENDPOINT, InProcess, listen  # noqa: PLC0415

                networks = Path(self._setting.networks) if self._setting.networks else None
                made = application(networks)
                if self._setting.port:
                    listen(with_identities(made, self._folder / "aws-store"), self._setting.port)
                answer = InProcess(made)
                self._world = World(self._folder, ENDPOINT, account=self._setting.account, answer=answer)
                return aws.stand(self._world)
            case "eks":
                from xgen_infra.rehearsal.standins.eks import provider as eks  # noqa: PLC0415

                return eks.stand()
        raise KeyError(name)

    def contents(self) -> Props:
        """Return what exists: {"clusters": {server: {"objects": [...], "releases": [...]}}, "aws": [...]}."""
        found: Props = {"clusters": {}, "aws": []}
        for server, cluster in self._clusters.by_server.items():
            with cluster.lock:
                objects = [bare(one) for _, one in sorted(cluster.objects.items())]
                releases = [one.facts for _, one in sorted(cluster.releases.items())]
            found["clusters"][server] = {"objects": objects, "releases": releases}
        if self._world:
            from xgen_infra.rehearsal.standins.memory import inventory  # noqa: PLC0415

            found["aws"] = inventory.contents(self._world, self._setting.places)
        return found

    def warm_up(self) -> None:
        """Do once what the first call of each service would wait for: read its model, import its types."""
        if self._world:
            sdk.load(sdk.MODULES)
            self.contents()

    def reset(self) -> Props:
        """Empty the world, its journal and its orders of faults: what was there before the customer is again there."""
        self._clusters.clear()
        for name in (journal.FILE, faults.FILE):
            (self._folder / name).unlink(missing_ok=True)
        if self._world:
            from moto.moto_api._internal.models import moto_api_backend  # noqa: PLC0415

            from xgen_infra.rehearsal.standins.aws.emulator.application import lay  # noqa: PLC0415

            moto_api_backend.reset()
            shutil.rmtree(self._world.root / "aws-store", ignore_errors=True)
            lay(Path(self._setting.networks) if self._setting.networks else None)
        return {}


def open_door(memory: Memory, folder: Path) -> None:
    """Answer `ask` from now on; where and with which key stands in a file that only its owner can read."""
    key = secrets.token_hex(16)
    listener = Listener(("127.0.0.1", 0), authkey=key.encode())
    file = folder / "private" / DOOR
    file.touch(mode=0o600)
    file.write_text(json.dumps({"port": listener.address[1], "key": key}))

    def serve() -> None:
        while True:
            with listener.accept() as connection:
                verb = json.loads(connection.recv_bytes())
                try:
                    answer: Props = {"answer": memory.contents() if verb == "contents" else memory.reset()}
                except Exception as error:  # noqa: BLE001 - whoever asks gets one text
                    answer = {"error": f"{type(error).__name__}: {error}"}
                connection.send_bytes(json.dumps(answer, default=str).encode())

    threading.Thread(target=serve, name="door", daemon=True).start()
