"""Embedding maps: asked for, kept as a file of places, read back with today's labels."""

import json
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models.fields.json import KeyTextTransform

from accounts.models import User
from annotation.learning.asking import ask_for_project
from annotation.learning.files import StoredFile, content_of
from annotation.learning.models import EmbeddingMap, Encoder, ModelVersion
from annotation.learning.selectors import learning_project
from annotation.projects.kept import kept
from annotation.projects.models import Project
from annotation.projects.rules import NOTHING_CHOSEN, LearnedQuestion
from annotation.projects.selectors import question_learned
from annotation.projects.services import record_act
from annotation.readings.models import ReferenceStandard
from jobs.models import Job, Lane

NO_LABEL, MOST_NUMBERED = 255, 254
NONE, SEVERAL = " ", "  "  # no choice is blank


@transaction.atomic
def request_map(*, project: Project, by: User | None) -> Job:
    """Ask for a new map; the waiting one is returned where there is one."""
    job = ask_for_project("map_pool", project_id=project.pk, lane=Lane.LIGHT, by=by)
    record_act("map.request", project.pk, by=by, details={"job": str(job.pk)})
    return job


def ask_umap(project_id: UUID) -> Job:
    """Ask the training lane for a layout by neighbours: minutes where the pool is large."""
    return ask_for_project("map_pool_umap", project_id=project_id, lane=Lane.TRAINING)


@dataclass(frozen=True)
class NewMap:
    """A map's facts; stored: the file of places."""

    method: str
    encoder: Encoder
    model: ModelVersion | None
    stored: StoredFile
    case_count: int
    sites: Sequence[str]
    classes: Sequence[str]
    facts: Mapping[str, Any]


@transaction.atomic
def record_map(*, project: Project, job_id: UUID, new: NewMap, now: datetime) -> EmbeddingMap:
    """Keep a map in place of the older ones of its method; a job draws one, however often it runs."""
    drawn = EmbeddingMap.objects.filter(job_id=job_id).first()
    if drawn is not None:
        return drawn
    older = EmbeddingMap.objects.filter(project=project, method=new.method)
    names = set(older.values_list("file_name", flat=True)) - {new.stored.name}
    older.delete()
    used = set(EmbeddingMap.objects.filter(file_name__in=names).values_list("file_name", flat=True))
    transaction.on_commit(lambda: delete_files(names - used), robust=True)
    return EmbeddingMap.objects.create(
        project=project,
        job_id=job_id,
        encoder=new.encoder,
        model=new.model,
        method=new.method,
        file_name=new.stored.name,
        file_digest=new.stored.digest,
        case_count=new.case_count,
        sites=list(new.sites),
        classes=list(new.classes),
        facts=dict(new.facts),
        created_at=now,
    )


def delete_files(names: set[str]) -> None:
    """Delete the files of maps that were replaced."""
    for name in sorted(names):
        default_storage.delete(name)


def maps_for(user: User, project_id: UUID) -> dict[str, EmbeddingMap]:
    """Find the newest map of each method."""
    maps = EmbeddingMap.objects.filter(project=learning_project(user, project_id))
    found = maps.select_related("model", "encoder").order_by("created_at")
    return {one.method: one for one in found}


def map_bytes(drawn: EmbeddingMap) -> bytes:
    """Read a map with today's labels behind it: one byte a case, the class's number, 255 where there is none.

    The file holds, case by case in each part and little endian: numbers (uint32), x and y (uint16),
    uncertainty, predicted class, site (uint8 each, 255 none), ids (16 bytes).
    """
    content = content_of(drawn.file_name, digest=drawn.file_digest)
    labels = labels_by_number(drawn)
    numbers = array("I", content[: 4 * drawn.case_count])
    return content + bytes(labels.get(number, NO_LABEL) for number in numbers)


def labels_by_number(drawn: EmbeddingMap) -> dict[int, int]:
    """Find the number of the class that each labelled case has, by case number."""
    question = question_learned(drawn.project_id)
    standards = ReferenceStandard.objects.filter(case__project=drawn.project_id)
    places = {value: place for place, value in enumerate(drawn.classes)}
    said = KeyTextTransform(question.key, "answers")
    listing: Callable[[], list[tuple[int, str | None]]] = partial(
        list, standards.values_list("case__number", said)
    )
    rows = kept(f"map:{drawn.pk}:{question.key}", listing, rows=len)
    place_of = {answer: place_in(places, question, answer) for answer in {answer for _, answer in rows}}
    return {number: place for number, answer in rows if (place := place_of[answer]) is not None}


def place_in(places: Mapping[str, int], question: LearnedQuestion, answer: str | None) -> int | None:
    """Find the number of an answer's colour. answer: as text, several choices as JSON."""
    if answer is None:
        return None
    chosen = question.chosen(json.loads(answer) if answer.startswith("[") else answer)
    return None if chosen is None else places.get(colour_of(chosen))


def colours_of(question: LearnedQuestion) -> list[str]:
    """List what a map's colours stand for: choices, and of several also none of them and more than one."""
    return question.classes + ([NONE, SEVERAL] if question.takes_several else [])


def colour_of(chosen: Sequence[str]) -> str:
    """Name the colour of a case: a point has one."""
    return chosen[0] if len(chosen) == 1 else (SEVERAL if chosen else NONE)


def colour_words(question: LearnedQuestion, colour: str) -> str:
    """Put a colour into words."""
    return {NONE: NOTHING_CHOSEN, SEVERAL: "Several"}.get(colour) or question.words_of(colour)
