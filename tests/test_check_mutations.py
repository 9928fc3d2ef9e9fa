"""Good files with a few random strokes of the pen: never a crash, never a place outside the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from checking import SAMPLES, sample
from hypothesis import given, settings
from hypothesis import strategies as st

from xgen_infra.findings import Finding, Refused, errors
from xgen_infra.folder import vendor_in
from xgen_infra.rules.across import across
from xgen_infra.stackfile import StackFile
from xgen_infra.validate import examine_file
from xgen_infra.yamlfile import Document

VENDOR = vendor_in(SAMPLES)
TEXTS = {stack: sample(stack) for stack in ("cloud", "onprem", "shared")}
JUNK = st.text(alphabet="{}[]:,-?&*!|>'\"%@ \n\t#~${}/.0123456789abzAZ가é", max_size=4)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, str]:
    """Return a stack and its text after up to three strokes."""
    stack = draw(st.sampled_from(sorted(TEXTS)))
    text = TEXTS[stack]
    for _ in range(draw(st.integers(1, 3))):
        lines = text.splitlines(keepends=True)
        at = draw(st.integers(0, max(len(lines) - 1, 0)))
        column = draw(st.integers(0, 60))
        line = lines[at] if lines else ""
        match draw(st.sampled_from(("insert", "delete", "repeat", "cut", "swap"))):
            case "insert":
                lines[at : at + 1] = [line[:column] + draw(JUNK) + line[column:]]
            case "delete":
                del lines[at : at + 1]
            case "repeat":
                lines.insert(at, line)
            case "cut":
                lines[at : at + 1] = [line[:column] + line[column + 1 :]]
            case _:
                other = draw(st.integers(0, max(len(lines) - 1, 0)))
                if lines:
                    lines[at], lines[other] = lines[other], lines[at]
        text = "".join(lines)
    return stack, text


def checked(stack: str, text: str, *, quick: bool) -> list[Finding]:
    reader = Document.read_quickly if quick else Document.read
    try:
        file = StackFile(Path(f"Pulumi.{stack}.yaml"), stack, reader(text, f"Pulumi.{stack}.yaml"))
        site, found = examine_file(file, VENDOR)
    except Refused as refused:
        return list(refused.findings)
    return [*found, *across([(file, site)])] if site else found


@settings(max_examples=400, deadline=None)
@given(mutated())
def test_a_mutated_file_ends_in_findings_within_it_or_in_none(mutation: tuple[str, str]) -> None:
    stack, text = mutation
    last = text.count("\n") + 2
    for one in checked(stack, text, quick=False):
        assert 1 <= one.line <= last
        assert one.column >= 1
        assert one.found
        assert "\n" not in one.text


@settings(max_examples=300, deadline=None)
@given(mutated())
def test_what_the_quick_reading_accepts_the_exact_one_accepts(mutation: tuple[str, str]) -> None:
    stack, text = mutation
    if not checked(stack, text, quick=True):
        assert checked(stack, text, quick=False) == []


@pytest.mark.parametrize("stack", TEXTS)
def test_a_file_cut_off_after_any_line_is_refused_or_whole(stack: str) -> None:
    lines = TEXTS[stack].splitlines(keepends=True)
    needed = next(n for n, line in enumerate(lines) if "xgen-infra:qdrantApiKey" in line)
    for count in range(needed):
        assert errors(checked(stack, "".join(lines[:count]), quick=False))
