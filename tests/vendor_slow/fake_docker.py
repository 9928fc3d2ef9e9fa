"""Stands for `docker`: keeps what it was called with, builds tiny images, and really pushes them, by crane."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from .images import save

HOME = Path(os.environ["FAKE_DOCKER"])


def main(words: list[str]) -> int:
    note(words)
    match words[:1]:
        case ["build"]:
            return build(words[1:])
        case ["push"]:
            return push(words[1:])
        case _:
            print(f"fake docker: no command {words[:1]}", file=sys.stderr)
            return 64


def note(words: list[str]) -> None:
    config = Path(os.environ.get("DOCKER_CONFIG", "/nonexistent")) / "config.json"
    logins = list(json.loads(config.read_text())["auths"]) if config.is_file() else []
    bound = [
        name
        for name in os.environ
        if name in {"XGEN_REGISTRY_PASSWORD", "AWS_SECRET_ACCESS_KEY", "GIT_PASSWORD"}
    ]
    line = json.dumps({"argv": words, "logins": logins, "secrets": bound})
    with (HOME / "calls.jsonl").open("a") as stream:
        stream.write(f"{line}\n")


def build(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="docker build")
    parser.add_argument("--pull", action="store_true")
    parser.add_argument("--platform", required=True)
    parser.add_argument("--label", action="append", default=[])
    parser.add_argument("--tag", action="append", required=True)
    parser.add_argument("context", type=Path)
    options = parser.parse_args(words)
    content = (options.context / "Dockerfile").read_text() + "".join(options.label)
    for tag in options.tag:
        save(stored(tag), content, options.platform)
    meanwhile = HOME / "meanwhile"
    if meanwhile.exists():
        subprocess.run([meanwhile], check=True)
    return 0


def push(words: list[str]) -> int:
    (reference,) = words
    failing = (HOME / "failing").read_text().split() if (HOME / "failing").exists() else []
    if any(word in reference for word in failing):
        print(f"denied: {reference}", file=sys.stderr)
        return 1
    host = reference.partition("/")[0]
    insecure = ["--insecure"] if host in os.environ["FAKE_DOCKER_INSECURE"].split() else []
    command = [os.environ["FAKE_DOCKER_CRANE"], *insecure, "push", str(stored(reference)), reference]
    return subprocess.run(command, check=False).returncode


def stored(reference: str) -> Path:
    return HOME / f"{hashlib.sha256(reference.encode()).hexdigest()}.tar"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
