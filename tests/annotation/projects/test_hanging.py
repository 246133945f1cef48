"""Hanging rules: the first that fits, the project's own first."""

from typing import Any

import pytest

from annotation.projects.hanging import (
    BUILT_IN,
    Facts,
    HangingInvalidError,
    earlier_in_words,
    hang,
    rows_of,
    rules_of,
)

FOUR = frozenset({"R CC", "L CC", "R MLO", "L MLO"})


@pytest.mark.parametrize(
    ("facts", "layout", "preset", "play"),
    [
        (Facts("MG", views=FOUR), "four-up", None, False),
        (Facts("MG", views=FOUR - {"R CC"}), "stack", None, False),
        (Facts("DX", has_prior=True), "priors", None, False),
        (Facts("DX"), "stack", None, False),
        (Facts("CT", body_part="Chest", frames=300), "stack", "Lung", False),
        (Facts("CT", body_part="HEAD", has_prior=True), "stack", "Brain", False),
        (Facts("US", frames=40), "stack", None, True),
        (Facts("US", frames=1), "stack", None, False),
        (Facts(""), "stack", None, False),
    ],
)
def test_what_is_built_in_hangs_each_kind_as_its_readers_do(
    facts: Facts, layout: str, preset: str | None, play: bool
) -> None:
    rule = hang([], facts)
    assert (rule.layout, rule.preset, rule.play) == (layout, preset, play)


def test_a_project_s_own_rule_comes_before_the_built_in_ones() -> None:
    own = rules_of([{"name": "Planes", "when": {"modality": ["CT"], "frames_at_least": 20}, "layout": "mpr"}])
    assert hang(own, Facts("CT", body_part="CHEST", frames=30)).name == "Planes"
    assert hang(own, Facts("CT", body_part="CHEST", frames=3)).name == "CT of the chest"


def test_every_condition_must_hold() -> None:
    when = {
        "modality": ["MR"],
        "body_part": ["KNEE"],
        "laterality": ["L"],
        "view": ["PA"],
        "has_prior": False,
    }
    (rule,) = rules_of([{"name": "Left knee", "when": when, "layout": "mpr"}])
    fits = Facts("MR", body_part="KNEE", laterality="L", view="PA")
    assert rule.when.fits(fits)
    others: list[dict[str, Any]] = [
        {"modality": "CT"}, {"body_part": "HIP"}, {"laterality": "R"}, {"view": "AP"}, {"has_prior": True}
    ]  # fmt: skip
    assert not any(rule.when.fits(Facts(**{**vars(fits), **other})) for other in others)


def test_a_rule_asks_for_words_of_the_description_that_must_all_be_there() -> None:
    (rule,) = rules_of([{"name": "T2", "when": {"description": ["T2", "AXIAL"]}, "layout": "mpr"}])
    assert rule.when.fits(Facts("MR", description=frozenset({"T2", "AXIAL", "TSE"})))
    assert not rule.when.fits(Facts("MR", description=frozenset({"T2", "SAGITTAL"})))
    assert not rule.when.fits(Facts("MR"))


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({}, "list"),
        ([{"name": "x"}], "0.layout"),
        ([{"name": "x", "layout": "wall"}], "0.layout"),
        ([{"name": "x", "layout": "stack", "colour": 1}], "0.colour"),
        ([{"name": "x", "layout": "stack", "when": {"modality": "CT"}}], "0.when.modality"),
        ([{"name": "x", "layout": "stack", "when": {"views": ["CC"]}}], "0.when.views"),
        ([{"name": "x", "layout": "stack", "when": {"description": ["SMITH"]}}], "0.when.description"),
    ],
)
def test_what_is_no_rule_is_refused_and_named(written: object, words: str) -> None:
    with pytest.raises(HangingInvalidError, match=words):
        rules_of(written)


def test_rules_are_the_same_once_written_and_read() -> None:
    assert rules_of(rows_of(BUILT_IN)) == BUILT_IN


@pytest.mark.parametrize(
    ("days", "words"),
    [(1, "1 day earlier"), (45, "45 days earlier"), (365, "12 months earlier"), (1100, "3 years earlier")],
)
def test_an_earlier_study_is_told_by_its_distance(days: int, words: str) -> None:
    assert earlier_in_words(days) == words
