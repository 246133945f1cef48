"""Metrics by hand and against an oracle, intervals over patients, honesty where there is little."""

import json
import tracemalloc

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, roc_auc_score

from mlworker.comparison import by_group, compared
from mlworker.evaluation import intervals, metrics
from mlworker.evaluation.calibration import cooled, cross_fitted, temperature
from mlworker.evaluation.intervals import judged, proportion
from mlworker.targets import MULTI, SINGLE, Target

ONE_OF_THREE = Target(SINGLE, ("a", "b", "c"))

ONE = np.ones((1, 4))
RIGHT = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
TRUTH = np.array([0, 0, 1, 1])


def predictions(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, count)
    raised = np.exp(random.normal(size=(count, 3)) + 1.5 * np.eye(3)[labels])
    return raised / raised.sum(axis=1, keepdims=True), labels


def of_one(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A question with one decision."""
    return probabilities[:, None], labels[:, None]


def test_balanced_accuracy_is_the_mean_recall() -> None:
    assert metrics.class_recalls(RIGHT, TRUTH, ONE).tolist() == [[1.0, 0.5]]
    assert metrics.balanced_accuracy(RIGHT, TRUTH, ONE).tolist() == [0.75]


def test_calibration_error_is_the_weighted_gap_between_confidence_and_accuracy() -> None:
    # bins of confidence: .6 (wrong), .7 (right), .8 (right), .9 (right)
    assert metrics.calibration_error(RIGHT, TRUTH, ONE)[0] == pytest.approx((0.6 + 0.3 + 0.2 + 0.1) / 4)


def test_area_counts_ties_as_half() -> None:
    even = np.full((4, 2), 0.5)
    assert metrics.macro_auc(even, TRUTH, ONE)[0] == pytest.approx(0.5)


def test_metrics_agree_with_scikit_learn() -> None:
    probabilities, labels = predictions(200)
    ones = np.ones((1, 200))
    chosen = probabilities.argmax(axis=1)
    assert metrics.balanced_accuracy(probabilities, labels, ones)[0] == pytest.approx(
        balanced_accuracy_score(labels, chosen)
    )
    assert metrics.macro_auc(probabilities, labels, ones)[0] == pytest.approx(
        roc_auc_score(labels, probabilities, multi_class="ovr")
    )


def test_agreement_of_grades_is_scikit_learn_s_quadratic_kappa() -> None:
    probabilities, labels = predictions(200)
    expected = cohen_kappa_score(labels, probabilities.argmax(axis=1), weights="quadratic")
    assert metrics.quadratic_kappa(probabilities, labels, np.ones((1, 200)))[0] == pytest.approx(expected)


def test_a_replicate_with_a_weight_of_two_is_the_case_twice() -> None:
    probabilities, labels = predictions(30)
    weights = np.ones((1, 30))
    weights[0, 5] = 2.0
    twice = np.r_[np.arange(30), 5]
    for metric in (
        metrics.macro_auc,
        metrics.balanced_accuracy,
        metrics.calibration_error,
        metrics.quadratic_kappa,
    ):
        expected = metric(probabilities[twice], labels[twice], np.ones((1, 31)))
        np.testing.assert_allclose(metric(probabilities, labels, weights), expected)


def test_an_interval_holds_its_value_and_narrows_with_more_patients() -> None:
    few, many = (
        judged(*of_one(*predictions(count)), np.arange(count), target=ONE_OF_THREE).estimates[
            "balanced_accuracy"
        ]
        for count in (40, 640)
    )
    assert few.low <= few.value <= few.high
    assert many.high - many.low < 0.5 * (few.high - few.low)


def test_cases_of_one_patient_do_not_count_as_independent() -> None:
    probabilities, labels = predictions(60)
    tenfold = np.repeat(np.arange(60), 10)
    alone = judged(*of_one(probabilities, labels), np.arange(60), target=ONE_OF_THREE)
    grouped = judged(*of_one(probabilities[tenfold], labels[tenfold]), tenfold, target=ONE_OF_THREE)
    first, second = alone.estimates["macro_auc"], grouped.estimates["macro_auc"]
    assert second.high - second.low == pytest.approx(first.high - first.low, rel=0.2)


@pytest.mark.parametrize(
    ("labels", "patients", "word"),
    [
        ([0, 1], [0, 1], "needs 10"),
        ([0] * 20, range(20), "all have one answer"),
        ([0, 1] * 10, [0, 1] * 10, "2 patients"),
    ],
)
def test_too_little_is_said_instead_of_an_estimate(labels: list[int], patients: list[int], word: str) -> None:
    truth = np.array(labels)
    verdict = judged(
        *of_one(np.eye(2)[truth], truth), np.array(list(patients)), target=Target(SINGLE, ("a", "b"))
    )
    assert verdict.estimates == {}
    assert word in verdict.reason


def test_temperature_cools_what_is_overconfident() -> None:
    probabilities, labels = predictions(400)
    sharp = cooled(probabilities, 0.3)
    found = temperature(sharp, labels)
    assert found > 2.0
    ones = np.ones((1, 400))
    assert (
        metrics.calibration_error(cooled(sharp, found), labels, ones)
        < 0.5 * metrics.calibration_error(sharp, labels, ones)
    ).all()


def test_temperature_stays_one_with_few_labels() -> None:
    probabilities, labels = predictions(20)
    assert temperature(probabilities, labels) == 1.0


def test_a_patient_is_never_judged_at_a_temperature_fitted_on_that_patient() -> None:
    probabilities, labels = predictions(100)
    patients = np.repeat(np.arange(50), 2)
    before = cross_fitted(*of_one(probabilities, labels), patients, seed=0)
    labels[:2] = (labels[:2] + 1) % 3
    after = cross_fitted(*of_one(probabilities, labels), patients, seed=0)
    np.testing.assert_array_equal(before[:2], after[:2])


def test_the_worst_class_is_the_one_recognised_least() -> None:
    worst = metrics.least([metrics.recall_of(number) for number in range(RIGHT.shape[1])])
    assert worst(RIGHT, TRUTH, ONE).tolist() == [0.5]
    assert worst(RIGHT, TRUTH, np.array([[1.0, 1.0, 0.0, 0.0]])).tolist() == [1.0]


def test_no_worst_class_is_told_of_replicates_that_know_none() -> None:
    worst = metrics.least([metrics.of_decision(metrics.recall_of(1), number) for number in range(2)])
    nobody_has_any = np.zeros((len(RIGHT), 2), dtype=np.intp)
    said = np.full((len(RIGHT), 2, 2), 0.5)
    assert np.isnan(worst(said, nobody_has_any, ONE)).all()


def test_a_rare_finding_leaves_every_figure_a_number() -> None:
    labels = np.zeros((20, 2), dtype=np.intp)
    labels[0] = 1
    said = np.stack([1.0 - 0.8 * labels, 0.8 * labels], axis=-1)
    verdict = judged(said, labels, np.arange(20), target=Target(MULTI, ("a", "b")))
    assert "worst_class_recall" in verdict.estimates
    json.dumps({name: one.as_row() for name, one in verdict.estimates.items()}, allow_nan=False)


def test_prevalence_has_wilson_s_interval_over_patients() -> None:
    # Wilson 1927 at 4 of 10: 0.168 to 0.687
    members = np.array([True] * 4 + [False] * 6)
    found = proportion(members, np.arange(10))
    assert found.value == 0.4
    assert [found.low, found.high] == pytest.approx([0.168, 0.687], abs=1e-3)
    tenfold = proportion(np.repeat(members, 10), np.repeat(np.arange(10), 10))
    assert [tenfold.low, tenfold.high] == pytest.approx([found.low, found.high])


def test_a_class_that_nobody_has_may_still_be_there() -> None:
    found = proportion(np.zeros(30, dtype=bool), np.arange(30))
    assert (found.value, found.low) == (0.0, 0.0)
    assert 0.05 < found.high < 0.2


def test_of_two_cases_of_a_class_that_are_missed_nobody_says_that_all_are() -> None:
    labels = np.array([0, 0] + [1] * 10)
    verdict = judged(*of_one(np.eye(3)[np.ones(12, dtype=int)], labels), np.arange(12), target=ONE_OF_THREE)
    missed, found = (verdict.estimates[f"recall:{name}"] for name in ONE_OF_THREE.choices[:2])
    assert (missed.value, missed.low, found.value, found.high) == (0.0, 0.0, 1.0, 1.0)
    # Wilson 1927 at 0 of 2 and at 10 of 10
    assert [missed.high, found.low] == pytest.approx([0.658, 0.722], abs=1e-3)
    assert f"recall:{ONE_OF_THREE.choices[2]}" not in verdict.estimates


def test_an_error_of_nought_lies_in_its_interval_though_every_resample_has_more() -> None:
    sure = np.repeat([0.6, 0.7, 0.8, 0.9], 10)
    right = np.concatenate([np.arange(10) < 10 * one for one in (0.6, 0.7, 0.8, 0.9)])
    probabilities = np.stack([sure, 1.0 - sure], axis=1)
    target = Target(SINGLE, ("a", "b"))
    verdict = judged(*of_one(probabilities, (~right).astype(np.intp)), np.arange(40), target=target)
    error = verdict.estimates["calibration_error"]
    assert error.value == pytest.approx(0.0, abs=1e-9)
    assert error.low == error.value < error.high


def test_sites_with_enough_cases_are_judged_on_their_own() -> None:
    probabilities, labels = predictions(100)
    sites = np.array([0] * 60 + [1] * 36 + [2] * 4)
    found = judged(*of_one(probabilities, labels), np.arange(100), target=ONE_OF_THREE, sites=sites)
    alone = judged(*of_one(probabilities[:60], labels[:60]), np.arange(60), target=ONE_OF_THREE)
    assert found.estimates["site:0"] == alone.estimates["balanced_accuracy"]
    assert "site:1" in found.estimates
    assert "site:2" not in found.estimates
    assert found.estimates["prevalence:a"].value == pytest.approx(float((labels == 0).mean()))


def test_a_class_that_was_not_seen_has_no_recall() -> None:
    probabilities, labels = predictions(40)
    labels = np.minimum(labels, 1)
    verdict = judged(*of_one(probabilities, labels), np.arange(40), target=ONE_OF_THREE)
    assert "recall:b" in verdict.estimates
    assert "recall:c" not in verdict.estimates


def test_replicates_are_the_same_however_they_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    said, labels = of_one(*predictions(60))
    other, _ = of_one(*predictions(60, seed=1))
    patients = np.arange(60) // 2
    groups = [{"scanner": "one"}] * 60

    def measured() -> object:
        differences = compared(said, other, labels, patients, target=ONE_OF_THREE)
        return differences, by_group(said, labels, patients, groups)

    at_once = measured()
    monkeypatch.setattr(intervals, "AT_A_TIME", 60 * 7)
    assert max(len(weights) for weights in intervals.resampled(patients, 0, replicates=50)) == 7
    assert measured() == at_once


def test_models_are_compared_on_many_cases_in_bounded_memory() -> None:
    count = 20_000
    labels = np.arange(count)[:, None] % 2
    said = np.full((count, 1, 2), 0.5)
    tracemalloc.start()
    compared(said, said, labels, np.arange(count), target=Target(SINGLE, ("a", "b")))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200 * 1024 * 1024
