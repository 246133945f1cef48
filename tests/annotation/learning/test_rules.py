"""Decisions of the learning room, by hand."""

from typing import cast

import pytest

from annotation.learning.rules import (
    PolicySettings,
    checked_policy,
    pretraining_is_due,
    ready_to_choose,
    ready_to_fit,
)
from annotation.projects.rules import RefusedError


@pytest.mark.parametrize(
    ("counts", "ready"),
    [
        ({"a": 2, "b": 2}, True),
        ({"a": 9, "b": 1}, False),
        ({"a": 19, "b": 1}, False),
        ({"a": 15, "b": 15, "c": 0}, True),
        ({"a": 29, "b": 1, "c": 0}, False),
        ({"a": 2, "b": 2, "c": 1}, False),
        ({"a": 0, "b": 0}, False),
    ],
)
def test_a_head_chooses_from_two_labels_of_every_class_or_ten_a_class_in_all(
    counts: dict[str, int], ready: bool
) -> None:
    assert ready_to_choose([list(counts.values())], choices=len(counts)) is ready


@pytest.mark.parametrize(
    ("counts", "ready"),
    [({"a": 1, "b": 1, "c": 0}, True), ({"a": 9, "b": 0}, False), ({"a": 0, "b": 0}, False)],
)
def test_a_head_is_fitted_once_two_classes_are_known(counts: dict[str, int], ready: bool) -> None:
    assert ready_to_fit([list(counts.values())]) is ready


@pytest.mark.parametrize(
    ("pool_size", "has_weights_file", "runs", "due"),
    [(200, False, 0, True), (199, False, 0, False), (500, True, 0, False), (500, False, 1, False)],
)
def test_pretraining_is_due_once_on_a_pool_worth_it(
    pool_size: int, has_weights_file: bool, runs: int, due: bool
) -> None:
    assert pretraining_is_due(pool_size=pool_size, has_weights_file=has_weights_file, runs=runs) is due


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"strategy": "oracle"}, "strategy"),
        ({"refit_every": 0}, "refit_every is 0: give 1 to 1000 readings"),
        ({"batch_size": 501}, "batch_size is 501: give 1 to 500 cases"),
        ({"cost_power": 0.0}, "cost_power is 0.0: give 0.1 to 4"),
        ({"audit_share": 0.6}, "audit_share"),
        ({"audit_share": float("nan")}, "audit_share"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_with_the_field_s_name(
    change: dict[str, object], word: str
) -> None:
    policy: PolicySettings = {"strategy": "random", "refit_every": 10, "audit_share": 0.1}
    with pytest.raises(RefusedError, match=word):
        checked_policy(cast("PolicySettings", policy | change), known=["random"])


def test_a_policy_may_leave_time_out_and_name_only_what_changes() -> None:
    checked_policy({"cost_power": None, "batch_size": 500}, known=["random"])
