"""The body of a job: models side by side on the audit stream as it is labelled now, case by case; no torch.

Each version predicts from its stored heads on its own encoder's vectors, so all of them are judged on the
same cases, whenever they were made. Temperatures are fitted on other patients' labels, as a refit does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
from django.utils import timezone

from annotation.learning import selectors
from annotation.learning.files import content_of
from annotation.learning.judged import Judged, keep_comparison
from annotation.learning.judged_models import Comparison, JudgedCase
from annotation.learning.models import ModelVersion
from annotation.projects.models import Case, Project
from annotation.projects.rules import LearnedQuestion
from annotation.projects.selectors import question_learned
from mlworker.cards import groups_of, parts_of
from mlworker.comparison import by_group, compared
from mlworker.driving import target_of
from mlworker.evaluation.calibration import cross_fitted
from mlworker.evaluation.intervals import judged
from mlworker.evaluation.metrics import Floats, Labels
from mlworker.heads.artefact import unpacked
from mlworker.numbering import numbered
from mlworker.runtime import Work
from mlworker.targets import MULTI, PRESENT, Target, likeliest
from mlworker.vectors import store_of

BINS: Final = 10
DIGITS: Final = 4
THERE, ABSENT = "present", "absent"


class OtherQuestionError(Exception):
    """A version answers another question than the project asks now."""


@dataclass(frozen=True)
class Stream:
    """Audit cases that every version can judge."""

    rows: list[selectors.Labelled]
    labels: Labels
    patients: Labels
    groups: list[dict[str, str]]
    left_out: int


def compare_models(work: Work, project_id: str, numbers: list[int]) -> None:
    """Judge, compare, keep; the same job again changes nothing."""
    if Comparison.objects.filter(job_id=work.job_id).exists():
        return
    project = Project.objects.select_related("dataset").get(pk=project_id)
    found = judged_side_by_side(project, numbers, work.progress)
    with work.commit():
        keep_comparison(project=project, found=found, job_id=work.job_id, now=timezone.now())


def judged_side_by_side(
    project: Project, numbers: Sequence[int], told: Callable[[float, str], None]
) -> Judged:
    """Judge versions on the audit cases whose vectors all of their encoders have.

    raises: OtherQuestionError.
    """
    versions = list(project.models.filter(number__in=numbers).select_related("encoder").order_by("number"))
    question = question_learned(project.pk)
    for version in versions:
        if version.classes != question.classes:
            raise OtherQuestionError(
                f"model {version.number} answers other choices than the protocol has now"
            )
    target, stream = target_of(question), stream_of(project, versions, target_of(question))
    said: dict[UUID, Floats] = {}
    for place, version in enumerate(versions):
        told(place / len(versions), f"Judging model {version.number}")
        said[version.pk] = predicted(version, stream)
    figures = [figures_of(version, said[version.pk], stream, target) for version in versions]
    whole = {
        "models": figures,
        "differences": differences(versions, said, stream, target),
        "classes": question.classes,
        "words": {value: question.words_of(value) for value in question.classes},
        "kind": target.kind,
        "left_out": stream.left_out,
    }
    cases = {one.pk: case_rows(one, said[one.pk], stream, question) for one in versions}
    return Judged(versions, whole, cases, len(stream.rows))


def stream_of(project: Project, versions: Sequence[ModelVersion], target: Target) -> Stream:
    """Read the audit stream's labels, as far as all encoders have seen the images."""
    rows = [row for row in selectors.labelled(project.pk) if row.stream == Case.Stream.AUDIT]
    digests, known = [row.content_digest for row in rows], np.ones(len(rows), dtype=bool)
    for encoder in {version.encoder for version in versions}:
        known &= store_of(encoder).rows(digests) >= 0
    kept = [row for row, has in zip(rows, known, strict=True) if has]
    patients = numbered(row.patient_id for row in kept)
    labels = target.labels([row.chosen for row in kept])
    return Stream(kept, labels, patients, places_of(kept), len(rows) - len(kept))


def places_of(rows: Sequence[selectors.Labelled]) -> list[dict[str, str]]:
    """Say where each case comes from: its scanner, maker and delivery, and its site where one is told."""
    groups = groups_of(rows)
    sites: dict[UUID, str] = {}
    for part in parts_of([row.case_id for row in rows]):
        told = Case.objects.filter(pk__in=part, acquisition__isnull=False).exclude(acquisition__site="")
        sites |= dict(told.values_list("pk", "acquisition__site"))
    return [
        group | ({"site": sites[row.case_id]} if row.case_id in sites else {})
        for group, row in zip(groups, rows, strict=True)
    ]


def predicted(version: ModelVersion, stream: Stream) -> Floats:
    """Predict by the stored heads, each case cooled as other patients say: (case, decision, class)."""
    ensemble, _ = unpacked(content_of(version.artefact_name, digest=version.artefact_digest))
    store = store_of(version.encoder)
    vectors = store.vectors(store.rows([row.content_digest for row in stream.rows]))
    raw = ensemble.mean_probabilities(vectors)
    return cross_fitted(raw, stream.labels, stream.patients, seed=0) if len(raw) else raw


def figures_of(version: ModelVersion, said: Floats, stream: Stream, target: Target) -> dict[str, Any]:
    """Measure one version: metrics with intervals, groups, calibration and confusion."""
    verdict = judged(said, stream.labels, stream.patients, target=target)
    return {
        "number": version.number,
        "labels": version.label_count,
        "metrics": {name: one.as_row() for name, one in verdict.estimates.items()},
        "reason": verdict.reason,
        "groups": by_group(said, stream.labels, stream.patients, stream.groups) if stream.rows else {},
        "calibration": calibration_of(said, stream.labels),
        "confusion": confusion_of(said, stream.labels, target),
    }


def differences(
    versions: Sequence[ModelVersion], said: Mapping[UUID, Floats], stream: Stream, target: Target
) -> list[dict[str, Any]]:
    """Compare each version with the first, on the same resampled patients."""
    first = versions[0]
    return [
        {"number": other.number, "against": first.number}
        | compared(said[other.pk], said[first.pk], stream.labels, stream.patients, target=target)
        for other in versions[1:]
    ]


def calibration_of(said: Floats, labels: Labels) -> list[dict[str, float]]:
    """Sort predictions by how sure they are: how sure on average, and how often right, in bins of a tenth."""
    if not len(labels):
        return []
    sure = said.max(axis=-1).ravel()
    right = (likeliest(said) == labels).ravel()
    places = np.minimum((sure * BINS).astype(int), BINS - 1)
    return [
        {
            "sure": round(float(sure[places == one].mean()), DIGITS),
            "right": round(float(right[places == one].mean()), DIGITS),
            "count": int((places == one).sum()),
        }
        for one in np.unique(places).tolist()
    ]


def confusion_of(said: Floats, labels: Labels, target: Target) -> list[dict[str, Any]]:
    """Count what was taken for what, cell by cell; of several findings, each by itself."""
    thought = likeliest(said)
    if target.kind != MULTI:
        names = target.choices
        counts = np.zeros((len(names), len(names)), dtype=int)
        np.add.at(counts, (labels[:, 0], thought[:, 0]), 1)
        return [{"choice": "", "names": list(names), "counts": counts.tolist()}]
    tables = []
    for decision, name in enumerate(target.choices):
        counts = np.zeros((2, 2), dtype=int)
        np.add.at(counts, (labels[:, decision], thought[:, decision]), 1)
        tables.append({"choice": name, "names": [ABSENT, THERE], "counts": counts.tolist()})
    return tables


def case_rows(
    version: ModelVersion, said: Floats, stream: Stream, question: LearnedQuestion
) -> list[JudgedCase]:
    """Make a row a case; of several findings one for each that is there or was thought to be."""
    thought, several = likeliest(said), question.takes_several
    wanted = (stream.labels == PRESENT) | (thought == PRESENT) if several else np.ones_like(thought, bool)
    return [
        JudgedCase(
            model=version,
            case_id=stream.rows[case].case_id,
            choice=question.classes[decision] if several else "",
            truth=name_of(question, int(stream.labels[case, decision])),
            thought=name_of(question, int(thought[case, decision])),
            share=round(float(said[case, decision, thought[case, decision]]), DIGITS),
            truth_share=round(float(said[case, decision, stream.labels[case, decision]]), DIGITS),
            scanner=stream.groups[case].get("scanner", "")[:160],
            site=stream.groups[case].get("site", "")[:64],
            is_right=bool(thought[case, decision] == stream.labels[case, decision]),
        )
        for case, decision in zip(*np.nonzero(wanted), strict=True)
    ]


def name_of(question: LearnedQuestion, number: int) -> str:
    """Name a class of a decision."""
    if question.takes_several:
        return THERE if number == PRESENT else ABSENT
    return question.classes[number]
