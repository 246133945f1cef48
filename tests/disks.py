"""Projects of phantoms, bright disks on a dark ground, whose readers paint or box them."""

import hashlib
import uuid
from datetime import datetime
from typing import Any

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from numpy.typing import NDArray

from accounts.models import User
from annotation.learning.drawn_models import PixelHead, RegionSuggestion
from annotation.projects.masks import written
from annotation.projects.models import Case, Project, Protocol
from annotation.queue.selectors import LeasedCase
from annotation.queue.services import lease_next
from annotation.queue.submissions import Submitted, submit
from annotation.queue.suggestions import Shown
from annotation.readings.services import Answered
from annotation.studies.models import Instance
from tests.factories import OFFSET, a_project, some_cases

SIDE = 64
PAINTED = {
    "key": "disks",
    "prompt": "Paint each disk",
    "kind": "segmentation",
    "required": False,
    "classes": [{"value": "disk", "label": "Disk"}],
}
BOXED = {
    "key": "disks",
    "prompt": "Box each disk",
    "kind": "box",
    "required": False,
    "labels": [{"value": "disk", "label": "Disk"}],
}


def places_of(seed: int) -> list[tuple[int, int, int]]:
    """Column, row and radius of two disks that do not touch."""
    random = np.random.default_rng(seed)
    left, right = random.integers(12, 18), random.integers(44, 50)
    rows = random.integers(14, 50, size=2)
    return [(int(left), int(rows[0]), 8), (int(right), int(rows[1]), 10)]


def disks(seed: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """An image, and which of its pixels are in a disk."""
    rows, columns = np.ogrid[:SIDE, :SIDE]
    inside = np.zeros((SIDE, SIDE), dtype=bool)
    for column, row, radius in places_of(seed):
        inside |= (rows + 0.5 - row) ** 2 + (columns + 0.5 - column) ** 2 <= radius**2
    noise = np.random.default_rng(seed).normal(0, 12, size=inside.shape)
    return np.clip(60 + 120 * inside + noise, 0, 255).astype(np.uint8), inside


def a_disk_project(question: dict[str, Any], count: int, **settings: Any) -> tuple[Project, list[Case]]:
    """A project that asks one drawn question of so many images."""
    project = a_project()
    cases = some_cases(project, count)
    Protocol.objects.filter(project=project).update(
        questions=[question], settings={"control_share": 0.0, **settings}
    )
    for case in cases:
        show(case)
    return project, sorted(cases, key=lambda one: one.number)


def show(case: Case) -> None:
    """Store the disks of a case's number as its image."""
    content = bytes(OFFSET) + disks(case.number)[0].tobytes()
    digest = hashlib.sha256(content + case.pk.bytes).hexdigest()
    default_storage.save(f"instances/{digest[:2]}/{digest}.dcm", ContentFile(content))
    instance = Instance.objects.get(series=case.series_id)
    instance.attributes |= {"Rows": SIDE, "Columns": SIDE, "WindowCenter": 128.0, "WindowWidth": 256.0}
    instance.digest, instance.frame_bytes = digest, SIDE * SIDE
    instance.save()


def answer_to(question: dict[str, Any], case: Case) -> Any:
    """What a careful reader draws on a case."""
    uid = Instance.objects.get(series=case.series_id).sop_instance_uid
    if question["kind"] == "segmentation":
        return written((1, SIDE, SIDE), [uid], {"disk": disks(case.number)[1][None]})
    return [a_box(uid, *place) for place in places_of(case.number)]


def a_box(uid: str, column: int, row: int, radius: int, **more: Any) -> dict[str, Any]:
    """A box around a disk."""
    points = [[column - radius, row - radius], [column + radius, row + radius]]
    return {"id": str(uuid.uuid4()), "label": "disk", "image": uid, "points": points, **more}


def read(
    leased: LeasedCase,
    reader: User,
    answer: Any,
    now: datetime,
    *,
    seconds: float = 5.0,
    shown: Shown | None = None,
) -> Submitted:
    """Submit an answer to the disks."""
    answered = Answered({} if answer is None else {"disks": answer}, seconds, 1, uuid.uuid4())
    return submitted(leased, reader, answered, now, shown)


def submitted(
    leased: LeasedCase, reader: User, answered: Answered, now: datetime, shown: Shown | None = None
) -> Submitted:
    """Submit what a reader answered to a leased case."""
    return submit(
        reader=reader,
        lease_id=leased.lease.pk,
        case_id=leased.case.pk,
        answered=answered,
        now=now,
        shown=shown,
    )


def read_some(question: dict[str, Any], project: Project, reader: User, count: int, now: datetime) -> None:
    """Let a careful reader read the next cases."""
    for _ in range(count):
        leased = lease_next(reader=reader, project_id=project.pk, now=now).cases[0]
        read(leased, reader, answer_to(question, leased.case), now)


def propose(
    case: Case, answer: Any, now: datetime, *, kind: str = "box", number: int = 1
) -> RegionSuggestion:
    """Let a head have proposed an answer."""
    head, _ = PixelHead.objects.get_or_create(
        project=case.project,
        question="disks",
        number=number,
        defaults={
            "kind": kind,
            "classes": ["disk"],
            "artefact_name": "artefacts/none",
            "artefact_digest": "0" * 64,
            "case_count": 3,
            "job_id": uuid.uuid4(),
            "seconds": 1.0,
            "created_at": now,
        },
    )
    scores = {one["id"]: 0.9 for one in answer} if isinstance(answer, list) else {"mask": 0.9}
    return RegionSuggestion.objects.create(
        case=case, question="disks", head=head, answer=answer, scores=scores, score=0.9, created_at=now
    )
