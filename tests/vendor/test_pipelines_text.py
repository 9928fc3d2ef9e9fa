"""What stands in the pipelines is the same for every customer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .folder import ROOT, xgen_json

FILES = sorted(path for path in (ROOT / "ci" / "jenkins").iterdir() if path.is_file())


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_no_site_registry_or_credential_stands_in_a_pipeline(file: Path) -> None:
    text = file.read_text()
    for target in xgen_json(ROOT, "sites")["sites"]:
        registry = target["registry"]
        words = {target["site"], registry["host"], registry["credentialId"]} - {"main"}
        assert not [word for word in words if re.search(rf"\b{re.escape(word)}\b", text)]
        assert f"'{target['site']}'" not in text.replace("env.XGEN_BRANCH ?: 'main'", "")


@pytest.mark.parametrize("file", [path for path in FILES if path.name != "xgen"], ids=lambda path: path.name)
def test_no_value_of_a_build_is_written_into_a_shell_script(file: Path) -> None:
    for script in re.findall(r'script: *("(?:[^"\\]|\\.)*")', file.read_text()):
        assert "${" not in script, "Groovy would paste the value into the script: give it by withEnv"
