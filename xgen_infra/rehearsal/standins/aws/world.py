"""What the AWS of one rehearsal consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_ACCOUNT = "123456789012"
ROOT_KEY_ID = "AKIAREHEARSALROOT000"
"""The access key id of the rehearsal itself: whoever signs with it may do all. Loopback only."""


@dataclass(frozen=True)
class World:
    """The emulator's address and what it cannot hold itself.

    `root` is the rehearsal's folder (the store lives there). `kubeconfig` is the administrator's file of the
    one local control plane that every EKS cluster maps to; without it clusters have the emulator's made-up
    endpoint. `account` is the account of the credentials that a program gets from its environment. `answer` is
    asked in place of the network where the emulator lives in this process (botocore's `before-send` event).
    """

    root: Path
    moto_url: str
    kubeconfig: Path | None = None
    account: str = DEFAULT_ACCOUNT
    answer: Callable[..., Any] | None = None
