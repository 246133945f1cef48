"""The body of a job: which labels heads that never saw them doubt, and which readings were too fast."""

import time
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
from django.utils import timezone

from annotation.learning import services
from annotation.learning.check_models import LabelCheck
from annotation.learning.rules import ready_to_choose
from annotation.projects.models import Project
from annotation.queue.label_quality import (
    Checked,
    compared_of,
    hasty_among,
    keep_check,
    read_alone_since,
    times_of,
)
from mlworker import loop
from mlworker.driving import recipe_by
from mlworker.evaluation.doubt import doubted, out_of_fold
from mlworker.evaluation.skills import Week, change_in, weeks_of
from mlworker.refit import Situation, situation_of
from mlworker.runtime import Work

DIGITS = 4
FEWEST_PATIENTS = 2


def check_labels(work: Work, project_id: str) -> None:
    """Look through a project's labels; the same job again changes nothing."""
    if LabelCheck.objects.filter(job_id=work.job_id).exists():
        return
    started = time.monotonic()
    project = Project.objects.select_related("dataset").get(pk=project_id)
    spent = list(times_of(project.pk))
    work.progress(0.2, f"{len(spent)} readings")
    labels, found = doubts_in(project)
    drifts = drifts_in(project.pk)
    with work.commit():
        keep_check(
            project=project,
            found=Checked(
                found, hasty_among(spent), labels, len(spent), round(time.monotonic() - started, 2), drifts
            ),
            job_id=work.job_id,
            now=timezone.now(),
        )


def doubts_in(project: Project) -> tuple[int, list[dict[str, Any]]]:
    """Give how many labels of the pool were looked at, and those in doubt; none while there are too few.

    One patient's labels are too few: heads that judge them learn from other patients.
    """
    policy = services.policy_for(project)
    if policy.encoder is None:
        return 0, []
    now = situation_of(project, policy, policy.encoder)
    known = now.pool.labelled
    if len(np.unique(known.patients)) < FEWEST_PATIENTS:
        return 0, []
    if not ready_to_choose(now.target.counts(known.labels), choices=len(now.target.choices)):
        return 0, []
    likely = out_of_fold(
        recipe_by(policy, now.target), known, scaling=loop.scaling_of(known.cases), seed=policy.seed
    )
    found = doubted(likely, known.labels)
    numbers = dict(project.cases.values_list("pk", "number"))
    return len(known.cases), [
        {
            "number": numbers[now.pool.rows[case].case_id],
            "label": words_of(now, decision, int(known.labels[case, decision])),
            "thought": words_of(now, decision, thought),
            "label_share": round(float(likely[case, decision, known.labels[case, decision]]), DIGITS),
            "thought_share": round(float(likely[case, decision, thought]), DIGITS),
        }
        for case, decision, thought in zip(
            found.cases.tolist(), found.decisions.tolist(), found.thought.tolist(), strict=True
        )
    ]


def drifts_in(project_id: UUID) -> list[dict[str, Any]]:
    """Tell of each reader how often they were right by week, those first who are right less often now."""
    told: dict[str, dict[date, tuple[int, int]]] = {}
    for one in compared_of(project_id):
        days = told.setdefault(one.reader, {})
        right, count = days.get(one.day, (0, 0))
        days[one.day] = right + one.is_right, count + 1
    rows = [drift_row(project_id, reader, weeks_of(days)) for reader, days in told.items()]
    return sorted(rows, key=lambda row: (not row["falls"], row["change"] is None, row["reader"]))


def drift_row(project_id: UUID, reader: str, weeks: list[Week]) -> dict[str, Any]:
    """Write a reader's weeks and what changed; numbers: cases that they alone have read since it fell."""
    change = change_in(weeks)
    falls = change is not None and change.is_fall
    return {
        "reader": reader,
        "weeks": [
            {"week": week.start.isoformat(), "right": week.right, "of": week.of} | week.estimate().as_row()
            for week in weeks
        ],
        "change": change
        and {
            "since": change.since.isoformat(),
            "before": change.before.as_row(),
            "after": change.after.as_row(),
            "p": change.p,
        },
        "falls": falls,
        "numbers": read_alone_since(project_id, UUID(reader), change.since) if change and falls else [],
    }


def words_of(now: Situation, decision: int, number: int) -> str:
    """Put a class of a decision into words."""
    if not now.question.takes_several:
        return now.question.words_of(now.target.choices[number])
    words = now.question.words_of(now.target.choices[decision])
    return words if number else f"Not: {words}"
