"""Reads of the learning room: for ML staff and administrators, and for machine work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import Role, User
from annotation.learning.models import Encoder, Evaluation, ModelVersion, Policy, Promotion, TrainingRun
from annotation.projects.models import Case, Part, Project
from annotation.projects.rules import ForbiddenError, LearnedQuestion, first_learnable
from annotation.projects.selectors import (
    project_for,
    protocol_in_force,
    question_learned,
    role_in,
    settings_in,
)
from annotation.projects.splits import unlearnable_parts
from annotation.readings.models import ReferenceStandard
from annotation.studies.models import Dataset, Series


class CurvePoint(TypedDict):
    """One model on the learning curve; the interval is 95 %, over patients."""

    labels: int
    value: float
    low: float
    high: float
    model_number: int
    created_at: datetime


def learning_project(user: User, project_id: UUID) -> Project:
    """Find a project whose models the person may see.

    raises: Project.DoesNotExist, ForbiddenError for readers, whom the models' figures could sway.
    """
    project = project_for(user, project_id)
    if role_in(user, project_id) not in (Role.ML_STAFF, "admin"):
        raise ForbiddenError("models and curves are for ML staff and administrators")
    return project


def learning_curve(user: User, project_id: UUID, metric: str = "balanced_accuracy") -> list[CurvePoint]:
    """How models did on the audit stream, oldest first; models that could not be judged are left out.

    Candidates of a training are left out too: they were never in use.
    """
    project = learning_project(user, project_id)
    in_use = Evaluation.objects.filter(model__project=project, model__origin=ModelVersion.Origin.REFIT)
    evaluations = in_use.filter(metrics__has_key=metric)
    return [
        CurvePoint(
            labels=one.model.label_count,
            value=one.metrics[metric]["value"],
            low=one.metrics[metric]["low"],
            high=one.metrics[metric]["high"],
            model_number=one.model.number,
            created_at=one.model.created_at,
        )
        for one in evaluations.select_related("model").order_by("model__number")
    ]


def models_for(user: User, project_id: UUID) -> QuerySet[ModelVersion]:
    """Model versions, newest first, with encoder, snapshot and evaluation."""
    project = learning_project(user, project_id)
    return project.models.select_related("encoder", "snapshot", "evaluation").order_by("-number")


def model_for(user: User, project_id: UUID, model_id: UUID) -> ModelVersion:
    """One model version of the project, with its card.

    raises: ModelVersion.DoesNotExist.
    """
    return models_for(user, project_id).select_related("card").get(pk=model_id)


def promotions_for(user: User, project_id: UUID) -> QuerySet[Promotion]:
    """Decisions about the project's encoder, newest first."""
    project = learning_project(user, project_id)
    return project.promotions.select_related("encoder", "previous", "model", "decided_by")


def runs_for(user: User, project_id: UUID) -> QuerySet[TrainingRun]:
    """Training runs of the project and of its data set, newest first."""
    project = learning_project(user, project_id)
    return TrainingRun.objects.filter(Q(project=project) | Q(project=None, dataset=project.dataset_id))


def encoders_for(user: User, project_id: UUID) -> QuerySet[Encoder]:
    """List encoders that the project can choose from, newest first."""
    return Encoder.objects.filter(dataset=learning_project(user, project_id).dataset_id)


def policy_of(user: User, project_id: UUID) -> Policy:
    """Give the project's policy, or the default that it will get."""
    project = learning_project(user, project_id)
    policy = Policy.objects.select_related("encoder").filter(project=project).first()
    return policy or Policy(project=project)


@dataclass(frozen=True)
class Labelled:
    """A reference standard as machine work needs it. chosen: one choice, or any number of several.

    likely: how likely each choice is, where several readings left doubt and the project lets models learn it.
    """

    case_id: UUID
    content_digest: str
    patient_id: UUID
    stream: str
    chosen: tuple[str, ...]
    likely: Mapping[str, float] | None = None


def snapshot_row(row: Labelled, question: LearnedQuestion) -> dict[str, Any]:
    """Write a label as a snapshot keeps it: as the question's answers are written."""
    label = list(row.chosen) if question.takes_several else row.chosen[0]
    kept = {"case": str(row.case_id), "digest": row.content_digest, "label": label}
    return kept if row.likely is None else kept | {"likely": dict(row.likely)}


def question_of(project_id: UUID) -> tuple[str, list[str]]:
    """Find the key of the question that models learn to answer, and the classes in order."""
    question = question_learned(project_id)
    return question.key, question.classes


def labelled(project_id: UUID) -> list[Labelled]:
    """List reference standards with an answer of the protocol in force; for machine work, so not scoped.

    Cases of the audit stream are among them: they judge, and are never learned from. Of the pool only those
    that the project's split, where it has one, is to train on.
    """
    protocol = protocol_in_force(project_id)
    question, is_soft = first_learnable(protocol.questions), settings_in(protocol).soft_labels
    rows = (
        ReferenceStandard.objects.filter(case__project=project_id)
        .exclude(case__stream=Case.Stream.POOL, case__part__in=unlearnable_parts(project_id))
        .order_by("case__number")
    )
    columns = ["case_id", "case__series__content_digest", "case__patient_id", "case__stream", "answers"]
    doubt = [f"uncertainty__{question.key}"] if is_soft else []
    return [
        Labelled(case_id, digest, patient_id, stream, chosen, likely_in(*doubted))
        for case_id, digest, patient_id, stream, answers, *doubted in rows.values_list(*columns, *doubt)
        if (chosen := question.chosen(answers.get(question.key))) is not None
    ]


def likely_in(doubt: Mapping[str, Any] | None = None) -> Mapping[str, float] | None:
    """Read how likely each choice is from what fusing left of doubt."""
    found = doubt or {}
    return found.get("distribution") or found.get("shares")


def teachable_series(dataset: Dataset) -> QuerySet[Series]:
    """List series that an encoder may learn from: no project judges by them, holds them out or tests on them.

    Where a project's patients are divided, who has no place yet may be of the test: those wait too.
    """
    not_learned = ~Q(stream=Case.Stream.POOL) | Q(part__in=[Part.VAL, Part.TEST])
    not_placed = Q(part="", project__division__isnull=False)
    judged = Case.objects.filter(not_learned | not_placed, series__study__dataset=dataset)
    series = Series.objects.filter(study__dataset=dataset).exclude(pk__in=judged.values("series"))
    return series.exclude(content_digest="")


def encoder_in_use(project_ids: Sequence[UUID]) -> dict[UUID, Encoder]:
    """Find the encoder that each project has chosen; for machine work."""
    policies = Policy.objects.filter(project__in=project_ids, encoder__isnull=False).select_related("encoder")
    return {policy.project_id: policy.encoder for policy in policies if policy.encoder is not None}


def held_out_cases(project_id: UUID, split: str) -> list[tuple[UUID, str]]:
    """Cases of a held-out split with their series' digest; for machine work."""
    cases = Case.objects.filter(project=project_id, stream=Case.Stream.HELD_OUT, split=split)
    return list(cases.order_by("number").values_list("pk", "series__content_digest"))
