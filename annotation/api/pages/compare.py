"""Models side by side: figures with intervals, differences, sites, calibration, what is taken for what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.frame import project_page
from annotation.api.pages.splits import progress
from annotation.api.permissions import address_of
from annotation.learning.figures import OF_ANSWER, OVERALL
from annotation.learning.judged import champion_of, comparison_for, passed_in, request_comparison
from annotation.learning.judged_models import Comparison
from annotation.learning.models import ModelVersion
from annotation.learning.selectors import models_for
from annotation.projects.rules import RefusedError
from jobs.selectors import jobs_now

JOBS = ["compare_models"]
NUMBER = 10  # digits that a model's number has at most


@dataclass(frozen=True)
class Line:
    """One figure of all models: its words, each model's value or None, and how the others differ."""

    words: str
    values: list[Mapping[str, float] | None]
    differences: list[Mapping[str, float] | None] = field(default_factory=list)


@dataclass(frozen=True)
class Cell:
    """How often a truth was taken for something, and where its cases are."""

    count: int
    share: float
    is_right: bool
    address: str


@dataclass(frozen=True)
class Confusion:
    """What one model takes for what, of all answers or of one finding."""

    number: int
    finding: str
    heads: list[str]
    rows: list[tuple[str, list[Cell]]]


@require_GET
@member(Role.ML_STAFF, ADMIN)
def compare(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the models that the address names, as far as a job has judged them."""
    if request.headers.get("HX-Request"):
        return progress(request, visit, "compare", JOBS)
    numbers = numbers_in(request.GET.getlist("model"))
    versions = list(models_for(visit.user, visit.project.pk).filter(number__in=numbers).order_by("number"))
    found = (
        comparison_for(visit.user, visit.project.pk, [one.number for one in versions]) if versions else None
    )
    champion = champion_of(visit.user, visit.project.pk)
    return project_page(
        request,
        "learning/compare.html",
        "learning",
        visit,
        versions=versions,
        champion=champion,
        passed=passed_in(versions),
        found=found,
        **jobs_now([visit.project.pk], JOBS)._asdict(),
        reason=reason_in(found),
        **(parts(visit, found) if found else {}),
    )


def numbers_in(values: Sequence[str]) -> list[int]:
    """Read models' numbers; what is no number is left out."""
    return [int(value) for value in values if value.isdecimal() and len(value) < NUMBER]


@require_POST
@member(Role.ML_STAFF)
def start_comparison(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask for models to be judged side by side, and go to where they will be."""
    numbers = numbers_in(request.POST.getlist("model"))
    try:
        request_comparison(project=visit.project, numbers=numbers, by=visit.user, address=address_of(request))
    except RefusedError as error:
        messages.warning(request, f"Nothing was compared: {error}.")
        return redirect("models", project_id=visit.project.pk)
    page = "compare"
    if request.POST.get("then") == "errors":
        page = "errors"
    query = urlencode([("model", number) for number in numbers])
    return redirect(f"{resolve_url(page, project_id=visit.project.pk)}?{query}")


def reason_in(found: Comparison | None) -> str:
    """Say why the audit stream judges none of them."""
    reasons = [one["reason"] for one in found.figures["models"] if one["reason"]] if found else []
    return str(reasons[0]) if reasons else ""


def parts(visit: Visit, found: Comparison) -> dict[str, Any]:
    """Collect what the page shows of a comparison."""
    figures = found.figures
    models = figures["models"]
    words = figures["words"]
    return {
        "models": models,
        "overall": overall_lines(figures),
        "answers": answer_lines(figures),
        "places": place_lines(models),
        "bins": bin_lines(models),
        "confusions": [one for model in models for one in confusions_of(visit, model, words)],
        "chart": chart_of(models),
    }


def overall_lines(figures: Mapping[str, Any]) -> list[Line]:
    """Put each figure of all answers on a line."""
    return [line for name, words in OVERALL.items() if (line := line_of(figures, name, words)) is not None]


def answer_lines(figures: Mapping[str, Any]) -> list[Line]:
    """Put each figure of each answer on a line."""
    found = [
        line_of(figures, f"{kind}:{value}", f"{figures['words'][value]}: {words.lower()}")
        for value in figures["classes"]
        for kind, words in OF_ANSWER.items()
        if kind != "prevalence"
    ]
    return [line for line in found if line is not None]


def line_of(figures: Mapping[str, Any], name: str, words: str) -> Line | None:
    """Put one figure of all models on a line; None where no model has it."""
    values = [model["metrics"].get(name) for model in figures["models"]]
    if not any(values):
        return None
    return Line(words, values, [one.get(name) for one in figures["differences"]])


def place_lines(models: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Line]]]:
    """Put the accuracy at each site and scanner on a line, by what kind of place it is."""
    kinds = dict.fromkeys(kind for model in models for kind in model["groups"])
    found = []
    for kind in kinds:
        names = dict.fromkeys(name for model in models for name in model["groups"].get(kind, {}))
        lines = [Line(name, [model["groups"].get(kind, {}).get(name) for model in models]) for name in names]
        found.append((kind, lines))
    return found


def bin_lines(models: Sequence[Mapping[str, Any]]) -> list[tuple[int, list[Mapping[str, float]]]]:
    """List each model's calibration bins."""
    return [(model["number"], model["calibration"]) for model in models]


def confusions_of(visit: Visit, model: Mapping[str, Any], words: Mapping[str, str]) -> list[Confusion]:
    """Lay out what a model takes for what."""
    return [
        Confusion(
            model["number"],
            words.get(table["choice"], ""),
            [words.get(name, name) for name in table["names"]],
            [
                (words.get(truth, truth), cells_of(visit, model["number"], table, row))
                for row, truth in enumerate(table["names"])
            ],
        )
        for table in model["confusion"]
    ]


def cells_of(visit: Visit, number: int, table: Mapping[str, Any], row: int) -> list[Cell]:
    """Lay out one truth; a finding that neither said has no list of its cases."""
    names, counts = table["names"], table["counts"][row]
    page, total = resolve_url("errors", project_id=visit.project.pk), max(sum(counts), 1)
    cells = []
    for column, count in enumerate(counts):
        listed = count and not (table["choice"] and row == column == 0)
        query = {"model": number, "choice": table["choice"], "truth": names[row], "thought": names[column]}
        query |= {"right": 1} if row == column else {}
        address = f"{page}?{urlencode({key: value for key, value in query.items() if value != ''})}"
        cells.append(Cell(count, count / total, row == column, address if listed else ""))
    return cells


def chart_of(models: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Give the browser what it draws: figures with intervals, and calibration."""
    intervals = [
        {"figure": words, "model": f"Model {model['number']}", **model["metrics"][name]}
        for name, words in OVERALL.items()
        for model in models
        if name in model["metrics"]
    ]
    calibration = [
        {"model": f"Model {model['number']}", **one} for model in models for one in model["calibration"]
    ]
    return {"intervals": intervals, "calibration": calibration}


def version_numbered(visit: Visit, number: int) -> ModelVersion | None:
    """Find one of the project's versions by its number."""
    return models_for(visit.user, visit.project.pk).filter(number=number).first()
