"""The generated parts of the documents: `python -m xgen_infra.reference` writes them, a test finds what is stale.

docs/file.md is the models' own words; the table of docs/secrets.md is the catalogue's; the verbs in README.md are
the command's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from xgen_infra import catalog, environment
from xgen_infra.cli import VERBS
from xgen_infra.preflight.checks import CHECKS
from xgen_infra.rules import RULES
from xgen_infra.schema import schema
from xgen_infra.secrets_catalog import SECRETS
from xgen_infra.site import Site, with_defaults
from xgen_infra.site.services import DEFAULT_SCALE

_REF = "#/$defs/"
_ONE_OF_SIX = "<service>"
_CLOUD = {"kind": "eks", "account": "123456789012", "region": "ap-northeast-2", "vpcCidr": "10.40.0.0/16"}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    heads = list(head)
    lines = [heads, ["---"] * len(heads), *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def fields() -> str:
    """Return a section for each part of the customer's file, in the order in which they nest."""
    definitions = schema()["$defs"]
    return "\n".join(_sections("Site", "", "", definitions, set()))


def _sections(model: str, path: str, kind: str, definitions: dict[str, Any], seen: set[str]) -> Iterator[str]:
    shape = definitions[model]
    if model in seen:
        return
    seen.add(model)
    heading = f"`{path}`" if path else "`xgen-infra:site`"
    yield f"### {heading}{f', kind `{kind}`' if kind else ''}\n"
    yield _flat(shape.get("description", "")) + "\n"
    required = set(shape.get("required", ()))
    rows = [
        [f"`{key}`", _value(field), _default(key in required, field), _meaning(field, definitions)]
        for key, field in shape["properties"].items()
    ]
    yield table(("key", "value", "default", "meaning"), rows)
    for key, field in shape["properties"].items():
        below = _ONE_OF_SIX if model == "Services" else key
        for target in _models(field):
            variant = definitions[target]["properties"].get("kind", {}).get("const", "")
            inside = f"{path}.{below}" if path else below
            yield from _sections(target, inside, variant, definitions, seen)


def _models(field: dict[str, Any]) -> list[str]:
    options = [field, *field.get("anyOf", ()), *field.get("oneOf", ())]
    return [option["$ref"].removeprefix(_REF) for option in options if "$ref" in option]


def _value(field: dict[str, Any]) -> str:
    if _models(field):
        return "a mapping, below"
    options = [option for option in field.get("anyOf", (field,)) if option.get("type") != "null"]
    return " or ".join(_plain(option) for option in options)


def _plain(field: dict[str, Any]) -> str:
    words = "text"
    match field:
        case {"const": value}:
            words = f"`{value}`"
        case {"enum": values}:
            words = ", ".join(f"`{value}`" for value in values)
        case {"type": "boolean"}:
            words = "`true`, `false`"
        case {"type": "integer", "minimum": low, "maximum": high}:
            words = f"{low} to {high}"
        case {"type": "array", "items": items}:
            words = f"list: {_plain(items)}"
        case {"type": "object"}:
            words = "names and texts"
        case {"examples": [first, *_]}:
            words = f"such as `{first}`"
    return words


def _default(required: bool, field: dict[str, Any]) -> str:
    if required:
        return "required"
    value = field.get("default")
    if value is None or value in ("", []):
        return ""
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _meaning(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    own = field.get("description")
    return _flat(own or " / ".join(definitions[model].get("description", "") for model in _models(field)))


def _flat(text: str) -> str:
    return " ".join(text.split())


def scale() -> str:
    """Return replicas and the autoscaler's bounds by kind of cluster."""
    rows = [[f"`{kind}`", *map(str, numbers)] for kind, numbers in DEFAULT_SCALE.items()]
    return table(("cluster", "replicas", "minReplicas", "maxReplicas"), rows)


def sizes() -> str:
    """Return what each of the six services asks of a node where the file is silent."""
    rows = [
        [
            f"`{service.name}`",
            f"{service.requests.cpu}, {service.requests.memory}",
            f"{service.limits.cpu}, {service.limits.memory}",
            str(service.port),
            service.path if service.has_domain else "",
        ]
        for service in catalog.SERVICES
    ]
    return table(("service", "requests", "limits", "port", "path from outside"), rows)


def variables() -> str:
    """Return the environment that each container gets, and who knows each value."""
    sites = [_example(_CLOUD), _example({"kind": "k3s"})]
    rows = [
        [f"`{pair[0].name}`", *(_owner(variable) for variable in pair)]
        for pair in zip(*(environment.wired(site) for site in sites), strict=True)
    ]
    return table(("variable", "on EKS", "on K3s"), rows)


def _example(cluster: dict[str, str]) -> Site:
    source = {"repoURL": "https://gitlab.example/xgen/xgen-infra.git"}
    raw = {"source": source, "cluster": cluster, "registry": {"kind": "local"}}
    return Site.model_validate(with_defaults(raw, "example", None))


def _owner(variable: environment.Variable) -> str:
    places = ", ".join(f"`{path}`" for path in variable.paths)
    match variable.owner:
        case "file":
            return places
        case "resource":
            return f"output `{variable.source}` ({places})"
        case "credential":
            return f"secret: `{variable.source}`"


def rules() -> str:
    """Return what one file is refused, or warned, for, beyond the shape of each field."""
    rows = [
        [f"`{rule.__name__.replace('_', '-')}`", _flat((rule.__doc__ or "").partition("\n\n")[0])]
        for rule in RULES
    ]
    return table(("rule", "finds"), [[name, what.removeprefix("Yield ")] for name, what in rows])


def secrets() -> str:
    """Return every `secure:` key: what it is, and which sites need it."""
    return table(
        ("key", "is the", "needed by"),
        [[f"`{secret.config_key}`", secret.purpose, secret.where] for secret in SECRETS],
    )


def verbs() -> str:
    """Return every verb of the `xgen` command."""
    return table(("verb", "does"), [[f"`{name}`", verb.summary] for name, verb in VERBS.items()])


def checks() -> str:
    """Return every check of the preflight."""
    return table(("check", "made for", "because"), [[f"`{one.name}`", one.where, one.why] for one in CHECKS])


PARTS: dict[str, Callable[[], str]] = {
    "fields": fields,
    "scale": scale,
    "sizes": sizes,
    "variables": variables,
    "rules": rules,
    "secrets": secrets,
    "verbs": verbs,
    "checks": checks,
}
"""What stands between `<!-- generated: NAME -->` and `<!-- end -->` in a document."""
DOCUMENTS = (
    Path("README.md"),
    Path("docs/file.md"),
    Path("docs/secrets.md"),
    Path("docs/tasks/preflight.md"),
)
_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def renewed(text: str) -> str:
    """Return a document with its generated parts as they are to be.

    Raises KeyError for a part that nothing generates.
    """
    return _PART.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]()}\n{found[3]}", text)


if __name__ == "__main__":
    for path in DOCUMENTS:
        path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
