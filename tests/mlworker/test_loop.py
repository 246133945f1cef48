"""One turn of the loop without a database: what is drawn, from which stream, with which chance."""

import uuid

import numpy as np
import pytest

from mlworker import loop

NOBODY = loop.Cases(np.empty(0, dtype=np.uint64), np.empty((0, 4), dtype=np.float16))


def cases(count: int, start: int = 0) -> loop.Cases:
    vectors = np.random.default_rng(start).normal(size=(count, 4)).astype(np.float16)
    return loop.Cases(np.arange(start, start + count, dtype=np.uint64), vectors)


def drive(strategy: str = "power_margin", share: float = 0.25) -> loop.Drive:
    return loop.Drive(strategy, power=2.0, audit_share=share, batch=5, seed=1)


def a_model() -> loop.Model:
    labels = np.array([0, 1] * 10)
    vectors = (np.eye(2, 4)[labels] * 3 + np.random.default_rng(0).normal(size=(20, 4))).astype(np.float16)
    pool = loop.Labelled(loop.Cases(np.arange(20, dtype=np.uint64), vectors), labels, np.arange(20))
    empty = loop.Labelled(NOBODY, np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp))
    return loop.modelled(pool, empty, scaling=loop.scaling_of(pool.cases), class_names=["a", "b"], seed=0)


def test_every_unread_case_has_one_place() -> None:
    places = loop.ordered(cases(30), cases(10, 100), NOBODY, model=a_model(), drive=drive())
    named = {(place.stream, place.position) for place in places}
    assert len(places) == len(named) == 40
    assert {place.reason for place in places} == {"uncertain", "random_audit"}


@pytest.mark.parametrize("strategy", ["power_margin", "margin", "random"])
def test_every_strategy_ends_where_there_is_nothing_to_read(strategy: str) -> None:
    assert loop.ordered(NOBODY, NOBODY, NOBODY, model=a_model(), drive=drive(strategy)) == []
    only_audit = loop.ordered(NOBODY, cases(3), NOBODY, model=a_model(), drive=drive(strategy))
    assert [place.stream for place in only_audit] == ["audit"] * 3


def test_audit_cases_are_drawn_alike_whatever_the_model_thinks_of_them() -> None:
    audit, model = cases(4, 50), a_model()
    first = [
        next(
            place.position
            for place in loop.ordered(
                cases(3), audit, NOBODY, model=model, drive=loop.Drive("margin", 1.0, 0.5, 5, seed)
            )
            if place.stream == "audit"
        )
        for seed in range(400)
    ]
    assert np.bincount(first, minlength=4).min() > 70


def test_what_was_random_has_a_chance_and_what_was_not_has_none() -> None:
    chances = {
        strategy: [
            place.draw_probability
            for place in loop.ordered(cases(6), NOBODY, NOBODY, model=a_model(), drive=drive(strategy))
        ]
        for strategy in ("power_margin", "margin", "random")
    }
    assert chances["margin"] == [None] * 6
    assert chances["random"] == pytest.approx([1 / 6, 1 / 5, 1 / 4, 1 / 3, 1 / 2, 1.0])
    assert chances["power_margin"][-1] == pytest.approx(1.0)


def test_no_more_places_are_given_than_asked_for() -> None:
    places = loop.ordered(cases(30), cases(10, 100), NOBODY, model=None, drive=drive(), size=12)
    assert len(places) == 12


def test_a_model_without_audit_labels_says_that_nothing_judges_it() -> None:
    model = a_model()
    assert (model.temperature, model.verdict.estimates) == (1.0, {})
    assert "0 audit cases" in model.verdict.reason


def test_a_key_is_the_first_half_of_an_id() -> None:
    assert loop.key_of(uuid.UUID("00000000-0000-0001-8000-000000000009")) == 1
