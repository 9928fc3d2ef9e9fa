"""The JSON Schema for editors: as generated, true of the samples, and helpful."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from checking import SAMPLES, Wrong, sample
from test_check_fields import WRONG
from test_check_values import STACKS

from xgen_infra.schema import PATH, schema, text

REPOSITORY = Path(__file__).parent.parent
VALIDATOR = jsonschema.Draft202012Validator(schema())


def wrong(content: str) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(content))]


def test_the_schema_in_the_repository_is_the_models_own() -> None:
    assert (REPOSITORY / PATH).read_text(encoding="utf-8") == text(), "run: python -m xgen_infra.schema"


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("stack", STACKS)
def test_the_samples_fit_the_schema(stack: str) -> None:
    assert wrong(sample(stack)) == []


@pytest.mark.parametrize("file", sorted(REPOSITORY.glob("Pulumi.*.yaml")), ids=lambda path: path.name)
def test_the_customers_files_fit_the_schema_and_name_it(file: Path) -> None:
    content = file.read_text(encoding="utf-8")
    assert wrong(content) == []
    assert content.splitlines()[0] == f"# yaml-language-server: $schema={PATH.as_posix()}"


def test_the_samples_name_the_schema_in_their_first_line() -> None:
    for stack in STACKS:
        named = sample(stack).splitlines()[0].removeprefix("# yaml-language-server: $schema=")
        assert (SAMPLES / named).resolve() == REPOSITORY / PATH


UNKNOWN = [one for one in WRONG if "unknown key" in one.says or "did you mean" in one.says]


@pytest.mark.parametrize("one", UNKNOWN, ids=str)
def test_an_editor_marks_unknown_keys_too(one: Wrong) -> None:
    assert wrong(one.text)


def test_every_field_has_a_description() -> None:
    definitions = schema()["$defs"]
    silent = [
        f"{model}.{key}"
        for model, shape in definitions.items()
        for key, field in shape["properties"].items()
        if key != "kind" and "description" not in field and not _described(field, definitions)
    ]
    assert silent == []


def _described(field: dict[str, Any], definitions: dict[str, Any]) -> bool:
    options = [field, *field.get("anyOf", []), *field.get("oneOf", [])]
    models = [option["$ref"].rpartition("/")[2] for option in options if "$ref" in option]
    return bool(models) and all("description" in definitions[model] for model in models)


def test_no_pattern_looks_around() -> None:
    assert "(?" not in json.dumps(schema()).replace("(?:", "")
