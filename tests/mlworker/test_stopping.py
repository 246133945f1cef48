"""Forecasts are held against curves whose truth is known; κ and uncertainty against values by hand."""

from collections.abc import Mapping

import numpy as np
import pytest

from mlworker.evaluation.stopping import forecast, kappa, last_of_each, uncertainty


def a_curve(
    truth: tuple[float, float, float], labels: list[int], *, deviation: float, seed: int, memory: float = 0.0
) -> list[dict[str, float]]:
    """Noisy points of level − height · labels^−exponent; memory: share of an error that is passed on."""
    level, height, exponent = truth
    random = np.random.default_rng(seed)
    error, points = random.normal() * deviation, []
    for count in labels:
        error = memory * error + np.sqrt(1 - memory**2) * random.normal() * deviation
        value = float(np.clip(level - height * count**-exponent + error, 0.0, 1.0))
        half = 1.96 * deviation
        points.append({"labels": count, "value": value, "low": value - half, "high": value + half})
    return points


def a_truth(seed: int) -> tuple[float, float, float]:
    random = np.random.default_rng(seed)
    exponent = random.uniform(0.2, 1.2)
    return random.uniform(0.7, 0.98), random.uniform(0.1, 0.5) * 10**exponent, exponent


def covered(seed: int, memory: float) -> bool:
    random = np.random.default_rng(10_000 + seed)
    truth = level, height, exponent = a_truth(seed)
    assert level < 1
    labels = [10 + 10 * place for place in range(int(random.integers(5, 25)))]
    found = forecast(a_curve(truth, labels, deviation=random.uniform(0.005, 0.05), seed=seed, memory=memory))
    assert found is not None
    gain = height * (labels[-1] ** -exponent - (labels[-1] + 100) ** -exponent)
    return bool(found.low <= gain <= found.high)


@pytest.mark.parametrize(("memory", "least"), [(0.0, 0.88), (0.8, 0.78)])
def test_the_interval_holds_the_true_gain_of_power_laws(memory: float, least: float) -> None:
    assert np.mean([covered(seed, memory) for seed in range(120)]) >= least


def test_a_well_known_curve_is_foreseen_closely() -> None:
    truth = (0.9, 1.5, 0.6)
    found = forecast(a_curve(truth, list(range(20, 420, 20)), deviation=0.003, seed=1))
    assert found is not None
    assert found.gain == pytest.approx(1.5 * (400**-0.6 - 500**-0.6), abs=0.003)
    assert found.high - found.low < 0.015


def test_a_flat_curve_promises_next_to_nothing() -> None:
    found = forecast(a_curve((0.8, 0.0, 1.0), list(range(50, 550, 50)), deviation=0.005, seed=2))
    assert found is not None
    assert abs(found.gain) < 0.01
    assert -0.03 < found.low < 0.0 < found.high < 0.03


def test_a_curve_that_falls_promises_no_gain() -> None:
    points = [{"labels": 20 * k, "value": 0.9 - 0.02 * k, "low": 0.8, "high": 1.0} for k in range(1, 9)]
    found = forecast(points)
    assert found is not None
    assert 0.0 <= found.gain < 0.05


def test_models_that_scatter_are_foreseen_to_scatter() -> None:
    random = np.random.default_rng(3)
    points = [
        {"labels": 20.0 * k, "value": 0.8 + random.normal(0.0, 0.03), "low": 0.7, "high": 0.9}
        for k in range(1, 21)
    ]
    found = forecast(points)
    assert found is not None
    assert 0.1 < found.high - found.low < 0.3


def test_few_points_or_little_growth_are_too_early() -> None:
    truth = (0.9, 1.0, 0.5)
    assert forecast([]) is None
    assert forecast(a_curve(truth, [10, 20, 40, 80], deviation=0.01, seed=0)) is None
    assert forecast(a_curve(truth, [100, 110, 120, 130, 140, 150], deviation=0.01, seed=0)) is None


def test_the_same_curve_is_foreseen_alike_each_time() -> None:
    curve = a_curve((0.9, 1.0, 0.5), list(range(10, 110, 10)), deviation=0.02, seed=0)
    assert forecast(curve) == forecast(curve)


def test_models_of_the_same_labels_count_once() -> None:
    points: list[Mapping[str, float]] = [{"labels": 20, "value": 1}, {"labels": 10, "value": 2}]
    assert [point["value"] for point in last_of_each([*points, {"labels": 20, "value": 3}])] == [2, 3]


def test_kappa_is_agreement_beyond_chance() -> None:
    before, after = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    assert kappa(before[:, None], after[:, None], 2) == pytest.approx(0.5)
    assert kappa(before[:, None], before[:, None], 3) == 1.0
    assert kappa(np.zeros((4, 1), dtype=int), np.zeros((4, 1), dtype=int), 2) == 1.0
    assert kappa(before[:, None], 1 - before[:, None], 2) == pytest.approx(-1.0)


def test_uncertainty_is_a_share_of_the_largest() -> None:
    assert uncertainty(np.full((3, 1, 4), 0.25)) == pytest.approx(1.0)
    assert uncertainty(np.array([[[1.0, 0.0]], [[0.5, 0.5]]])) == pytest.approx(0.5)
