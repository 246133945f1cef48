"""Projects whose readers answered and drew, on phantoms and on real images."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from annotation.exchange.imports import open_delivery, run_delivery
from annotation.exchange.out.freezing import freeze
from annotation.exchange.out.making import make
from annotation.learning.models import Snapshot
from annotation.projects.masks import written
from annotation.projects.models import Case, Project
from annotation.projects.protocols import document_of
from annotation.projects.services import start_project
from annotation.queue.services import lease_next
from annotation.queue.submissions import submit
from annotation.readings.measuring import Stack, stack_of
from annotation.readings.services import Answered
from jobs import services
from jobs.models import Job
from mlworker import runtime
from mlworker.registry import lookup
from tests import factories

Drawn = Mapping[str, Any]
Exported = Callable[[Snapshot, str], Path]


def labels(*values: str) -> list[dict[str, str]]:
    return [{"value": value, "label": value.replace("_", " ").capitalize()} for value in values]


QUESTIONS: list[dict[str, Any]] = [
    {
        "key": "finding",
        "prompt": "What do you see?",
        "kind": "single",
        "choices": labels("normal", "nodule"),
    },
    {
        "key": "signs",
        "prompt": "Which signs?",
        "kind": "multi",
        "required": False,
        "choices": labels("edema", "spiculation"),
    },
    {
        "key": "certainty",
        "prompt": "How sure?",
        "kind": "number",
        "unit": "%",
        "required": False,
        "min": 0,
        "max": 100,
    },
    {"key": "words", "prompt": "Anything else?", "kind": "text", "required": False},
    *(
        {
            "key": kind,
            "prompt": f"Draw a {kind}",
            "kind": kind,
            "required": False,
            "labels": labels("nodule", "scar"),
        }
        for kind in ("point", "line", "bidirectional", "angle", "box", "ellipse", "polygon")
    ),
    {
        "key": "organs",
        "prompt": "Paint",
        "kind": "segmentation",
        "required": False,
        "classes": labels("lung", "heart"),
    },
]


def a_drawing_project(name: str = "") -> Project:
    """A project that asks every kind of question."""
    document = document_of({"questions": QUESTIONS, "settings": {"suggestions": "never"}})
    return start_project(
        name=name or f"project-{uuid.uuid4().hex[:8]}", document=document, now=timezone.now()
    )


def imported(project: Project, source: Path, **settings: Any) -> None:
    """Bring a delivery in."""
    delivery = open_delivery(
        project=project, source_name=source.name, requested_by=None, now=timezone.now(), **settings
    )
    run_delivery(delivery.pk, source=source, progress=lambda _fraction, _message: None)


def read_all(project: Project, answers_of: Callable[[Case], Drawn], readers: int = 1) -> None:
    """Let readers answer every case that they are given."""
    for _ in range(readers):
        reader = factories.a_reader(project)
        work = lease_next(reader=reader, project_id=project.pk, now=timezone.now())
        while work.cases:
            held = work.cases[0]
            answered = Answered(dict(answers_of(held.case)), 7.5, 1, uuid.uuid4())
            work = submit(
                reader=reader,
                lease_id=held.lease.pk,
                case_id=held.case.pk,
                answered=answered,
                now=timezone.now(),
            ).workload


def a_region(stack: Stack, place: int, points: Any, label: str = "nodule") -> dict[str, Any]:
    """A region on a frame of a case."""
    picture = stack.pictures[place]
    return {
        "id": str(uuid.uuid4()),
        "label": label,
        "image": picture.sop_instance_uid,
        "frame": picture.frame,
        "points": [[float(value) for value in point] for point in points],
    }


def a_mask(stack: Stack, places: range, **classes: Any) -> dict[str, Any]:
    """A mask on some frames; classes: (slice, row, column) of booleans."""
    names = [
        one.sop_instance_uid
        if (one.sop_instance_uid, 2) not in stack.places
        else f"{one.sop_instance_uid}#{one.frame}"
        for one in (stack.pictures[place] for place in places)
    ]
    shape = next(iter(classes.values())).shape
    return written(shape, names, classes)


def blobs(shape: tuple[int, int, int]) -> dict[str, np.ndarray]:
    """Two classes that do not touch in every slice: a ring with a hole, and specks that touch by corners."""
    z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    away = np.hypot((y - shape[1] * 0.4) / shape[1], (x - shape[2] * 0.35) / shape[2])
    ring: Any = (away < 0.22) & (away > 0.1) & (z >= 0)
    specks = (
        (y > shape[1] * 0.7)
        & (y < shape[1] * 0.72)
        & (x > shape[2] * 0.6)
        & (x < shape[2] * 0.62)
        & ((x + y + z) % 2 == 0)
    )
    return {"lung": ring, "heart": specks & ~ring}


def drawn_on(case: Case) -> Drawn:
    """Answer everything, and draw one of every shape on the middle of a case."""
    stack = stack_of(case.series)
    place = len(stack.pictures) // 2
    first = stack.pictures[place].attributes
    high, wide = first["Rows"], first["Columns"]

    def at(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(round(x * wide, 3), round(y * high, 3)) for x, y in points]

    places = range(max(0, place - 1), min(len(stack.pictures), place + 2))
    painted = blobs((len(places), high, wide))
    return {
        "finding": "nodule",
        "signs": ["edema", "spiculation"],
        "certainty": 72.5,
        "words": "=SUM(A1) near the hilum",
        "point": [a_region(stack, place, at((0.31, 0.42)))],
        "line": [a_region(stack, place, at((0.2, 0.21), (0.63, 0.49)))],
        "bidirectional": [a_region(stack, place, at((0.3, 0.3), (0.45, 0.52), (0.28, 0.5), (0.4, 0.38)))],
        "angle": [a_region(stack, place, at((0.3, 0.3), (0.45, 0.52), (0.6, 0.3)))],
        "box": [
            a_region(stack, place, at((0.25, 0.3), (0.5, 0.55))),
            a_region(stack, 0, at((0.1, 0.1), (0.3, 0.2)), "scar"),
        ],
        "ellipse": [a_region(stack, place, at((0.3, 0.4), (0.5, 0.44), (0.42, 0.35), (0.38, 0.5)))],
        "polygon": [a_region(stack, place, at((0.3, 0.3), (0.62, 0.35), (0.55, 0.6), (0.35, 0.55)))],
        "organs": a_mask(stack, places, **painted),
    }


def frozen(project: Project) -> Snapshot:
    """Freeze a project."""
    return freeze(project=project, now=timezone.now(), progress=lambda _fraction, _words: None)


def do_job(job_id: uuid.UUID | None) -> Job:
    """Do a job here: a process of its own would not see a test's rows."""
    claim = services.claim(str(job_id), worker="test", now=timezone.now())
    assert claim is not None
    with runtime.ending(claim):
        runtime.perform(lookup(claim.name), runtime.Work(claim))
    return Job.objects.get(pk=claim.job_id)


@pytest.fixture
def exported(tmp_path: Path) -> Exported:
    """Write a snapshot in a format; gives the zip."""

    def written_to(snapshot: Snapshot, name: str) -> Path:
        target = tmp_path / f"{name}-{uuid.uuid4().hex[:6]}.zip"
        make(snapshot, name, target, lambda _fraction, _words: None)
        return target

    return written_to


@pytest.fixture(scope="session")
def ct_folder(real_data: Path) -> Path:
    """Real CT slices."""
    return real_data / "chest_ct"


@pytest.fixture(scope="package")
def ct_snapshot(
    ct_folder: Path, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Snapshot]:
    """Freeze a real CT series that one reader drew everything on; made once for all of them."""
    with django_db_blocker.unblock(), transaction.atomic():
        project = a_drawing_project()
        imported(project, ct_folder)
        read_all(project, drawn_on)
        yield frozen(project)
        transaction.set_rollback(True)
