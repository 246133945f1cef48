"""One turn of the loop without a database: what is drawn, from which stream, with which chance."""

import uuid
from dataclasses import replace

import numpy as np
import pytest

from annotation.learning.models import Policy
from annotation.queue.rules import WHY
from mlworker import loop
from mlworker.heads.ensemble import Recipe
from mlworker.strategies import STRATEGIES
from mlworker.targets import ORDINAL, SINGLE, Target, likeliest

ONE_OF_TWO = Target(SINGLE, ("a", "b"))
NOBODY = loop.Cases(np.empty(0, dtype=np.uint64), np.empty((0, 4), dtype=np.float16))


def cases(count: int, start: int = 0) -> loop.Cases:
    vectors = np.random.default_rng(start).normal(size=(count, 4)).astype(np.float16)
    return loop.Cases(np.arange(start, start + count, dtype=np.uint64), vectors)


def drive(strategy: str = "power_margin", share: float = 0.25) -> loop.Drive:
    return loop.Drive(strategy, power=2.0, audit_share=share, batch=5, seed=1)


def labelled(classes: list[int]) -> loop.Labelled:
    labels, count = np.array(classes), len(classes)
    noise = np.random.default_rng(0).normal(size=(count, 4))
    vectors = (np.eye(max(classes) + 1, 4)[labels] * 3 + noise).astype(np.float16)
    return loop.Labelled(loop.Cases(np.arange(count, dtype=np.uint64), vectors), labels, np.arange(count))


def nobody_labelled(decisions: int = 1) -> loop.Labelled:
    return loop.Labelled(NOBODY, np.empty((0, decisions), dtype=np.intp), np.empty(0, dtype=np.intp))


def a_model() -> loop.Model:
    pool, scaling = labelled([0, 1] * 10), loop.scaling_of(labelled([0, 1] * 10).cases)
    return loop.modelled(pool, nobody_labelled(), recipe=Recipe(ONE_OF_TWO), scaling=scaling, seed=0)


def test_every_unread_case_has_one_place() -> None:
    places = loop.ordered(cases(30), cases(10, 100), NOBODY, model=a_model(), drive=drive())
    named = {(place.stream, place.position) for place in places}
    assert len(places) == len(named) == 40
    assert {place.reason for place in places} == {"uncertain", "random_audit"}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_ends_where_there_is_nothing_to_read(strategy: str) -> None:
    assert loop.ordered(NOBODY, NOBODY, NOBODY, model=a_model(), drive=drive(strategy)) == []
    only_audit = loop.ordered(NOBODY, cases(3), NOBODY, model=a_model(), drive=drive(strategy))
    assert [place.stream for place in only_audit] == ["audit"] * 3


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("model", [True, False])
def test_every_strategy_orders_the_whole_pool_with_and_without_a_model(strategy: str, model: bool) -> None:
    pool = cases(30)
    places = loop.ordered(
        pool, NOBODY, cases(8, 100), model=a_model() if model else None, drive=drive(strategy)
    )
    assert sorted(place.position for place in places) == list(range(30))
    assert {place.reason for place in places} <= set(WHY)
    chances = [place.draw_probability for place in places if place.draw_probability is not None]
    assert all(0.0 < chance <= 1.0 for chance in chances)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_is_the_same_for_the_same_seed_whatever_the_order_of_the_cases(strategy: str) -> None:
    pool, model, turned = cases(30), a_model(), np.random.default_rng(2).permutation(30)
    straight = loop.ordered(pool, NOBODY, NOBODY, model=model, drive=drive(strategy))
    other = loop.ordered(pool.at(turned), NOBODY, NOBODY, model=model, drive=drive(strategy))
    assert [place.position for place in straight] == [int(turned[place.position]) for place in other]


def test_the_policy_offers_every_strategy_and_explains_it() -> None:
    assert set(Policy.Strategy.values) == set(STRATEGIES)
    for label in Policy.Strategy.labels:
        name, _, sentence = label.partition(": ")
        assert name
        assert len(sentence.split()) > 3


def test_a_strategy_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ValueError, match='strategy is "oracle": known are power_margin'):
        loop.ordered(cases(3), NOBODY, NOBODY, model=None, drive=drive("oracle"))


@pytest.mark.parametrize("strategy", ["badge", "core_set", "probcover"])
def test_a_batch_chosen_as_a_whole_is_followed_by_random_cases(strategy: str) -> None:
    places = loop.ordered(cases(200), NOBODY, cases(8, 900), model=a_model(), drive=drive(strategy))
    reasons = [place.reason for place in places]
    assert reasons[64:] == ["random"] * 136
    assert "random" not in reasons[:64]
    assert places[64].draw_probability == pytest.approx(1 / 136)


def test_quotas_give_rare_classes_and_small_sites_more_places() -> None:
    pool = replace(cases(400), sites=np.array([0] * 380 + [1] * 20))
    even = loop.Drive("power_margin", 1.0, 0.0, 5, 1, site_quota=True)
    firsts = loop.ordered(pool, NOBODY, NOBODY, model=a_model(), drive=even, size=40)
    assert sum(place.position >= 380 for place in firsts) >= 4  # 2 by their number, 7.5 by their share
    chances = [place.draw_probability for place in firsts]
    assert all(chance is not None for chance in chances)


def test_quick_cases_come_first_where_time_counts() -> None:
    pool = replace(cases(400), seconds=np.array([100.0] * 200 + [5.0] * 200))
    by_time = loop.Drive("power_margin", 3.0, 0.0, 5, 1, cost_power=1.0)
    firsts = loop.ordered(pool, NOBODY, NOBODY, model=a_model(), drive=by_time, size=50)
    assert 30 < sum(place.position >= 200 for place in firsts) < 50


def test_a_model_of_grades_drives_every_strategy() -> None:
    pool = labelled([0, 1, 2] * 10)
    model = loop.modelled(
        pool,
        nobody_labelled(),
        recipe=Recipe(Target(ORDINAL, ("a", "b", "c"))),
        scaling=loop.scaling_of(pool.cases),
        seed=0,
    )
    for strategy in STRATEGIES:
        assert len(loop.ordered(cases(20), NOBODY, NOBODY, model=model, drive=drive(strategy))) == 20


def test_a_refit_with_logit_adjustment_still_finds_the_rare_class() -> None:
    pool = labelled([0] * 90 + [1] * 10)
    recipe = Recipe(ONE_OF_TWO, adjusted=True)
    model = loop.modelled(
        pool,
        nobody_labelled(),
        recipe=recipe,
        scaling=loop.scaling_of(pool.cases),
        seed=0,
    )
    found = likeliest(model.probabilities(pool.cases.vectors))
    assert (found[pool.labels == 1] == 1).mean() > 0.8


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
    assert (model.temperature_of_each(), model.verdict.estimates) == ([1.0], {})
    assert "0 audit cases" in model.verdict.reason


def test_a_key_is_the_first_half_of_an_id() -> None:
    assert loop.key_of(uuid.UUID("00000000-0000-0001-8000-000000000009")) == 1
