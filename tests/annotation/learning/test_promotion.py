"""The gate: only what is surely better passes, and every answer says why."""

from typing import Any

import pytest

from annotation.learning.promotion import gate


def a_comparison(low: float = 0.01, high: float = 0.09, **more: Any) -> dict[str, Any]:
    score = {"candidate": 0.85, "champion": 0.80, "difference": 0.05, "low": low, "high": high}
    return {"balanced_accuracy": score, **more}


def a_difference(low: float, high: float) -> dict[str, float]:
    return {"candidate": 0.0, "champion": 0.0, "difference": (low + high) / 2, "low": low, "high": high}


def test_what_is_surely_better_is_promoted() -> None:
    verdict = gate(a_comparison())
    assert verdict.promoted
    assert verdict.reason == (
        "It is surely better: balanced accuracy 0.850 against 0.800, difference +0.050 (+0.010 to +0.090)."
    )


@pytest.mark.parametrize("low", [0.0, -0.02])
def test_an_interval_that_reaches_zero_is_not_sure(low: float) -> None:
    verdict = gate(a_comparison(low=low))
    assert not verdict.promoted
    assert "the interval includes 0" in verdict.reason


def test_a_class_that_is_surely_recognised_less_holds_it_back_by_name() -> None:
    recalls = {"recall:rare": a_difference(-0.3, -0.1), "recall:common": a_difference(0.1, 0.2)}
    verdict = gate(a_comparison() | recalls)
    assert not verdict.promoted
    assert "surely worse on rare," in verdict.reason


def test_probabilities_that_are_surely_further_off_hold_it_back() -> None:
    assert not gate(a_comparison(calibration_error=a_difference(0.06, 0.1))).promoted
    assert gate(a_comparison(calibration_error=a_difference(0.01, 0.1))).promoted


def test_an_audit_stream_that_cannot_say_is_quoted() -> None:
    verdict = gate({"reason": "3 audit cases have been read: an estimate needs 10"})
    assert not verdict.promoted
    assert verdict.reason == "It cannot be judged yet: 3 audit cases have been read: an estimate needs 10."
