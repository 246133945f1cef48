"""Agreement as the field's own libraries compute it, and what is said where there is nothing to compute."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import cohen_kappa_score

from annotation.readings.agreement.choices import (
    ONE_CHOICE,
    UNEVEN,
    Weights,
    alpha,
    cohen,
    fleiss,
    share_agreeing,
)
from annotation.readings.agreement.measured import NOBODY, REPLICATES, Measured, mean_of_cases
from annotation.readings.agreement.numbers import (
    NO_SPREAD,
    TOO_FEW,
    alpha_of_numbers,
    intraclass,
    limits_of_agreement,
)
from tests import peers

asked = partial(peers.asked, "tests.annotation.readings.oracles")
WEIGHTS: tuple[Weights, ...] = ("none", "linear", "quadratic")
# Shrout and Fleiss (1979), table 2: six targets, four judges.
SHROUT = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float
)


def codes_of(
    seed: int, *, cases: int = 200, readers: int = 4, classes: int = 5, skill: float = 0.6
) -> np.ndarray:
    """Codes of readers who are right with a chance, and else guess."""
    random = np.random.default_rng(seed)
    truth = random.integers(classes, size=(cases, 1))
    guesses = random.integers(classes, size=(cases, readers))
    return np.where(random.random((cases, readers)) < skill, truth, guesses)


def value_of(found: Measured) -> float:
    assert found.value is not None
    return found.value


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("weights", WEIGHTS)
def test_cohens_kappa_is_scikit_learns(seed: int, weights: Weights) -> None:
    one, other = codes_of(seed, cases=30 + 100 * seed, readers=2).T
    theirs = cohen_kappa_score(one, other, weights=None if weights == "none" else weights, labels=range(5))
    assert value_of(cohen(one, other, weights=weights)) == pytest.approx(theirs, abs=1e-9)


@pytest.mark.peers
@pytest.mark.parametrize("seed", range(3))
def test_kappas_are_those_of_statsmodels(seed: int, tmp_path: Path) -> None:
    codes = codes_of(seed)
    theirs = asked("kappas", tmp_path, {"codes": codes, "classes": 5})
    for weights in WEIGHTS:
        ours = cohen(codes[:, 0], codes[:, 1], weights=weights)
        assert value_of(ours) == pytest.approx(float(theirs[weights]), abs=1e-9)
    assert value_of(fleiss(codes)) == pytest.approx(float(theirs["fleiss"]), abs=1e-9)


@pytest.mark.peers
@pytest.mark.parametrize("missing", [0.0, 0.2, 0.6])
def test_alpha_is_that_of_krippendorff_with_readings_missing(missing: float, tmp_path: Path) -> None:
    codes = codes_of(7, readers=5)
    codes[np.random.default_rng(1).random(codes.shape) < missing] = -1
    numbers = np.where(codes < 0, np.nan, codes)
    theirs = asked("alphas", tmp_path, {"values": numbers})
    for level in ("nominal", "ordinal", "interval"):
        assert value_of(alpha(codes, level=level)) == pytest.approx(float(theirs[level]), abs=1e-9)
    assert value_of(alpha_of_numbers(numbers)) == pytest.approx(float(theirs["interval"]), abs=1e-9)


@pytest.mark.peers
def test_alpha_of_numbers_is_that_of_krippendorff(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    values = 40 + random.normal(size=(60, 1)) * 8 + random.normal(size=(60, 4))
    values[random.random(values.shape) < 0.3] = np.nan
    theirs = asked("alphas", tmp_path, {"values": values})
    assert value_of(alpha_of_numbers(values)) == pytest.approx(float(theirs["interval"]), abs=1e-9)


@pytest.mark.parametrize("missing", range(4))
def test_a_reader_who_read_nothing_changes_no_alpha(missing: int) -> None:
    codes = codes_of(2)
    with_absent = np.insert(codes, missing, -1, axis=1)
    assert alpha(with_absent) == alpha(codes)


def test_intraclass_correlations_are_those_of_shrout_and_fleiss() -> None:
    found = {form: round(value_of(intraclass(SHROUT, form)), 2) for form in ("1,1", "2,1", "3,1")}
    assert found == {"1,1": 0.17, "2,1": 0.29, "3,1": 0.71}
    averaged = {form: round(value_of(intraclass(SHROUT, form)), 2) for form in ("1,k", "2,k", "3,k")}
    assert averaged == {"1,k": 0.44, "2,k": 0.62, "3,k": 0.91}


@pytest.mark.peers
@pytest.mark.parametrize("seed", range(3))
def test_intraclass_correlation_rests_on_the_variances_of_statsmodels(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    cases, readers = 25, 3
    values = 100 + 5 * random.normal(size=(cases, 1)) + random.normal(size=(cases, readers)) + [0, 1, 2]
    rows, across, rest = asked("variances", tmp_path, {"values": values})["mean_squares"]
    single = (rows - rest) / (rows + (readers - 1) * rest + readers * (across - rest) / cases)
    averaged = (rows - rest) / (rows + (across - rest) / cases)
    assert value_of(intraclass(values, "2,1")) == pytest.approx(single, abs=1e-9)
    assert value_of(intraclass(values, "2,k")) == pytest.approx(averaged, abs=1e-9)
    assert value_of(intraclass(values, "3,1")) == pytest.approx((rows - rest) / (rows + 2 * rest), abs=1e-9)


@pytest.mark.peers
def test_bland_altman_limits_rest_on_the_differences_of_statsmodels(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    one = 30 + 10 * random.normal(size=50)
    other = one + random.normal(size=50) - 0.4
    found = limits_of_agreement(one, other)
    theirs = asked("differences", tmp_path, {"one": one, "other": other})
    mean, spread = float(theirs["mean"]), float(theirs["std"])
    assert value_of(found.bias) == pytest.approx(mean, abs=1e-9)
    assert value_of(found.lower) == pytest.approx(mean - 1.959964 * spread, abs=1e-9)
    assert value_of(found.upper) == pytest.approx(mean + 1.959964 * spread, abs=1e-9)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_readers_who_all_agree_have_a_kappa_of_one(weights: Weights) -> None:
    one = np.array([0, 1, 2, 1, 0])
    codes = np.stack([one, one, one], axis=1)
    assert value_of(cohen(one, one, weights=weights)) == 1.0
    assert value_of(fleiss(codes)) == pytest.approx(1.0, abs=1e-12)
    assert value_of(alpha(codes, level="ordinal")) == 1.0


@pytest.mark.parametrize("weights", WEIGHTS)
def test_one_choice_throughout_defines_no_kappa_and_says_why(weights: Weights) -> None:
    same = np.zeros(6, dtype=int)
    codes = np.stack([same, same], axis=1)
    for found in (
        cohen(same, same, weights=weights),
        fleiss(codes),
        alpha(codes),
        alpha(codes, level="ordinal"),
    ):
        assert (found.value, found.low, found.high, found.cases, found.why) == (
            None,
            None,
            None,
            6,
            ONE_CHOICE,
        )
    with pytest.warns(UndefinedMetricWarning):
        assert np.isnan(cohen_kappa_score(same, same, labels=[0, 1]))


def test_a_reader_missing_leaves_nothing_to_compare() -> None:
    one, nobody = np.array([0, 1, 1]), np.array([-1, -1, -1])
    codes = np.stack([one, nobody], axis=1)
    for found in (cohen(one, nobody), share_agreeing(one, nobody), fleiss(codes), alpha(codes)):
        assert (found.value, found.cases, found.why) == (None, 0, NOBODY)
    numbers = np.where(codes < 0, np.nan, codes)
    assert alpha_of_numbers(numbers).why == NOBODY
    assert intraclass(numbers).why == TOO_FEW
    assert limits_of_agreement(numbers[:, 0], numbers[:, 1]).bias.why == NOBODY


def test_fleiss_wants_as_many_readings_of_each_case() -> None:
    codes = np.array([[0, 1, 1], [0, 0, -1], [1, 1, 1]])
    assert fleiss(codes).why == UNEVEN
    assert value_of(alpha(codes)) > 0


def test_numbers_that_are_all_the_same_define_no_correlation() -> None:
    same = np.full((5, 3), 7.3)
    assert (intraclass(same).value, intraclass(same).why) == (None, NO_SPREAD)
    assert (alpha_of_numbers(same).value, alpha_of_numbers(same).why) == (None, NO_SPREAD)
    assert limits_of_agreement(same[:, 0], same[:, 1]).upper.value == 0.0


def test_two_readers_who_measure_alike_correlate_fully() -> None:
    same = np.repeat(np.arange(6.0)[:, None], 2, axis=1)
    assert value_of(intraclass(same, "2,1")) == pytest.approx(1.0, abs=1e-12)
    assert value_of(alpha_of_numbers(same)) == pytest.approx(1.0, abs=1e-12)


def test_one_case_has_a_share_and_no_interval() -> None:
    found = share_agreeing(np.array([1]), np.array([1]))
    assert (found.value, found.low, found.high, found.cases) == (1.0, None, None, 1)
    assert limits_of_agreement(np.array([1.0]), np.array([2.0])).upper.why == TOO_FEW


def test_intervals_are_seeded_and_hold_the_value() -> None:
    codes = codes_of(0)
    found = cohen(codes[:, 0], codes[:, 1])
    assert found == cohen(codes[:, 0], codes[:, 1])
    assert found.low is not None
    assert found.high is not None
    assert found.low < value_of(found) < found.high


@pytest.mark.parametrize("cases", [80, 1000])
def test_the_interval_of_a_mean_is_that_of_a_plain_bootstrap(cases: int) -> None:
    values = np.random.default_rng(5).normal(size=cases)
    random = np.random.default_rng(6)
    plain = [random.choice(values, size=cases).mean() for _ in range(REPLICATES)]
    found = mean_of_cases(values)
    assert value_of(found) == pytest.approx(values.mean(), abs=1e-12)
    assert [found.low, found.high] == pytest.approx(np.percentile(plain, [2.5, 97.5]), abs=0.05)


def test_limits_of_many_cases_have_the_interval_of_a_plain_bootstrap() -> None:
    random = np.random.default_rng(8)
    apart = random.normal(scale=2.0, size=600)
    found = limits_of_agreement(apart, np.zeros(600)).upper
    samples = [random.choice(apart, size=600) for _ in range(REPLICATES)]
    plain = [one.mean() + 1.959964 * one.std(ddof=1) for one in samples]
    assert [found.low, found.high] == pytest.approx(np.percentile(plain, [2.5, 97.5]), abs=0.05)


def test_kappas_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Readers of skill 0.8 over two classes: kappa 0.64."""
    found = [codes_of(seed, readers=2, classes=2, skill=0.8) for seed in range(100)]
    intervals = [cohen(one[:, 0], one[:, 1]) for one in found]
    assert sum((one.low or 0) <= 0.64 <= (one.high or 0) for one in intervals) >= 88
