"""The phase "no secret where none belongs": what is searched for, where, and that the search would find it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from xgen_infra.engine import Result
from xgen_infra.rehearsal.secrecy import places
from xgen_infra.rehearsal.secrecy.kinds import GROWING, Kind, expected_kinds
from xgen_infra.rehearsal.secrecy.places import Kept, Place
from xgen_infra.rehearsal.secrecy.watch import Watch
from xgen_infra.secrecy import Search, known
from xgen_infra.secrecy.known import HELM_RELEASE
from xgen_infra.secrecy.search import SHORTEST

if TYPE_CHECKING:
    from xgen_infra.rehearsal.phases import Rehearsal
    from xgen_infra.rehearsal.report import Phase
    from xgen_infra.rehearsal.world import World

NAME = "no secret where none belongs"


class Secrecy:
    """What a rehearsal does so that nothing that it does passes unsearched."""

    def __init__(self, rehearsal: Rehearsal, watch: Watch) -> None:
        self._rehearsal = rehearsal
        self._world: World = rehearsal.world
        self._watch = watch
        self._search = Search(rehearsal.world.file.canaries)

    def previews(self) -> tuple[tuple[str, ...], Future[None]]:
        """Return the options of a preview that shows all properties and saves an update plan; begin one as JSON.

        The second runs beside the first: its Future ends with what it ends with.
        """
        folder = self._world.root / places.PREVIEWS
        folder.mkdir(mode=0o700, exist_ok=True)
        pool = ThreadPoolExecutor(1, thread_name_prefix="preview")
        beside = pool.submit(self._preview, folder / "preview.json")
        pool.shutdown(wait=False)
        return ("--diff", "--save-plan", str(folder / "plan.json")), beside

    def comment(self, name: str, result: Result) -> None:
        """Keep what a merge request would be told of an operation."""
        places.commented(self._world, name, result)

    def phase(self, phase: Phase) -> None:
        """Search every place, kind by kind; see that the search finds the secrets where they have to be."""
        made = places.documents(self._world, places.documents_of(self._world.stack))
        shown = self._world.engine.run("stack", "export", "--show-secrets", "--stack", self._world.stack)
        found, kept = places.every(self._world)
        secrets = self._secrets(json.loads(shown), kept)
        search = self._search = Search(secrets)
        self._controls(phase, search, shown, kept)
        found += [*made, *self.moving()]
        releases = any(one.type == HELM_RELEASE for one in kept)
        judge(phase, search, found, expected_kinds(self._world.site.delivery, releases=releases))

    def last(self, phase: Phase) -> None:
        """Search again, at the very end, what has grown since: state, logs, arguments, report."""
        grown = [one for one in places.files(self._world) if one.kind in GROWING]
        judge(phase, self._search, [*grown, *self.moving()], GROWING)

    def _preview(self, target: Path) -> None:
        target.write_text(self._world.engine.run("preview", "--json", "--stack", self._world.stack))

    def _secrets(self, state: Mapping[str, object], kept: Sequence[Kept]) -> dict[str, str]:
        """Return the canaries, what the state holds encrypted, and what Kubernetes keeps."""
        secrets = dict(self._world.file.canaries)
        generated = {**known.of_state(state)}
        for secret in kept:
            generated |= known.of_kubernetes(json.loads(secret.content))
        public, seen = known.public_of(state), set(secrets.values())
        for name, value in generated.items():
            if value not in seen and value not in public:
                secrets[name] = value
                seen.add(value)
        return secrets

    def _controls(self, phase: Phase, search: Search, shown: str, kept: Sequence[Kept]) -> None:
        """See that what is searched for is what is there: in the state when it is opened, and in Secrets."""
        opened = {leak.secret for leak in search.in_text("state", shown)}
        canaries = self._world.file.canaries
        used = {name for name in canaries if name in opened}
        made = search.secrets.keys() - canaries.keys() - set(search.short)
        phase.check(
            "the search finds them in the opened state",
            bool(used),
            f"{len(used)} of {len(canaries)} secure values; {len(made)} generated credentials are searched for, too; "
            f"not searched for, of fewer than {SHORTEST} characters: {', '.join(search.short) or 'none'}",
        )
        holders = defaultdict(set)
        for secret in kept:
            if secret.type != HELM_RELEASE:
                for leak in search.in_bytes(secret.name, secret.content):
                    holders[leak.secret].add(secret.name)
        lost = sorted(used - holders.keys())
        held = {name for names in holders.values() for name in names}
        phase.check("and in the Kubernetes Secrets that hold them", not lost, lost or ", ".join(sorted(held)))

    def moving(self) -> list[Place]:
        """Return what changes by the second: the arguments that were seen, and the report so far."""
        seen = f"{self._watch.processes} processes in {self._watch.looks} looks"
        report = self._rehearsal.report.as_json().encode()
        return [Place(Kind.ARGUMENTS, seen, self._watch.arguments()), Place(Kind.REPORT, "as JSON", report)]


def judge(phase: Phase, search: Search, found: Sequence[Place], expected: Sequence[Kind]) -> None:
    """Note a check for each kind of place: how many there are, and what was found in them.

    A kind that is expected and has no place, or only empty ones, fails: nothing was searched. So does one with a place
    that is wrong.
    """
    kinds: dict[Kind, list[Place]] = {kind: [] for kind in expected}
    for place in found:
        kinds.setdefault(place.kind, []).append(place)
    for kind, members in kinds.items():
        size = sum(len(place.content) for place in members)
        leaks = [leak for place in members for leak in search.in_bytes(place.name, place.content)]
        wrong = [f"{place.name}: {place.wrong}" for place in members if place.wrong]
        saw = f"{len(members)} searched, {size / 1000:,.0f} kB"
        if kind is Kind.ARGUMENTS and members:
            saw = f"{members[0].name}, {size / 1000:,.0f} kB"
        searched = (bool(size) or kind not in expected) and not wrong
        phase.check(kind, not leaks and searched, "; ".join([*map(str, leaks[:5]), *wrong]) or saw)
