"""The user's own plugins in place of the stand-ins."""

from __future__ import annotations

from pathlib import Path

import pytest

from xgen_infra.rehearsal.real import MissingPluginError, link


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "users"
    monkeypatch.setenv("PULUMI_HOME", str(home))
    monkeypatch.setenv("PATH", str(tmp_path))
    return home


def test_a_plugin_in_the_users_home_is_found_by_the_rehearsals_engine(users: Path, tmp_path: Path) -> None:
    plugin = users / "plugins" / "resource-kubernetes-v4.34.2" / "pulumi-resource-kubernetes"
    plugin.parent.mkdir(parents=True)
    plugin.touch()
    home = tmp_path / "home"
    home.mkdir()
    link(["kubernetes"], home)
    assert (home / "plugins" / plugin.parent.name / plugin.name).exists()


def test_a_plugin_that_is_not_installed_is_named_with_the_command_that_installs_it(
    users: Path, tmp_path: Path
) -> None:
    with pytest.raises(MissingPluginError, match="pulumi plugin install resource eks v"):
        link(["eks"], tmp_path)
    assert not users.exists()


def test_aws_itself_cannot_be_real(tmp_path: Path) -> None:
    with pytest.raises(MissingPluginError, match="expected one of kubernetes, eks, python"):
        link(["aws"], tmp_path)


def test_without_real_plugins_nothing_of_the_users_is_linked(users: Path, tmp_path: Path) -> None:
    (users / "plugins").mkdir(parents=True)
    link([], tmp_path)
    assert not (tmp_path / "plugins").exists()
