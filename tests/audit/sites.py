"""Sites for the audit, beside the samples."""

from __future__ import annotations

from typing import Any

WHOLE: dict[str, Any] = {
    "exposure": {
        "kind": "public",
        "domain": "xgen.example",
        "certificateArn": "arn:aws:acm:ap-northeast-2:123456789012:certificate/1",
    },
    "cluster": {"flowLogs": True},
    "registry": {
        "kind": "ecr",
        "host": None,
        "plainHttp": None,
        "pushPrincipal": "arn:aws:iam::210987654321:role/push",
    },
}
"""Departures from the sample that make every resource that the program knows."""
