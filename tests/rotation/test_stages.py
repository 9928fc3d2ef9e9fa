"""The stages of a rotation: what the file says after each, and what pods carry when it is killed anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from xgen_infra.rotation import Rotation, RotationError

from .customer import ROOT, Customer, Interrupted

ENDED: tuple[int, tuple[int, ...], tuple[int, ...], int] = (2, (), (), 2)


def test_a_rotation_ends_with_one_new_key_in_file_stack_and_pods(tmp_path: Path) -> None:
    customer = Customer(tmp_path)
    customer.rotate()
    assert customer.file == ENDED
    assert customer.keys == {2: True}
    assert {(pod.key, pod.generation) for pod in customer.pods} == {(2, 2)}


def test_only_the_lines_of_the_rotation_change_in_the_file(tmp_path: Path) -> None:
    customer = Customer(tmp_path)
    before = (tmp_path / "Pulumi.aww.yaml").read_text().splitlines()
    customer.rotate()
    after = (tmp_path / "Pulumi.aww.yaml").read_text().splitlines()
    assert [line for line in before if line not in after] == []
    added = [line.strip() for line in after if line not in before]
    assert added == ["accessKeyGeneration: 2", "generations:", "secrets: 2"]


def test_killed_anywhere_every_pod_has_a_working_key_and_the_next_run_ends_it(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    counted = Customer(whole)
    counted.rotate()
    assert counted.ticks > 15
    for kill_at in range(1, counted.ticks + 1):
        folder = tmp_path / str(kill_at)
        folder.mkdir()
        customer = Customer(folder, kill_at=kill_at)
        with pytest.raises(Interrupted):
            customer.rotate()
        if customer.file == ENDED and customer.keys == {2: True}:
            continue
        customer.rotate()
        assert (customer.file, customer.keys) == (ENDED, {2: True}), kill_at


def test_killed_at_every_change_of_one_rotation_it_still_ends(tmp_path: Path) -> None:
    customer = Customer(tmp_path)
    for step in range(1, 300):
        customer.ticks, customer.kill_at = 0, step
        try:
            customer.rotate()
        except Interrupted:
            if customer.file == ENDED and customer.keys == {2: True}:
                break
            continue
        break
    assert customer.file == ENDED
    assert customer.keys == {2: True}


def test_asked_to_keep_the_old_key_it_ends_inactive_and_the_next_run_deletes_it(tmp_path: Path) -> None:
    customer = Customer(tmp_path)
    customer.rotate(delete=False)
    assert (customer.file, customer.keys) == ((2, (), (1,), 2), {1: False, 2: True})
    customer.rotate()
    assert (customer.file, customer.keys) == (ENDED, {2: True})


def test_a_second_rotation_follows_the_first(tmp_path: Path) -> None:
    customer = Customer(tmp_path)
    customer.rotate()
    customer.rotate()
    assert customer.file == (3, (), (), 3)
    assert customer.keys == {3: True}


def test_a_number_raised_by_hand_is_refused_before_anything_changes(tmp_path: Path) -> None:
    customer = Customer(tmp_path, keys={5: True}, secret=5)
    before = (tmp_path / "Pulumi.aww.yaml").read_text()
    with pytest.raises(RotationError, match="accessKeyGeneration is 1, but the stack has keys 5"):
        customer.rotate()
    assert (tmp_path / "Pulumi.aww.yaml").read_text() == before
    assert customer.ticks == 0


def test_a_stack_that_was_never_up_is_refused(tmp_path: Path) -> None:
    customer = Customer(tmp_path, keys={})
    with pytest.raises(RotationError, match="the stack has no key"):
        customer.rotate()


def test_a_site_that_is_not_on_eks_is_refused(tmp_path: Path) -> None:
    customer = Customer(tmp_path)
    (tmp_path / "Pulumi.lotteimall.yaml").write_bytes((ROOT / "Pulumi.lotteimall.yaml").read_bytes())
    with pytest.raises(RotationError, match="not on EKS"):
        Rotation(tmp_path, "lotteimall", customer, customer).run()
    assert customer.ticks == 0
