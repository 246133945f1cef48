"""A project's own labels as a world: what its readers answered, and how long they took."""

from collections import defaultdict
from uuid import UUID

import numpy as np

from annotation.learning import selectors, services
from annotation.projects.models import Project
from annotation.projects.selectors import question_learned
from annotation.readings.selectors import seconds_of_cases
from mlworker import loop
from mlworker.replay.worlds import World, WorldError
from mlworker.targets import Target
from mlworker.vectors import store_of


def world_of_project(project: Project) -> World:
    """Labels of both streams with their stored vectors; every seed holds back its own judging cases.

    raises: WorldError where the project has no encoder or no labels yet.
    """
    encoder = services.policy_for(project).encoder
    if encoder is None:
        raise WorldError(f"{project.name} has no encoder yet: it comes with the first ranking")
    rows = selectors.labelled(project.pk)
    store = store_of(encoder)
    places = store.rows([row.content_digest for row in rows])
    rows = [row for row, place in zip(rows, places.tolist(), strict=True) if place >= 0]
    if not rows:
        raise WorldError(f"{project.name} has no labelled case that is encoded")
    question = question_learned(project.pk)
    classes = _seen(question.classes, {value for row in rows for value in row.chosen})
    target = Target(question.kind, tuple(classes))
    people: dict[UUID, int] = defaultdict(lambda: len(people))
    read = loop.Labelled(
        loop.Cases(
            np.array([loop.key_of(row.case_id) for row in rows], dtype=np.uint64),
            store.vectors(places[places >= 0]),
        ),
        target.labels([row.chosen for row in rows]),
        np.array([people[row.patient_id] for row in rows], dtype=np.intp),
    )
    spent = seconds_of_cases(project.pk)
    seconds = np.array([spent.get(row.case_id, 0.0) for row in rows])
    return World(project.name, read, None, classes, seconds, question.kind)


def _seen(classes: list[str], labels: set[str]) -> list[str]:
    """Classes that have a label: a replay cannot teach the others."""
    return [name for name in classes if name in labels]
