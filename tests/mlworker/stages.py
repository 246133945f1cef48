"""Projects with cases, vectors and labels, for tests of the jobs."""

import uuid
from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
from django.utils import timezone

from annotation.learning import services
from annotation.learning.models import Encoder, ModelVersion
from annotation.projects.models import Case, Project
from annotation.queue.models import Entry
from annotation.readings.models import ReferenceStandard
from jobs.models import Job
from mlworker.runtime import run
from mlworker.vectors import store_of
from tests.factories import CHOICES, a_project, some_cases

WIDTH = 16


def an_encoder(project: Project) -> Encoder:
    """An encoder whose vectors tests write themselves; the project has chosen it."""
    new = services.NewEncoder(
        name="by hand",
        digest=uuid.uuid4().hex * 2,
        dimension=WIDTH,
        preprocessing={},
        weights_name="",
        report={},
    )
    encoder = services.register_encoder(dataset=project.dataset, new=new, now=timezone.now())
    services.choose_encoder(project=project, encoder=encoder)
    return encoder


def truth_of(case: Case) -> int:
    """The class that a case's vector tells."""
    return case.number % len(CHOICES)


def store_vectors(encoder: Encoder, cases: Sequence[Case]) -> None:
    """Vectors that a linear head can tell apart."""
    random = np.random.default_rng(0)
    truth = np.array([truth_of(case) for case in cases])
    vectors = random.normal(size=(len(cases), WIDTH)) + 6.0 * np.eye(len(CHOICES), WIDTH)[truth]
    store_of(encoder).append([case.series.content_digest for case in cases], vectors)


def read(cases: Sequence[Case]) -> None:
    """Reference standards, as readings would make them."""
    now = timezone.now()
    ReferenceStandard.objects.bulk_create(
        ReferenceStandard(
            case=case, answers={"finding": CHOICES[truth_of(case)][0]}, readings=1, updated_at=now
        )
        for case in cases
    )
    Entry.objects.filter(case__in=cases).update(state=Entry.State.DONE)


def a_stage(count: int = 60, *, audit_share: float = 0.3) -> tuple[Project, list[Case]]:
    """A project whose cases all have vectors."""
    project = a_project()
    some_cases(project, count, audit_share=audit_share)
    cases = list(project.cases.select_related("series").order_by("number"))
    store_vectors(an_encoder(project), cases)
    return project, cases


def of_stream(cases: Sequence[Case], stream: str) -> list[Case]:
    """Cases of one stream, the classes in turn: the first ones hold every class, however they were drawn."""
    drawn = [case for case in cases if case.stream == stream]
    by_class = [[case for case in drawn if truth_of(case) == number] for number in range(len(CHOICES))]
    return [case for turn in zip_longest(*by_class) for case in turn if case is not None]


def refitted(project: Project) -> Job:
    """Ask for a refit and do it."""
    job = services.ask_refit(project_id=project.pk)
    run(job.pk)
    job.refresh_from_db()
    return job


def a_judged_project(versions: int = 1) -> Project:
    """Make a project with versions that can be judged on its audit stream."""
    project, cases = a_stage(80, audit_share=0.5)
    read(of_stream(cases, Case.Stream.POOL)[:16])
    read(of_stream(cases, Case.Stream.AUDIT)[:20])
    for _ in range(versions):
        refitted(project)
    return project


def same_model_twice(project: Project) -> tuple[ModelVersion, ModelVersion]:
    """Refit twice: the same labels are the same snapshot and the same artefact."""
    refitted(project)
    refitted(project)
    first, second = ModelVersion.objects.order_by("number")
    assert (first.snapshot, first.artefact_digest) == (second.snapshot, second.artefact_digest)
    return first, second
