"""The agreement page: how readers agree with each other, with themselves and with the model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.charts import Chart, Point, Series, chart
from annotation.api.pages.forest import Entry, Forest, forest
from annotation.api.pages.frame import project_page
from annotation.api.pages.similar import batch_of_form
from annotation.api.pages.splits import progress
from annotation.projects.selectors import protocol_in_force, settings_in
from annotation.queue.agreement import (
    agreement_for,
    author_names,
    is_comparable,
    readings_since,
    request_agreement,
)
from annotation.queue.mistakes import READ_AGAIN
from annotation.queue.rereads import apart
from jobs.selectors import jobs_now

JOBS = ["measure_agreement"]
PAIRS_SHOWN, MARKS, WORST_SHOWN, CONFUSIONS_SHOWN, FEW_COLUMNS = 30, 20, 12, 8, 2
NOBODY = "somebody who left"
# The column of a pair's table that the plot shows.
PLOTTED = {"kappa": "Cohen's κ", "dice": "Dice", "f1": "F1", "icc": "ICC (2,1)"}
CHOSEN = ("single", "ordinal", "multi", "number")
MODEL_CHOSE = "On the audit stream, where nobody saw what the model thought"
MODEL_DRAWN = "First readings whose reader did not see what the model proposed; the reader first"
LEVELS = {"bias": "Mean difference", "lower": "Lower limit", "upper": "Upper limit"}
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """A line of a table: what it is of, and its statistics in the order of the columns."""

    name: str
    cells: list[Row]
    count: int | None = None


@dataclass(frozen=True)
class Table:
    """Statistics with their plot. hidden: lines that are left out here."""

    title: str
    caption: str
    columns: list[str]
    lines: list[Line]
    plot: Forest | None
    hidden: int = 0

    @property
    def is_narrow(self) -> bool:
        """Whether its plot has room beside it."""
        return len(self.columns) <= FEW_COLUMNS


@dataclass(frozen=True)
class Curve:
    """How regions match: a plot with its numbers beside it. at: what the first column says."""

    title: str
    caption: str
    at: str
    column: str
    chart: Chart | None
    lines: list[Line]


@dataclass(frozen=True)
class Shown:
    """One question."""

    key: str
    prompt: str
    row: Row
    tables: list[Table]
    months: Chart | None
    differences: Chart | None
    curves: list[Curve]


@require_GET
@member(Role.ML_STAFF, ADMIN)
def agreement(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show what the newest measurement found, and what it would need where there is nothing."""
    if request.headers.get("HX-Request"):
        return progress(request, visit, "agreement", JOBS)
    found = agreement_for(visit.user, visit.project.pk)
    names = author_names(visit.project.pk)
    compared = max((row["cases"] for row in found.figures.values()), default=0) if found else 0
    return project_page(
        request,
        "learning/agreement.html",
        "learning",
        visit,
        found=found,
        questions=[shown(key, row, names) for key, row in found.figures.items()] if found else [],
        since=readings_since(found) if found else 0,
        compared=compared,
        several=compared > 0 or is_comparable(visit.project.pk),
        settings=settings_in(protocol_in_force(visit.project.pk)),
        **jobs_now([visit.project.pk], JOBS)._asdict(),
    )


@require_POST
@member(Role.ML_STAFF)
def measure(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask for a new measurement."""
    request_agreement(project=visit.project, by=visit.user)
    messages.success(request, "Asked for. It takes seconds.")
    return redirect("agreement", project_id=visit.project.pk)


@require_POST
@member(Role.ML_STAFF)
def read_disputed(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Have cases that readers disagree on read once more by another reader."""
    batch_of_form(request, visit, why=READ_AGAIN, again=True)
    return redirect("agreement", project_id=visit.project.pk)


def shown(key: str, row: Row, names: Mapping[str, str]) -> Shown:
    """Lay out one question."""
    return Shown(
        key=key,
        prompt=row["prompt"],
        row={
            **row,
            "worst": apart(row)[:WORST_SHOWN],
            "confusions": row.get("confusions", [])[:CONFUSIONS_SHOWN],
            "statistics": [one for one in row["statistics"] if one[1]["value"] is not None],
        },
        tables=[one for one in tables_of(row, names) if one.lines],
        months=months_of(row),
        differences=differences_of(row, names),
        curves=[one for one in (matching_of(row), froc_of(row)) if one is not None],
    )


def matching_of(row: Row) -> Curve | None:
    """Draw how agreement on regions falls as they must overlap more."""
    caption = "Regions of two readers are the same where they overlap by as much; over all pairs"
    return curve_of(row.get("matching", []), "f1", "By overlap", caption, ("Overlap, at least", "F1"))


def froc_of(row: Row) -> Curve | None:
    """Draw which share of readers' regions the model finds, by how many false ones it proposes."""
    caption = "What the model proposed where the reader did not see it, against what the reader drew (FROC)"
    words = ("False regions a case", "Sensitivity")
    return curve_of(row.get("froc", []), "sensitivity", "The model's regions", caption, words)


def curve_of(rows: Sequence[Row], key: str, title: str, caption: str, words: tuple[str, str]) -> Curve | None:
    """Lay out a curve; None where there is nothing to draw."""
    known = [(one["at"], one[key]) for one in rows if one[key]["value"] is not None]
    if not known:
        return None
    at, column = words
    points = [
        Point(x, cell["value"], cell["low"], cell["high"], f"{x:g}: {cell['value']:.2f}") for x, cell in known
    ]
    drawn = chart(
        [Series(column, points)],
        title=f"{title}: {column}",
        x_title=at.lower(),
        y_title=f"{column}, with its 95 % interval",
        y_limits=(0.0, 1.0),
    )
    return Curve(title, caption, at, column, drawn, [Line(f"{x:g}", [cell]) for x, cell in known])


def tables_of(row: Row, names: Mapping[str, str]) -> list[Table]:
    """Lay out all that is compared."""
    columns = [words for _, words in row["columns"]]
    keys = [key for key, _ in row["columns"]]

    def of_pairs(part: str, title: str, caption: str) -> Table:
        rows = sorted(row.get(part, []), key=lambda one: ranked(one, keys))
        lines = [Line(name_of(one, names), [one[key] for key in keys]) for one in rows[:PAIRS_SHOWN]]
        return Table(
            title, caption, columns, lines, plot_of(lines, keys, title), max(0, len(rows) - PAIRS_SHOWN)
        )

    return [
        of_pairs(
            "pairs", "Between readers", "Each two who read the same cases, those that agree least first"
        ),
        of_pairs("model", "With the model", MODEL_CHOSE if row.get("kind") in CHOSEN else MODEL_DRAWN),
        of_pairs(
            "repeats",
            "With oneself",
            "Cases that a reader read twice: planned repeats, and copies found as near-duplicates",
        ),
        part_table(row, "classes", "By answer", "One answer against all others"),
        part_table(row, "sites", "By site", "Where images come from: the site's name, else the scanner's"),
        part_table(row, "months", "Over time", "By the month of a case's newest reading"),
    ]


def ranked(row: Row, keys: Sequence[str]) -> float:
    """Value by which lines are ordered; what is not defined comes last."""
    key = next(key for key in keys if key in PLOTTED)
    return 2.0 if row[key]["value"] is None else row[key]["value"]


def name_of(row: Row, names: Mapping[str, str]) -> str:
    """Name who is compared, by number or source."""
    who = [row[side] for side in ("one", "other") if side in row]
    return " and ".join(names.get(author, NOBODY) for author in who)


def plot_of(lines: Sequence[Line], keys: Sequence[str], title: str) -> Forest | None:
    """Draw a table's main column."""
    at, words = next((place, PLOTTED[key]) for place, key in enumerate(keys) if key in PLOTTED)
    return forest(
        [entry(line.name, line.cells[at]) for line in lines[:MARKS] if line.cells[at]["value"] is not None],
        title=f"{title}: {words}",
        x_title=f"{words}, with its 95 % interval",
    )


def entry(name: str, cell: Row) -> Entry:
    """Take a statistic for the plot."""
    return Entry(name, cell["value"], cell["low"], cell["high"])


def part_table(row: Row, part: str, title: str, caption: str) -> Table:
    """Lay out one statistic by class, site or month; one site or month alone says nothing new."""
    rows = row.get(part, [])
    rows = rows if part == "classes" or len(rows) > 1 else []
    lines = [Line(one["name"], [one["value"]], one.get("count")) for one in rows]
    marks = [entry(line.name, line.cells[0]) for line in lines if line.cells[0]["value"] is not None]
    measure = row["measure"]
    plot = None if part == "months" else forest(marks[:MARKS], title=f"{title}: {measure}", x_title=measure)
    return Table(title, caption, [measure], lines, plot)


def months_of(row: Row) -> Chart | None:
    """Draw how agreement went, where there are months enough."""
    cells = [
        (one["name"], one["value"]) for one in row.get("months", []) if one["value"]["value"] is not None
    ]
    if len(cells) < 2:
        return None
    points = [
        Point(place, cell["value"], cell["low"], cell["high"], f"{name}: {cell['value']:.2f}")
        for place, (name, cell) in enumerate(cells, start=1)
    ]
    return chart(
        [Series(row["measure"], points)],
        title=f"{row['measure']} by month",
        x_title=f"months from {cells[0][0]} to {cells[-1][0]}",
        y_title=f"{row['measure']}, with its 95 % interval",
        y_limits=(-1.0, 1.0),
    )


def differences_of(row: Row, names: Mapping[str, str]) -> Chart | None:
    """Draw differences over means, as Bland and Altman do, of the two who measured most in common."""
    most = row.get("differences")
    if not most:
        return None
    who, unit = name_of(most, names), f", {row['unit']}" if row.get("unit") else ""
    points = [Point(x, y, title=f"{y:+.3g} at {x:.3g}") for x, y in sorted(most["points"])]
    pair = next(one for one in row["pairs"] if (one["one"], one["other"]) == (most["one"], most["other"]))
    levels = [(words, pair[key]["value"]) for key, words in LEVELS.items() if pair[key]["value"] is not None]
    ends = points[0].x, points[-1].x
    lines = [Series(words, [Point(x, level) for x in ends]) for words, level in levels]
    return chart(
        [Series(who, points), *lines],
        title=f"Differences of {who} over their means",
        x_title=f"mean of both{unit}",
        y_title=f"{who}: first less second{unit}",
    )
