"""One form of labels and predictions for every kind of question; what the loop makes of several findings."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score

from annotation.learning.models import Policy
from annotation.learning.promotion import gate
from annotation.learning.rules import ready_to_choose, ready_to_fit
from mlworker import loop
from mlworker.comparison import by_group, compared
from mlworker.driving import drive_by, model_by, recipe_by
from mlworker.evaluation.intervals import judged
from mlworker.evaluation.stopping import kappa, uncertainties
from mlworker.heads.artefact import kind_of, packed, unpacked
from mlworker.heads.multilabel import MultilabelHeads
from mlworker.strategies import STRATEGIES
from mlworker.targets import MULTI, ORDINAL, SINGLE, Target, likeliest

FINDINGS = Target(MULTI, ("mass", "oedema", "rare"))
SHARES = (0.4, 0.3, 0.08)
WIDTH = 24


def read(count: int, *, seed: int = 0, first: int = 0) -> loop.Labelled:
    """Cases with findings independent of each other, each of which shifts the vector its own way."""
    random = np.random.default_rng(seed)
    labels = (random.random((count, 3)) < SHARES).astype(np.intp)
    vectors = (random.normal(size=(count, WIDTH)) + 3.0 * labels @ np.eye(3, WIDTH)).astype(np.float16)
    keys = np.arange(first, first + count, dtype=np.uint64)
    return loop.Labelled(loop.Cases(keys, vectors), labels, np.arange(count))


def modelled(count: int = 160, *, adjusted: bool = True) -> loop.Model:
    pool = read(count)
    model = model_by(
        recipe_by(Policy(logit_adjustment=adjusted), FINDINGS),
        pool,
        read(120, seed=1),
        scaling=loop.scaling_of(pool.cases),
        seed=0,
    )
    assert model is not None
    return model


@pytest.mark.parametrize(
    ("kind", "answers", "labels"),
    [
        (SINGLE, [("oedema",), ("mass",)], [[1], [0]]),
        (ORDINAL, [("rare",)], [[2]]),
        (MULTI, [("oedema", "mass"), (), ("rare",)], [[1, 1, 0], [0, 0, 0], [0, 0, 1]]),
        (MULTI, [], np.empty((0, 3))),
    ],
)
def test_answers_become_class_numbers_of_each_decision(
    kind: str, answers: list[tuple[str, ...]], labels: list[list[int]]
) -> None:
    target = Target(kind, FINDINGS.choices)
    found = target.labels(answers)
    np.testing.assert_array_equal(found, labels)
    assert found.shape == (len(answers), target.decisions)
    chosen = [tuple(np.array(FINDINGS.choices)[row]) for row in target.chosen(found)]
    assert [set(row) for row in chosen] == [set(answer) for answer in answers]


def test_probabilities_are_told_by_choice() -> None:
    one, some = Target(SINGLE, ("a", "b")), Target(MULTI, ("a", "b"))
    assert one.shares(np.array([[[0.3, 0.7]]])).tolist() == [[0.3, 0.7]]
    assert some.shares(np.array([[[0.3, 0.7], [0.9, 0.1]]])).tolist() == [[0.7, 0.1]]


def test_a_head_is_fitted_once_a_finding_is_there_in_one_case_and_absent_in_another() -> None:
    counts = [FINDINGS.counts(np.array(rows)) for rows in ([[1, 0, 0]], [[1, 0, 0], [0, 0, 0]])]
    assert [ready_to_fit(one) for one in counts] == [False, True]
    twice = FINDINGS.counts(np.array([[1, 1, 0], [1, 1, 1], [0, 0, 1], [0, 0, 0]]))
    assert ready_to_choose(twice, choices=3)
    once = FINDINGS.counts(np.array([[1, 1, 0], [1, 1, 1], [0, 0, 0], [0, 0, 0]]))
    assert not ready_to_choose(once, choices=3)
    assert ready_to_choose([[28, 2], [29, 1], [30, 0]], choices=3)


@pytest.mark.parametrize("adjusted", [True, False])
def test_each_finding_is_learned_the_rare_one_too(adjusted: bool) -> None:
    test, model = read(600, seed=2), modelled(adjusted=adjusted)
    said = likeliest(model.probabilities(test.cases.vectors))
    for number in range(3):
        assert balanced_accuracy_score(test.labels[:, number], said[:, number]) > 0.75
    assert model.learned_from is not None
    assert model.learned_from.labels[:, 2].sum() < 25


def test_the_figures_are_those_that_scikit_learn_finds_label_by_label() -> None:
    test, model = read(300, seed=3), modelled()
    said = model.probabilities(test.cases.vectors)
    told, found = likeliest(said), judged(said, test.labels, test.patients, target=FINDINGS).estimates
    columns = range(3)
    expected = {
        "balanced_accuracy": [balanced_accuracy_score(test.labels[:, at], told[:, at]) for at in columns],
        "macro_auc": [roc_auc_score(test.labels[:, at], said[:, at, 1]) for at in columns],
        "macro_f1": [f1_score(test.labels[:, at], told[:, at]) for at in columns],
    }
    for name, values in expected.items():
        assert found[name].value == pytest.approx(np.mean(values))
        assert found[name].low <= found[name].value <= found[name].high
    for at, name in enumerate(FINDINGS.choices):
        assert found[f"balanced:{name}"].value == pytest.approx(expected["balanced_accuracy"][at])
        assert found[f"auc:{name}"].value == pytest.approx(expected["macro_auc"][at])
        assert found[f"prevalence:{name}"].value == pytest.approx(test.labels[:, at].mean())
    recalls = [found[f"recall:{name}"].value for name in FINDINGS.choices]
    assert found["worst_class_recall"].value == pytest.approx(min(recalls))


def test_a_finding_that_no_case_has_does_not_raise_the_figures() -> None:
    test, model = read(300, seed=3), modelled()
    said, seen = model.probabilities(test.cases.vectors), test.labels.copy()
    seen[:, 2] = 0
    found = judged(said, seen, test.patients, target=FINDINGS).estimates
    two = Target(MULTI, FINDINGS.choices[:2])
    alone = judged(said[:, :2], seen[:, :2], test.patients, target=two).estimates
    assert found["balanced_accuracy"].value == pytest.approx(alone["balanced_accuracy"].value)
    assert {"recall:rare", "balanced:rare", "auc:rare"}.isdisjoint(found)
    assert found["prevalence:rare"].value == 0.0


def test_each_finding_has_its_own_temperature() -> None:
    model = modelled()
    assert len(model.temperature_of_each()) == 3
    assert len(set(model.temperature_of_each())) == 3


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_orders_cases_with_several_findings(strategy: str) -> None:
    unread, audit = read(60, seed=4, first=1000).cases, read(10, seed=5, first=2000).cases
    model = modelled()
    drive = replace(drive_by(Policy(strategy=strategy), FINDINGS, read=280), audit_share=0.2)
    assert model.learned_from is not None
    known = model.learned_from.cases
    places = loop.ordered(unread, audit, known, model=model, drive=drive)
    assert len({(place.stream, place.position) for place in places}) == 70
    turned = np.random.default_rng(0).permutation(60)
    again = loop.ordered(unread.at(turned), audit, known, model=model, drive=drive)
    first = [place.position for place in places if place.stream == "pool"]
    assert first == [int(turned[place.position]) for place in again if place.stream == "pool"]


@pytest.mark.parametrize("strategy", ["margin", "entropy", "bald", "laplace_bald"])
def test_cases_whose_findings_are_in_doubt_come_first(strategy: str) -> None:
    unread, model = read(300, seed=8, first=5000).cases, modelled()
    nobody = unread.at(np.empty(0, dtype=np.intp))
    drive = loop.Drive(strategy, power=50.0, audit_share=0.0, batch=5, seed=0)
    order = [place.position for place in loop.ordered(unread, nobody, nobody, model=model, drive=drive)]
    doubt = uncertainties(model.probabilities(unread.vectors))[order]
    assert doubt[:30].mean() > doubt[100:].mean() + 0.15


def test_rare_findings_get_more_places_by_quota() -> None:
    unread = read(400, seed=6, first=1000)
    model, nobody = modelled(), unread.cases.at(np.empty(0, dtype=np.intp))
    told = likeliest(model.probabilities(unread.cases.vectors))
    shares = []
    for quota in (True, False):
        drive = loop.Drive("power_margin", 1.0, 0.0, 5, 1, class_quota=quota)
        places = loop.ordered(unread.cases, nobody, nobody, model=model, drive=drive, size=60)
        shares.append(np.mean([told[place.position, 2] for place in places]))
    assert shares[0] > shares[1]


def test_an_artefact_gives_back_heads_of_several_findings() -> None:
    ensemble, vectors = modelled().ensemble, read(20, seed=7).cases.vectors
    content = packed(ensemble, description={})
    found, told = unpacked(content)
    np.testing.assert_array_equal(found.mean_probabilities(vectors), ensemble.mean_probabilities(vectors))
    assert isinstance(found.heads, MultilabelHeads)
    assert (kind_of(content), told["kind"]) == (MULTI, MULTI)


def test_stability_and_uncertainty_are_means_over_findings() -> None:
    before, after = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0, 1], [0, 0], [1, 1], [1, 0]])
    assert kappa(before, after, 2) == pytest.approx((1.0 - 1.0) / 2)
    even, sure = [0.5, 0.5], [1.0, 0.0]
    found = uncertainties(np.array([[even, sure], [even, even], [sure, sure]]))
    np.testing.assert_allclose(found, [0.5, 1.0, 0.0], atol=1e-9)


def test_the_gate_promotes_a_candidate_that_is_surely_better_on_findings() -> None:
    random = np.random.default_rng(0)
    labels = (random.random((240, 3)) < (0.5, 0.4, 0.3)).astype(np.intp)
    wrong = random.random((240, 3)) < 0.35
    helped = wrong & (random.random((240, 3)) < 0.6)
    champion, candidate = (
        np.eye(2)[np.where(missed, 1 - labels, labels)] * 0.8 + 0.1 for missed in (wrong, wrong & ~helped)
    )
    found = compared(candidate, champion, labels, np.arange(240) // 2, target=FINDINGS)
    assert {"balanced:mass", "recall:rare", "macro_auc", "calibration_error"} <= set(found)
    assert gate(found).promoted
    spoiled = candidate.copy()
    spoiled[:, 2] = [0.9, 0.1]
    refused = gate(compared(spoiled, champion, labels, np.arange(240) // 2, target=FINDINGS))
    assert not refused.promoted


def test_accuracy_of_a_scanner_counts_each_finding() -> None:
    labels = np.array([[1, 0, 0], [0, 0, 1]])
    said = np.eye(2)[np.array([[1, 0, 1], [0, 0, 1]])]
    found = by_group(said, labels, np.arange(2), [{"scanner": "A"}, {"scanner": "A"}])["scanner"]["A"]
    assert found["accuracy"] == pytest.approx(5 / 6)
