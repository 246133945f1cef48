"""Asking for training: fine-tuning on a frozen snapshot, and pretraining on one or several projects."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from django.db import transaction

from accounts.models import User
from annotation.learning.asking import ask_for_project
from annotation.learning.models import Policy
from annotation.learning.selectors import labelled, snapshot_row
from annotation.learning.services import ask_pretrain, record_snapshot
from annotation.projects.models import Case, Project
from annotation.projects.rules import LearnedQuestion, RefusedError
from annotation.projects.selectors import question_learned
from annotation.projects.services import record_act
from jobs.models import Job, Lane

MODES: Final = {
    "last_block": "Last block: the last stage of the encoder and the head; quick, and safe with few labels",
    "lora": "Low-rank: small adapters beside frozen weights, merged afterwards; little memory",
    "full": "Full: every weight; with hundreds of labels or more",
}
METHODS: Final = {
    "SimCLR": "SimCLR: two views of one picture are found among others",
    "SimSiam": "SimSiam: one view predicts the other, no negatives; for small batches",
    "labels": "Labels: one shared encoder, a head for each project that shares its labels",
}
# Jobs that change an encoder, or bring another one.
RUN_JOBS: Final = ("train", "pretrain", "adopt_encoder", "add_encoder")
FEWEST_LABELS_A_CLASS: Final = 5
LIMITS: Final[dict[str, tuple[float, float]]] = {
    "epochs": (1, 1000),
    "minutes": (0.01, 360),
    "rate": (1e-6, 1.0),
    "batch": (2, 1024),
    "accumulate": (1, 64),
    "rank": (1, 64),
    "processes": (0, 64),
}


@dataclass(frozen=True)
class TrainingSettings:
    """How deep, how long and how fast: small enough for two cores by default.

    rate: step size of AdamW. accumulate: parts of a batch, where it does not fit into memory. processes:
    0 takes one a GPU, or one. flip: whether an image may be mirrored left to right.
    """

    mode: str = "last_block"
    epochs: int = 20
    minutes: float = 5.0
    rate: float = 3e-4
    batch: int = 32
    accumulate: int = 1
    rank: int = 8
    processes: int = 0
    flip: bool = False
    seed: int = 0


def checked(settings: TrainingSettings) -> TrainingSettings:
    """Check what ML staff set.

    raises: RefusedError naming the field, its value and what it may be.
    """
    if settings.mode not in MODES:
        raise RefusedError(f'mode is "{settings.mode}": choose one of {", ".join(MODES)}')
    for name, (low, high) in LIMITS.items():
        value = getattr(settings, name)
        if not low <= value <= high:
            raise RefusedError(f"{name} is {value}: give {low:g} to {high:g}")
    return settings


@transaction.atomic
def request_training(
    *, project: Project, settings: TrainingSettings, by: User | None, now: datetime, address: str = ""
) -> Job:
    """Freeze the pool's labels, and ask the training lane to learn from them.

    raises: RefusedError for settings that cannot be, and for too few labels.
    """
    checked(settings)
    rows = [row for row in labelled(project.pk) if row.stream == Case.Stream.POOL]
    question = question_learned(project.pk)
    enough([row.chosen for row in rows], question)
    labels = [snapshot_row(row, question) for row in rows]
    snapshot = record_snapshot(project=project, labels=labels, now=now)
    job = ask_for_project(
        "train",
        project_id=project.pk,
        lane=Lane.TRAINING,
        by=by,
        snapshot_id=str(snapshot.pk),
        settings=asdict(settings),
        checkpoint=str(uuid4()),
    )
    details = {"job": str(job.pk), "mode": settings.mode, "labels": len(rows)}
    record_act("training.request", project.pk, by=by, details=details, address=address)
    return job


def enough(labels: Sequence[Sequence[str]], question: LearnedQuestion) -> None:
    """Check that training has something to tell apart; rare classes may be rarer.

    labels: what each case is. raises: RefusedError with what there is.
    """
    counts, fewest = Counter(value for chosen in labels for value in chosen), FEWEST_LABELS_A_CLASS
    told = ", ".join(f"{value} {counts[value]}" for value in question.classes)
    known = [value for value in question.classes if counts[value] >= fewest]
    if question.takes_several:
        known = [value for value in known if len(labels) - counts[value] >= fewest]
        if not known:
            words = f"training needs {fewest} cases with one of them and {fewest} without it at least"
            raise RefusedError(f"of {len(labels)} labelled cases there are {told}: {words}")
    elif len(known) < 2:
        raise RefusedError(f"the pool's labels are {told}: training needs {fewest} of two classes at least")


@transaction.atomic
def request_pretraining(
    *,
    project: Project,
    minutes: float,
    method: str,
    others: Sequence[Project],
    by: User,
    address: str = "",
) -> Job:
    """Ask for an encoder taught on the project's images, and on those of others that share theirs.

    raises: RefusedError for a method or a time that cannot be, and for a project that does not share.
    """
    if method not in METHODS:
        raise RefusedError(f'method is "{method}": choose one of {", ".join(METHODS)}')
    low, high = LIMITS["minutes"]
    if not low <= minutes <= high:
        raise RefusedError(f"minutes is {minutes}: give {low:g} to {high:g}")
    sharing = set(sharing_projects().values_list("pk", flat=True))
    closed = [one.name for one in others if one.pk not in sharing]
    if closed:
        raise RefusedError(f"{', '.join(closed)}: this project's owners do not share it")
    job = ask_pretrain(
        dataset_id=project.dataset_id,
        minutes=minutes,
        method=method,
        project_ids=[project.pk, *(one.pk for one in others)],
        by=by,
    )
    details = {"job": str(job.pk), "method": method, "others": len(others)}
    record_act("pretraining.request", project.pk, by=by, details=details, address=address)
    return job


def sharing_projects() -> Any:  # noqa: ANN401  a QuerySet of projects
    """Projects whose owners let others' encoders learn from them."""
    return Project.objects.filter(pk__in=Policy.objects.filter(share_labels=True).values("project")).order_by(
        "name"
    )
