"""Outputs of stacks, each recorded once from the program itself."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest

from .recording import recorded

CHANGES: dict[str, tuple[str, dict[str, Any]]] = {
    "aww": ("aww", {}),
    "lotteimall": ("lotteimall", {}),
    "public": (
        "aww",
        {
            "delivery": "helm",
            "exposure": {
                "kind": "public",
                "domain": "xgen.aww.example",
                "certificateArn": "arn:aws:acm:ap-northeast-2:123456789012:certificate/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
            },
            "management": {"account": "210987654321"},
            "registry": {"kind": "ecr", "host": None, "plainHttp": None, "credentialId": None},
        },
    ),
    "elsewhere": (
        "lotteimall",
        {
            "exposure": {"kind": "none", "domain": None},
            "infra": {
                "postgres": {"host": "pg.mart.example"},
                "minio": {"endpoint": "https://store.mart.example"},
            },
        },
    ),
}


@lru_cache
def _recorded(name: str) -> dict[str, Any]:
    stack, changes = CHANGES[name]
    return recorded(stack, changes)


@pytest.fixture(scope="session")
def outputs() -> Callable[[str], dict[str, Any]]:
    """`outputs("aww")` is a copy of a stack's outputs: of a sample, or of one of CHANGES."""
    return lambda name: copy.deepcopy(_recorded(name))
