"""The body of a job: which labels heads that never saw them doubt, and which readings were too fast."""

import time
from typing import Any

import numpy as np
from django.utils import timezone

from annotation.learning import services
from annotation.learning.check_models import LabelCheck
from annotation.learning.rules import ready_to_choose
from annotation.projects.models import Project
from annotation.queue.label_quality import Checked, hasty_among, keep_check, times_of
from mlworker import loop
from mlworker.driving import recipe_by
from mlworker.evaluation.doubt import doubted, out_of_fold
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
    with work.commit():
        keep_check(
            project=project,
            found=Checked(
                found, hasty_among(spent), labels, len(spent), round(time.monotonic() - started, 2)
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


def words_of(now: Situation, decision: int, number: int) -> str:
    """Put a class of a decision into words."""
    if not now.question.takes_several:
        return now.question.words_of(now.target.choices[number])
    words = now.question.words_of(now.target.choices[decision])
    return words if number else f"Not: {words}"
