"""When to stop: three signs and what two of them together say. Advice only; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

STEADY_KAPPA, COMPARISONS = 0.99, 3
FLAT_RANGE, LOOKS = 0.02, 4
NARROW_WIDTH = 0.10
WANTED = 2


@dataclass(frozen=True)
class Judged:
    """A model as the advice needs it; noted: what its fit noted (stability, uncertainty, forecast)."""

    labels: int
    width: float | None
    noted: Mapping[str, Any]


@dataclass(frozen=True)
class Sign:
    """One sign: whether it speaks for stopping (None: too early to say), and in words why."""

    name: str
    met: bool | None
    words: str


@dataclass(frozen=True)
class Advice:
    """What the signs say together."""

    verdict: str
    words: str
    signs: list[Sign]
    forecast: str


def advice_of(models: Sequence[Judged]) -> Advice:
    """Weigh the signs: two of three that speak for stopping are advice to stop. models: oldest first."""
    models = newest_of_each(models)
    signs = [settled(models), flat(models), narrow(models)]
    met = sum(sign.met is True for sign in signs)
    known = sum(sign.met is not None for sign in signs)
    last = models[-1].noted.get("forecast") if models else None
    foreseen = forecast_words(last)
    if met >= WANTED:
        return Advice("enough", "More labels bring little: you could stop here.", signs, foreseen)
    if known < WANTED:
        return Advice("early", "It is too early to say: go on reading.", signs, foreseen)
    return Advice("on", "More labels still pay: go on reading.", signs, foreseen)


def newest_of_each(models: Sequence[Judged]) -> list[Judged]:
    """Take the newest model of each number of labels: one that learned nothing new proves nothing."""
    newest = {model.labels: model for model in models}
    return [newest[labels] for labels in sorted(newest)]


def settled(models: Sequence[Judged]) -> Sign:
    """Tell whether predictions have stopped changing: mean κ of three pairs of models (Bloodgood 2009)."""
    name = "Predictions have settled"
    known = [model.noted["stability"] for model in models if "stability" in model.noted][-COMPARISONS:]
    if len(known) < COMPARISONS:
        return Sign(name, None, f"Needs {COMPARISONS + 1} models in a row; {len(models)} so far.")
    mean = sum(known) / len(known)
    words = (
        f"The last models agree on the unread cases with κ {mean:.3f}; "
        f"from {STEADY_KAPPA:g} on little changes."
    )
    return Sign(name, mean >= STEADY_KAPPA, words)


def flat(models: Sequence[Judged]) -> Sign:
    """Tell whether the pool's mean uncertainty has stopped falling (Zhu 2008, as a trend)."""
    name = "Uncertainty is flat"
    known = [model.noted["uncertainty"] for model in models if "uncertainty" in model.noted][-LOOKS:]
    if len(known) < LOOKS:
        return Sign(name, None, f"Needs {LOOKS} models; {len(known)} so far.")
    span = max(known) - min(known)
    words = (
        f"Over the last {LOOKS} models the unread cases' uncertainty moved by {100 * span:.1f} points "
        f"(now {100 * known[-1]:.0f} % of the largest possible); up to {100 * FLAT_RANGE:g} is flat."
    )
    return Sign(name, span <= FLAT_RANGE, words)


def narrow(models: Sequence[Judged]) -> Sign:
    """Tell whether the audit stream's interval is narrow enough to believe the figure."""
    name = "The score is known well"
    width = models[-1].width if models else None
    if width is None:
        return Sign(name, None, "The newest model could not be judged: too few audit cases are read.")
    words = (
        f"The 95 % interval of balanced accuracy is {100 * width:.0f} points wide; "
        f"up to {100 * NARROW_WIDTH:.0f} is narrow enough."
    )
    return Sign(name, width <= NARROW_WIDTH, words)


def forecast_words(forecast: Mapping[str, float] | None) -> str:
    """Say what the next labels will bring."""
    if not forecast:
        return "Too early for a forecast: it needs five judged models, and twice the labels of the first."
    gain, low, high = (100 * forecast[key] for key in ("gain", "low", "high"))
    half = max(high - gain, gain - low)
    return (
        f"The next {forecast['labels']:.0f} labels will bring about {gain:+.1f} ± {half:.1f} points of "
        f"balanced accuracy (90 % interval {low:+.1f} to {high:+.1f})."
    )
