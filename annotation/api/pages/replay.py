"""The replay page of ML staff: what each strategy would have been worth on the project's own labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.charts import Chart, Point, Series, chart
from annotation.api.pages.curves import strategy_words
from annotation.api.pages.frame import project_page
from annotation.learning.models import Policy, TrainingRun
from annotation.learning.replays import KIND, replays_for, request_replay
from annotation.learning.rules import LARGEST_BUDGET, MOST_SEEDS, SMALLEST_BUDGET
from annotation.readings.selectors import label_count
from jobs.selectors import last_failed, open_jobs

RUNS_SHOWN, DRAWN = 5, 4
DEFAULT_SEEDS, DEFAULT_SHARE, DEFAULT_BUDGET = 20, 0.5, 200
NUMBER = {"class": "input short"}


class ReplayForm(forms.Form):
    """Which strategies are replayed, how often, on how many readings."""

    strategies = forms.MultipleChoiceField(
        choices=[("default", "The policy in force"), *Policy.Strategy.choices],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one strategy."},
    )
    seeds = forms.IntegerField(min_value=1, max_value=MOST_SEEDS, widget=forms.NumberInput(attrs=NUMBER))
    budget = forms.IntegerField(
        min_value=SMALLEST_BUDGET, max_value=LARGEST_BUDGET, widget=forms.NumberInput(attrs=NUMBER)
    )


@dataclass(frozen=True)
class Replay:
    """One replay as it is shown."""

    run: TrainingRun
    chart: Chart | None
    rows: list[tuple[str, Mapping[str, Any]]]
    comparisons: list[tuple[str, str, Mapping[str, Any]]]
    verdict: list[str]


@require_http_methods(["GET"])
@member(Role.ML_STAFF, ADMIN)
def replay(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show replays, and the form that asks for one."""
    return shown(request, visit, ReplayForm(initial=initial_of(visit)))


@require_POST
@member(Role.ML_STAFF)
def ask(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask for a replay; the form comes back with what is wrong."""
    form = ReplayForm(request.POST)
    if not form.is_valid():
        return shown(request, visit, form, status=422)
    request_replay(project=visit.project, by=visit.user, **form.cleaned_data)
    messages.success(
        request, "The replay is asked for. It runs beside the readers and changes nothing of theirs."
    )
    return redirect("replay", project_id=visit.project.pk)


def shown(request: HttpRequest, visit: Visit, form: ReplayForm, *, status: int = 200) -> HttpResponse:
    """Render the page, or with ?part=progress the piece that changes; what has ended loads the page again."""
    jobs = list(open_jobs([visit.project.pk], [KIND]))
    is_part = request.GET.get("part") == "progress"
    if is_part and not jobs:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    template = "learning/replay_progress.html" if is_part else "learning/replay.html"
    runs = replays_for(visit.user, visit.project.pk)[:RUNS_SHOWN]
    return project_page(
        request,
        template,
        "learning",
        visit,
        status=status,
        form=form,
        labels=label_count(visit.project.pk),
        replays=[replay_of(run) for run in runs],
        jobs=jobs,
        failed=last_failed([visit.project.pk], [KIND]),
    )


def initial_of(visit: Visit) -> dict[str, Any]:
    """Propose the policy in force beside random, over half of the labels."""
    half = int(label_count(visit.project.pk) * DEFAULT_SHARE) // 10 * 10
    budget = max(SMALLEST_BUDGET, min(half, DEFAULT_BUDGET))
    return {"strategies": ["default", "margin", "random"], "seeds": DEFAULT_SEEDS, "budget": budget}


def replay_of(run: TrainingRun) -> Replay:
    """Draw one replay: curves, the table, who beat whom, the verdict."""
    found = run.result
    strategies = found["strategies"]
    drawn = chart(
        [Series(words_of(name), points_of(strategies[name])) for name in in_drawing(list(strategies))],
        title="Balanced accuracy by number of readings, one line a strategy",
        x_title="readings, audit stream included",
        y_title=f"Balanced accuracy, mean of {found['seeds']} seeds with its 95 % interval",
        y_limits=(0.0, 1.0),
    )
    rows = sorted(strategies.items(), key=lambda item: -item[1]["area_mean"])
    return Replay(
        run,
        drawn,
        [(words_of(name), one) for name, one in rows],
        [(words_of(one["name"]), words_of(one["against"]), one) for one in found["comparisons"]],
        found["verdict"],
    )


def in_drawing(names: list[str]) -> list[str]:
    """Choose the lines that a drawing can hold: the first ones, and always random."""
    first = [name for name in names if name != "random"][: DRAWN - ("random" in names)]
    return first + ["random"] * ("random" in names)


def points_of(one: Mapping[str, Any]) -> list[Point]:
    """Place a strategy's curve."""
    pairs = zip(one["curve"], one["curve_interval"], strict=True)
    return [
        Point(labels, score, low, high, f"{score:.3f} ({low:.3f} – {high:.3f}) after {labels} readings")
        for (labels, score), (_, low, high) in pairs
    ]


def words_of(name: str) -> str:
    """Name a strategy as the policy form does."""
    return "Policy in force" if name == "default" else strategy_words(name)
