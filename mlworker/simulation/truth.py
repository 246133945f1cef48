"""Known answers of a delivery's table, by case of a project."""

import csv
from pathlib import Path
from uuid import UUID

from annotation.projects.models import Case, Project
from annotation.projects.rules import LearnedQuestion
from annotation.studies.models import ImportedFile
from mlworker.replay.tables import SEVERAL, chosen_in
from mlworker.targets import MULTI


class TruthError(ValueError):
    """The table cannot answer for the project's cases."""


Answer = str | list[str]


def table_of(path: Path, question: LearnedQuestion) -> dict[str, Answer]:
    """Read `path,label[,…]`, or `path,labels[,…]` with semicolons where several can be chosen.

    returns: the answer by path relative to the delivery's root, as a reader gives it.
    raises: TruthError naming the column that is missing.
    """
    kind = question.kind
    column = SEVERAL if kind == MULTI else "label"
    with path.open(newline="") as lines:
        reader = csv.DictReader(lines)
        if not {"path", column} <= set(reader.fieldnames or ()):
            raise TruthError(f"{path} has no columns path and {column}")
        return {row["path"]: chosen_in(row[column], kind) if kind == MULTI else row[column] for row in reader}


def answers_of(project: Project, table: dict[str, Answer]) -> dict[UUID, Answer]:
    """Find the known answer of each case, joined through the files that were imported.

    raises: TruthError where a case that readers could get has none.
    """
    arrivals = ImportedFile.objects.filter(instance__series__cases__project=project)
    by_series = {
        series_id: table[path]
        for series_id, path in arrivals.values_list("instance__series_id", "path")
        if path in table
    }
    cases = dict(project.cases.values_list("pk", "series_id"))
    unknown = [pk for pk, series_id in cases.items() if series_id not in by_series]
    if unknown:
        raise TruthError(
            f"{len(unknown)} of {len(cases)} cases have no row in the table: is it this delivery's?"
        )
    return {pk: by_series[series_id] for pk, series_id in cases.items()}


def judging_cases(project: Project) -> tuple[str, list[Case]]:
    """Choose what curves are drawn on: the held-out test split where there is one, else the audit stream."""
    cases = project.cases.select_related("series").order_by("number")
    held_out = list(cases.filter(stream=Case.Stream.HELD_OUT, split="test"))
    if held_out:
        return "held-out test split", held_out
    return "audit stream", list(cases.filter(stream=Case.Stream.AUDIT))
