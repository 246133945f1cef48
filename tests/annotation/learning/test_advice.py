"""When to stop: values known by hand."""

from annotation.learning.advice import Judged, advice_of, forecast_words


def models(
    kappas: list[float], uncertainties: list[float], width: float | None, *, step: int = 10
) -> list[Judged]:
    """One model a κ, oldest first."""
    pairs = zip(kappas, uncertainties, strict=True)
    return [
        Judged(step * (place + 1), width, {"stability": kappa, "uncertainty": share})
        for place, (kappa, share) in enumerate(pairs)
    ]


STEADY, MOVING = [0.995] * 4, [0.8, 0.9, 0.95, 0.97]
FLAT, FALLING = [0.31, 0.30, 0.31, 0.30], [0.6, 0.5, 0.4, 0.3]


def test_two_of_three_signs_are_advice_to_stop() -> None:
    assert advice_of(models(STEADY, FLAT, 0.3)).verdict == "enough"
    assert advice_of(models(STEADY, FALLING, 0.08)).verdict == "enough"
    assert advice_of(models(MOVING, FLAT, 0.08)).verdict == "enough"


def test_one_sign_alone_is_not() -> None:
    assert advice_of(models(STEADY, FALLING, 0.3)).verdict == "on"
    assert advice_of(models(MOVING, FALLING, 0.08)).verdict == "on"


def test_without_models_it_is_too_early() -> None:
    nothing = advice_of([])
    assert nothing.verdict == "early"
    assert [sign.met for sign in nothing.signs] == [None, None, None]
    assert "Too early for a forecast" in nothing.forecast


def test_pressing_retrain_again_and_again_settles_nothing() -> None:
    learned = models(MOVING, FALLING, 0.3)
    again = [Judged(40, 0.3, {"stability": 1.0, "uncertainty": 0.3})] * 5
    assert advice_of([*learned, *again]).signs[0].met is False


def test_models_from_before_such_notes_count_as_unknown() -> None:
    told = advice_of([Judged(10 * one, None, {}) for one in range(1, 9)])
    assert told.verdict == "early"
    assert "8 so far" in told.signs[0].words


def test_signs_say_their_figures_and_what_is_asked_for() -> None:
    settled, flat, narrow = advice_of(models(STEADY, FALLING, 0.081)).signs
    assert "κ 0.995; from 0.99 on" in settled.words
    assert "moved by 30.0 points" in flat.words
    assert "8 points wide; up to 10" in narrow.words


def test_the_forecast_reads_as_a_sentence() -> None:
    words = forecast_words({"labels": 100, "gain": 0.021, "low": 0.004, "high": 0.035})
    assert words.startswith("The next 100 labels will bring about +2.1 ± 1.7 points of balanced accuracy")
    assert words.endswith("(90 % interval +0.4 to +3.5).")
