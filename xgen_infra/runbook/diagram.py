"""The architecture of one installation, drawn: boxes and arrows with the names that the outputs give."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from xgen_infra import catalog
from xgen_infra.runbook.drawing import GAP, LINE, PAD, SIZE, Arrow, Box, Card, Drawing, grid, wrapped
from xgen_infra.runbook.facts import Facts
from xgen_infra.runbook.step import by_argocd, exposed, on_eks, run_by

WIDTH = 960.0
MARGIN = 16.0
_RISE = 64.0
"""Room for an arrow and two lines beside it."""
_TEMPLATES = Environment(
    loader=PackageLoader("xgen_infra.runbook"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_DATA = {"postgres": "PostgreSQL", "redis": "Redis", "qdrant": "Qdrant"}


def svg(facts: Facts) -> str:
    """Return the drawing as one SVG element with a title, a description, and colours for light, dark and paper."""
    return _TEMPLATES.get_template("diagram.svg.j2").render(
        drawing=drawn(facts), title=f"Architecture of {facts.text('stack')}", description=described(facts)
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
    branch = f"branch {facts.get('gitRevision')}"
    registry = Card(
        "Image registry", [facts.text("registryHost"), f"{facts.get('project')}/{facts.get('site')}"]
    )
    git = Card("Git", [facts.text("gitRepository"), branch])
    people = Card(
        "People", [facts.get("domain") or "the load balancer's own name", str(facts.get("exposure"))]
    )
    return [*([git] if by_argocd(facts) else []), registry, *([people] if exposed(facts) else [])]


def _ways(facts: Facts) -> list[str]:
    git = f"Argo CD looks every {facts.get('gitPollSeconds')} s"
    secure = any((facts.get("certificate") or {}).values())
    return [
        *([git] if by_argocd(facts) else []),
        "nodes pull images",
        *([f"{'HTTPS' if secure else 'HTTP'} by the Ingress"] if exposed(facts) else []),
    ]


def _title(facts: Facts) -> str:
    if not on_eks(facts):
        return f"K3s cluster {facts.text('clusterName')}"
    return f"EKS cluster {facts.text('clusterName')}, Kubernetes {facts.get('cluster', 'kubernetesVersion')}"


def _place(facts: Facts) -> str:
    parts = (facts.get("cluster", name) for name in ("vpcId", "vpcCidr", "region", "account"))
    return "VPC " + ", ".join(str(part) for part in parts if part) if on_eks(facts) else ""


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
        card = Card("Argo CD", [f"namespace {facts.get('argocd', 'namespace')}", "six Applications"], "tool")
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
    namespace = f"Namespace {facts.get('cluster', 'dataNamespace') or 'xgen-system'}"
    head = PAD + drawing.label(x + PAD, down + PAD - 2, width - 2 * PAD, namespace, "frame")
    rows, _ = grid(drawing, inside, x + PAD, down + head, width - 2 * PAD, min(4, len(inside)))
    drawing.boxes.insert(at, Box(x, down, width, head + rows + PAD, "namespace"))
    _down(drawing, Box(left, 0, room, 0, ""), y + height, down, "data")
    return height + _RISE + head + rows + PAD


def _data(facts: Facts, names: list[str], kind: str) -> list[Card]:
    return [
        Card(
            _DATA[name],
            [f"{facts.get('hosts', name)}:{facts.get('endpoints', name, 'port')}"],
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
        bucket = Card(
            "Documents, in S3",
            [facts.text("bucket"), str(facts.get("cluster", "documentsUser") or "")],
            "data",
        )
        found.append((bucket, "S3 gateway endpoint", False))
        hosts = [
            f"{_DATA[name]} {facts.get('hosts', name)}:{facts.get('endpoints', name, 'port')}"
            for name in _DATA
        ]
        far = facts.get("cluster", "management") or {}
        title = f"Management server, VPC {far['vpcId']}, {far['cidr']}" if far else "Data services"
        peering = facts.get("cluster", "peeringConnectionId")
        found.append(
            (Card(title, hosts, "data"), f"VPC peering {peering}" if peering else "network", bool(far))
        )
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
