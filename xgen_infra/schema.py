"""The JSON Schema of a customer's file, for editors: generated from the models.

`python -m xgen_infra.schema` writes schemas/stack.schema.json.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from xgen_infra.secrets_catalog import SECRETS
from xgen_infra.site import Site
from xgen_infra.stackfile import SITE_KEY

PATH = Path("schemas") / "stack.schema.json"
_FROM_ELSEWHERE = {"site", "appSite", "registry"}
"""Required in a Site, but not in the file: the stack's name and the vendor's defaults fill them in."""


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of `Pulumi.<stack>.yaml`."""
    site = Site.model_json_schema(by_alias=True)
    definitions = site.pop("$defs")
    for model in (site, *definitions.values()):
        model.pop("title")
        for field in model["properties"].values():
            _tidy(field)
    site["required"] = [key for key in site["required"] if key not in {*_FROM_ELSEWHERE, "stack"}]
    site["properties"].pop("stack")
    secrets = {
        secret.config_key: _secret(f"{secret.purpose}. Needed by {secret.where}.") for secret in SECRETS
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A customer's file of xgen-infra: Pulumi.<stack>.yaml",
        "type": "object",
        "additionalProperties": False,
        "required": ["config"],
        "properties": {
            "config": {
                "type": "object",
                "additionalProperties": False,
                "required": [SITE_KEY],
                "properties": {
                    SITE_KEY: {"$ref": "#/$defs/Site"},
                    **secrets,
                    "pulumi:tags": {
                        "type": "object",
                        "description": "Tags of the stack in Pulumi's backend.",
                    },
                },
            },
            "encryptionsalt": _text("Salt of the passphrase; written by the engine."),
            "secretsprovider": _text("Who keeps the key of the secrets, such as awskms://alias/xgen-aww."),
            "encryptedkey": _text("The data key, encrypted by secretsprovider; written by the engine."),
        },
        "$defs": {**definitions, "Site": site},
    }


def _tidy(field: dict[str, Any]) -> None:
    """Leave out what tells an editor's user nothing: a title like the key, an absent default, a model's own."""
    field.pop("title", None)
    if isinstance(field.get("default"), (dict, type(None))):
        field.pop("default", None)


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _secret(description: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description[0].upper() + description[1:],
        "additionalProperties": False,
        "required": ["secure"],
        "properties": {"secure": _text("The encrypted value; written by `pulumi config set --secret`.")},
    }


def text() -> str:
    """Return the schema file's content."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(text(), encoding="utf-8")
