"""The architecture of one installation, drawn: boxes and arrows with the names that the outputs give."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from xgen_infra import catalog, naming
from xgen_infra.runbook.drawing import GAP, LINE, PAD, SIZE, Arrow, Box, Card, Drawing, grid, wrapped
from xgen_infra.runbook.facts import Facts, RunbookError
from xgen_infra.runbook.step import by_argocd, exposed, on_eks, run_by

WIDTH = 960.0
MARGIN = 16.0
_RISE = 64.0
"""Room for an arrow and two lines beside it."""
_AIR = 5.0
_TEMPLATES = Environment(
    loader=PackageLoader("xgen_infra.runbook"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_DATA = {"postgres": "PostgreSQL", "redis": "Redis", "qdrant": "Qdrant"}


def svg(facts: Facts) -> str:
    """Return the drawing as one SVG element with a title, a description, and colours for light, dark and paper.

    Raises RunbookError where an output that it shows is missing.
    """
    try:
        drawing, description = drawn(facts), described(facts)
    except RunbookError as error:
        raise RunbookError(
            f"the drawing of the architecture cannot be made: {error}: `pulumi up` makes it"
        ) from None
    return _TEMPLATES.get_template("diagram.svg.j2").render(
        drawing=drawing, title=f"Architecture of {facts.text('stack')}", description=description
    )


def drawn(facts: Facts) -> Drawing:
    """Lay the installation out, from where things come from (top) to where data lives (bottom)."""
    drawing = Drawing(WIDTH)
    inner = WIDTH - 2 * MARGIN
    height, top = grid(drawing, _sources(facts), MARGIN, MARGIN, inner, len(_sources(facts)))
    y = MARGIN + height + _RISE
    frame = _cluster(drawing, facts, y)
    for box, says in zip(top, _ways(facts), strict=True):
        _down(drawing, box, box.y + box.height, frame.y, says)
    y = frame.y + frame.height
    below = _below(facts)
    if below:
        _, bottom = grid(drawing, [card for card, _, _ in below], MARGIN, y + _RISE, inner, len(below))
        for box, (_, says, both) in zip(bottom, below, strict=True):
            _down(drawing, box, y, box.y, says, both=both)
        y = max(box.y + box.height for box in bottom)
    drawing.height = y + MARGIN
    return drawing


def described(facts: Facts) -> str:
    """Return the drawing in words, for those who do not see it."""
    parts = [f"{card.title}: {', '.join(filter(None, card.names))}" for card in _sources(facts)]
    parts.append(f"{_title(facts)} runs {', '.join(catalog.NAMES)} in the namespace {facts.namespace}")
    parts += [f"{card.title}: {', '.join(filter(None, card.names))}" for card in _inside(facts)]
    parts += [f"{card.title}: {', '.join(filter(None, card.names))}" for card, _, _ in _below(facts)]
    return ". ".join(parts) + "."


def _sources(facts: Facts) -> list[Card]:
    branch = f"branch {facts.text('gitRevision')}"
    registry = Card(
        "Image registry", [facts.text("registryHost"), f"{facts.text('project')}/{facts.text('site')}"]
    )
    git = Card("Git", [facts.text("gitRepository"), branch])
    people = Card("People", [facts.get("domain") or "the load balancer's own name", facts.text("exposure")])
    return [*([git] if by_argocd(facts) else []), registry, *([people] if exposed(facts) else [])]


def _ways(facts: Facts) -> list[str]:
    git = f"Argo CD looks every {facts.text('gitPollSeconds')} s"
    secure = any((facts.get("certificate") or {}).values())
    return [
        *([git] if by_argocd(facts) else []),
        "nodes pull images",
        *([f"{'HTTPS' if secure else 'HTTP'} by the Ingress"] if exposed(facts) else []),
    ]


def _title(facts: Facts) -> str:
    if not on_eks(facts):
        return f"K3s cluster {facts.text('clusterName')}"
    return f"EKS cluster {facts.text('clusterName')}, Kubernetes {facts.text('cluster', 'kubernetesVersion')}"


def _place(facts: Facts) -> str:
    if not on_eks(facts):
        return ""
    return "VPC " + ", ".join(
        facts.text("cluster", name) for name in ("vpcId", "vpcCidr", "region", "account")
    )


def _cluster(drawing: Drawing, facts: Facts, y: float) -> Box:
    """Draw the VPC where there is one, the cluster in it and what runs there; return the outermost box."""
    outer_at = len(drawing.boxes)
    place, x, width = _place(facts), MARGIN, WIDTH - 2 * MARGIN
    top = y
    if place:
        top += PAD + drawing.label(x + PAD, y + PAD - 2, width - 2 * PAD, place, "frame")
        x, width = x + PAD, width - 2 * PAD
    inside = top + PAD + drawing.label(x + PAD, top + PAD - 2, width - 2 * PAD, _title(facts), "title")
    height = _workloads(drawing, facts, x + PAD, inside + 4, width - 2 * PAD) + (inside + 4 - top) + PAD
    frame = Box(x, top, width, height, "cluster")
    boxes = [frame]
    if place:
        frame = Box(MARGIN, y, WIDTH - 2 * MARGIN, top - y + height + PAD, "place")
        boxes = [frame, *boxes]
    drawing.boxes[outer_at:outer_at] = boxes
    return frame


def _workloads(drawing: Drawing, facts: Facts, x: float, y: float, width: float) -> float:
    """Draw Argo CD, the six services and the data services in the cluster; return their height."""
    left, at = x, len(drawing.boxes)
    if by_argocd(facts):
        card = Card("Argo CD", [f"namespace {facts.text('argocd', 'namespace')}", "six Applications"], "tool")
        across = 190.0
        card.draw(drawing, x, y, across)
        middle = y + card.height(across) / 2
        left = x + across + 2.5 * GAP
        drawing.arrows.append(Arrow(x + across, middle, left, middle))
    room = x + width - left
    head = PAD + drawing.label(
        left + PAD, y + PAD - 2, room - 2 * PAD, f"Namespace {facts.namespace}", "frame"
    )
    cards = [Card("", [name], "service") for name in catalog.NAMES]
    rows, _ = grid(drawing, cards, left + PAD, y + head, room - 2 * PAD, 3)
    height = head + rows + PAD
    drawing.boxes.insert(at, Box(left, y, room, height, "namespace"))
    inside = _inside(facts)
    if not inside:
        return height
    down, at = y + height + _RISE, len(drawing.boxes)
    namespace = f"Namespace {naming.DATA_NAMESPACE}"
    head = PAD + drawing.label(x + PAD, down + PAD - 2, width - 2 * PAD, namespace, "frame")
    head += _AIR
    rows, _ = grid(drawing, inside, x + PAD, down + head, width - 2 * PAD, min(4, len(inside)))
    drawing.boxes.insert(at, Box(x, down, width, head + rows + PAD, "namespace"))
    _down(drawing, Box(left, 0, room, 0, ""), y + height, down, "data")
    return height + _RISE + head + rows + PAD


def _data(facts: Facts, names: list[str], kind: str) -> list[Card]:
    return [
        Card(
            _DATA[name],
            [f"{facts.text('hosts', name)}:{facts.text('endpoints', name, 'port')}"],
            kind,
        )
        for name in names
    ]


def _inside(facts: Facts) -> list[Card]:
    """Return the data services that run in the cluster."""
    if on_eks(facts):
        return []
    cards = _data(facts, [name for name in _DATA if run_by(facts, name) != "external"], "data")
    if run_by(facts, "object-store") != "external":
        cards.append(Card("Object store", [facts.text("objectStoreEndpoint"), facts.text("bucket")], "data"))
    return cards


def _below(facts: Facts) -> list[tuple[Card, str, bool]]:
    """Return what is outside of the cluster and holds data: (card, what leads there, in both directions)."""
    found: list[tuple[Card, str, bool]] = []
    if on_eks(facts):
        names = [f"bucket {facts.text('bucket')}", f"user {facts.text('cluster', 'documentsUser')}"]
        found.append((Card("Documents, in S3", names, "data"), "S3 gateway endpoint", False))
        hosts = [
            f"{what} {facts.text('hosts', name)}:{facts.text('endpoints', name, 'port')}"
            for name, what in _DATA.items()
        ]
        far = bool(facts.get("cluster", "management"))
        vpc, cidr = (facts.text("cluster", "management", name) if far else "" for name in ("vpcId", "cidr"))
        network = [f"VPC {vpc}", cidr] if far else []
        title = "Management server" if far else "Data services"
        way = f"VPC peering {facts.text('cluster', 'peeringConnectionId')}" if far else "network"
        found.append((Card(title, [*network, *hosts], "data"), way, far))
        return found
    outside = [name for name in _DATA if run_by(facts, name) == "external"]
    found += [(card, "network", False) for card in _data(facts, outside, "data")]
    if run_by(facts, "object-store") == "external":
        store = Card("Object store", [facts.text("objectStoreEndpoint"), facts.text("bucket")], "data")
        found.append((store, "S3 API", False))
    return found


def _down(drawing: Drawing, box: Box, start: float, end: float, says: str, *, both: bool = False) -> None:
    """Draw an arrow between two rows at a box's left third, what it says beside it."""
    x = box.x + min(48.0, box.width / 4)
    drawing.arrows.append(Arrow(x, start, x, end, both))
    lines = wrapped(says, box.width - (x - box.x) - 2 * PAD)
    room = (end - start - len(lines) * LINE) / 2
    drawing.label(x + PAD, start + room - (SIZE - LINE) / 2, box.width - (x - box.x) - 2 * PAD, says)
