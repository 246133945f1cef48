"""The body of a job: how well new images can be told from labelled ones by their vectors; no torch.

A classifier two-sample test (Lopez-Paz and Oquab 2017): heads that learned from other patients tell the two
sides apart as well as chance, 0.5, where they are alike.
"""

from typing import Final
from uuid import UUID

import numpy as np
from django.utils import timezone

from annotation.learning.drifts import Sides, keep_drift, sides_of
from annotation.learning.judged_models import Drift
from annotation.projects.models import Project
from annotation.readings.intervals import Estimate
from mlworker import loop
from mlworker.evaluation.doubt import out_of_fold
from mlworker.evaluation.intervals import OVERALL, estimate
from mlworker.heads.ensemble import Recipe
from mlworker.numbering import numbered
from mlworker.runtime import Work
from mlworker.targets import SINGLE, Target
from mlworker.turn import Cases, Labelled
from mlworker.vectors import encoder_of, store_of

FEWEST: Final = 30
MOST: Final = 1_000
SIDES: Final = Target(SINGLE, ("labelled", "new"))


def measure_drift(work: Work, project_id: str) -> None:
    """Measure and keep; the same job again changes nothing."""
    if Drift.objects.filter(job_id=work.job_id).exists():
        return
    project = Project.objects.get(pk=project_id)
    sides = sides_of(project.pk)
    reason = too_few(sides)
    work.progress(0.2, f"{len(sides.new)} new images, {len(sides.labelled)} labelled before")
    found = None if reason else drift_of(project, sides)
    with work.commit():
        keep_drift(
            project=project,
            sides=sides,
            found=found,
            reason=reason,
            job_id=work.job_id,
            now=timezone.now(),
        )


def too_few(sides: Sides) -> str:
    """Say why the sides cannot be compared, or nothing."""
    if len(sides.labelled) < FEWEST:
        return f"{len(sides.labelled)} images are labelled that came before the newest day: it needs {FEWEST}"
    if len(sides.new) < FEWEST:
        return f"{len(sides.new)} images came on the newest day: it needs {FEWEST}"
    return ""


def drift_of(project: Project, sides: Sides, *, seed: int = 0) -> Estimate:
    """Area under the ROC curve of telling new from labelled, over patients; at most MOST images a side."""
    store = store_of(encoder_of(project))
    rows: list[tuple[int, UUID, int]] = []
    for number, side in enumerate((sides.labelled, sides.new)):
        places = store.rows([digest for digest, _ in side])
        kept = np.flatnonzero(places >= 0)
        drawn = np.random.default_rng(seed).permutation(kept)[:MOST]
        rows += [(int(places[at]), side[at][1], number) for at in np.sort(drawn).tolist()]
    patients = numbered(patient for _, patient, _ in rows)
    vectors = store.vectors(np.array([row for row, _, _ in rows], dtype=np.intp))
    labels = np.array([[side] for _, _, side in rows], dtype=np.intp)
    known = Labelled(Cases(np.arange(len(rows), dtype=np.uint64), vectors), labels, patients)
    said = out_of_fold(Recipe(SIDES), known, scaling=loop.scaling_of(known.cases), seed=seed)
    return estimate(OVERALL["macro_auc"], said, labels, patients, seed=seed)
