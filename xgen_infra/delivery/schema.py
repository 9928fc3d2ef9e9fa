"""The chart's values.schema.json, made from the models: `python -m xgen_infra.delivery.schema` writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from xgen_infra.delivery.values import ServiceValues

CHART = Path(__file__).resolve().parents[2] / "charts" / "xgen-service"
SCHEMA = CHART / "values.schema.json"


class _ChartSchema(GenerateJsonSchema):
    """Draft 7, which every Helm 3 reads (releases before 3.18 know no later draft)."""

    schema_dialect = "http://json-schema.org/draft-07/schema#"

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Return a map's schema in which keys of another shape are refused."""
        made = super().dict_schema(schema)
        patterns = made.get("patternProperties")
        return {**made, "additionalProperties": False} if patterns else made

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Return a schema without `default: null`: in values an absent key is absent."""
        made = super().default_schema(schema)
        return {key: value for key, value in made.items() if key != "default" or value is not None}

    def encode_default(self, dft: Any) -> Any:
        """Return a default as it is written in a values file."""
        return _present(super().encode_default(dft))

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Return the inner schema alone: None is written as an absent key."""
        return self.generate_inner(schema["schema"])


def chart_schema() -> dict[str, Any]:
    """Return the JSON Schema of a values file."""
    made = ServiceValues.model_json_schema(
        schema_generator=_ChartSchema, ref_template="#/definitions/{model}", mode="validation"
    )
    made["definitions"] = made.pop("$defs")
    return {"$schema": _ChartSchema.schema_dialect, **_without_titles(made)}


def _present(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _present(value) for key, value in node.items() if value is not None}
    return node


def _without_titles(node: Any) -> Any:
    """Drop the titles that pydantic makes of names; a property called title would be a map, and stays."""
    if isinstance(node, dict):
        return {
            key: _without_titles(value)
            for key, value in node.items()
            if not (key == "title" and isinstance(value, str))
        }
    return [_without_titles(value) for value in node] if isinstance(node, list) else node


def text() -> str:
    """Return the file's text."""
    return json.dumps(chart_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(text(), encoding="utf-8")
