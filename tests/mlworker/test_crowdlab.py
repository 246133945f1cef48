"""CROWDLAB's label quality: worked by hand, against cleanlab, and what must hold whatever was said."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlworker.evaluation.crowdlab import (
    MISSING,
    consensus_of,
    label_quality,
    posterior,
    track_of,
    weighed,
)
from tests import peers

LABELS = np.array([[0, 0, 1], [1, 1, 1], [0, 0, 0], [1, MISSING, MISSING]])
LIKELY = np.array([[0.8, 0.2], [0.3, 0.7], [0.7, 0.3], [0.6, 0.4]])

said = arrays(np.int64, st.tuples(st.integers(1, 12), st.just(4)), elements=st.integers(-1, 2))


def likely_of(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    raised = np.random.default_rng(seed).random((len(labels), 3)) + 0.01
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def read(labels: np.ndarray) -> np.ndarray:
    """Cases that somebody read."""
    return np.asarray(labels[(labels != MISSING).any(axis=1)])


def test_readers_are_weighed_by_how_often_they_agree_with_others() -> None:
    track = track_of(LABELS)
    assert track.agreeing.tolist() == [5, 5, 4]
    assert track.comparisons.tolist() == [6, 6, 6]
    weights = weighed(LIKELY, LABELS, consensus_of(LIKELY, LABELS))
    # Always saying 0 is wrong in 1 of 3 cases; readers disagree in 1 of 6, 1 of 6 and 2 of 6 comparisons.
    np.testing.assert_allclose(weights.readers, [0.5, 0.5, 1e-6])
    assert weights.agreement == pytest.approx(8 / 9)
    assert weights.model == pytest.approx(np.sqrt(10 / 4))


def test_the_quality_of_a_single_label_is_the_weighted_mean_of_model_and_reader() -> None:
    quality = label_quality(LIKELY, LABELS, prior=0.0)
    model = np.sqrt(2.5)
    assert quality[3] == pytest.approx((model * 0.4 + 0.5 * 8 / 9) / (model + 0.5))
    third = (model * 0.8 + 8 / 9 + 1e-6 / 9) / (model + 1.0 + 1e-6)
    assert quality[0] == pytest.approx(third)


def test_who_overlapped_little_is_thought_as_good_as_the_others() -> None:
    labels = np.array([[0, 0, MISSING], [1, 1, MISSING], [0, 1, MISSING], [0, MISSING, 0]])
    rates = track_of(labels).rates(0.0)
    np.testing.assert_allclose(rates, [3 / 4, 2 / 3, 1.0])
    drawn = track_of(labels).rates(20.0)
    assert rates.mean() < drawn[2] < 1.0
    unknown = np.array([[0, 0, MISSING], [1, 0, MISSING], [MISSING, MISSING, 1]])
    assert track_of(unknown).rates(0.0)[2] == pytest.approx(0.5)


def test_without_overlap_the_least_likely_label_is_doubted_first() -> None:
    labels = np.array([[0, MISSING], [MISSING, 0], [1, MISSING]])
    likely = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
    assert label_quality(likely, labels).argsort().tolist() == [1, 2, 0]


def test_what_was_read_again_because_it_was_doubted_does_not_speak_for_the_rest() -> None:
    """Of what chance read twice both agree; of what was doubted they never do, and the model is wrong."""
    labels = np.array([[0, 0], [1, 1], [0, 1], [0, 1]])
    likely = np.array([[0.9, 0.1], [0.1, 0.9], [0.2, 0.8], [0.2, 0.8]])
    by_chance = np.array([True, True, False, False])
    weights = weighed(likely, labels, np.array([0, 1, 0, 0]), speaks=by_chance)
    assert weights.agreement == 1.0
    np.testing.assert_allclose(weights.readers, 1.0)
    everything = weighed(likely, labels, np.array([0, 1, 0, 0]))
    assert everything.model < weights.model


@settings(max_examples=60, deadline=None)
@given(said)
def test_posteriors_are_distributions_between_what_model_and_readers_say(labels: np.ndarray) -> None:
    labels = read(labels)
    likely = likely_of(labels)
    weights = weighed(likely, labels, consensus_of(likely, labels), prior=20.0)
    found = posterior(likely, labels, weights)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert (found >= 0.0).all()
    quality = label_quality(likely, labels)
    assert ((quality >= 0.0) & (quality <= 1.0)).all()


@settings(max_examples=60, deadline=None)
@given(said, st.randoms(use_true_random=False))
def test_neither_the_order_of_cases_nor_that_of_readers_matters(labels: np.ndarray, random: object) -> None:
    labels = read(labels)
    likely = likely_of(labels)
    cases, readers = np.arange(len(labels)), np.arange(4)
    random.shuffle(cases)  # type: ignore[attr-defined]
    random.shuffle(readers)  # type: ignore[attr-defined]
    moved = label_quality(likely[cases], labels[cases][:, readers])
    np.testing.assert_allclose(moved, label_quality(likely, labels)[cases])


@settings(max_examples=60, deadline=None)
@given(said, st.floats(0.01, 0.5))
def test_a_model_that_is_surer_of_the_label_never_lowers_its_quality(labels: np.ndarray, more: float) -> None:
    """Readers' and model's weights held still: those of the first fit."""
    labels = read(labels)
    likely = likely_of(labels)
    consensus = consensus_of(likely, labels)
    weights = weighed(likely, labels, consensus, prior=20.0)
    rows = np.arange(len(labels))
    surer = (likely + more * np.eye(3)[consensus]) / (1.0 + more)
    before, after = (posterior(one, labels, weights)[rows, consensus] for one in (likely, surer))
    assert (after >= before - 1e-12).all()


@pytest.mark.peers
def test_weights_and_qualities_are_those_of_cleanlab(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 400)
    right = random.random((400, 5)) < np.array([0.95, 0.9, 0.85, 0.7, 0.6])
    labels = np.where(right, truth[:, None], random.integers(0, 3, (400, 5)))
    labels[random.random((400, 5)) < 0.6] = MISSING
    labels[(labels == MISSING).all(axis=1), 0] = 1
    likely = likely_of(labels) + 1.5 * np.eye(3)[truth] * (random.random(400) < 0.8)[:, None]
    likely /= likely.sum(axis=1, keepdims=True)
    found = partial(peers.asked, "tests.mlworker.oracles")(
        "crowdlab", tmp_path, {"likely": likely, "labels": labels}
    )
    consensus = found["consensus"].astype(np.intp)
    weights = weighed(likely, labels, consensus)
    np.testing.assert_allclose(weights.model, found["model"], atol=1e-9)
    np.testing.assert_allclose(weights.readers, found["readers"], atol=1e-9)
    quality = posterior(likely, labels, weights)[np.arange(400), consensus]
    np.testing.assert_allclose(quality, found["quality"], atol=1e-9)
