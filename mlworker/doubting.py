"""The body of a job: which read cases a second reader's minutes should go to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from annotation.learning import services
from annotation.learning.models import Encoder, Policy
from annotation.learning.rules import ready_to_choose
from annotation.learning.selectors import Labelled, labelled
from annotation.projects.models import Case, Project
from annotation.projects.rules import LearnedQuestion
from annotation.projects.selectors import question_learned
from annotation.queue.compared import Said, said_in
from annotation.queue.second_reads import (
    Doubt,
    ReadCase,
    doubted_in,
    due_in,
    may_be_doubted,
    place_second_reads,
    read_in_pool,
)
from annotation.readings.qualifying import unqualified_in
from mlworker import loop
from mlworker.driving import recipe_by, target_of
from mlworker.evaluation.crowdlab import MISSING, label_quality
from mlworker.evaluation.doubt import Asked, predicted_apart
from mlworker.numbering import numbered
from mlworker.runtime import Work
from mlworker.targets import Target
from mlworker.vectors import store_of

FEWEST_PATIENTS = 2
Numbers = NDArray[np.intp]
Floats = NDArray[np.floating]


def place(work: Work, project_id: str) -> None:
    """Ask for second readings where they pay; the same job again changes nothing."""
    project = Project.objects.select_related("dataset").get(pk=project_id)
    if not due_in(project.pk):
        return
    doubts = doubts_in(project)
    with work.commit():
        place_second_reads(project=project, doubts=doubts)


def doubts_in(project: Project) -> list[Doubt]:
    """Say of each read case of the pool how likely its label is wrong; nothing while heads cannot tell."""
    policy = services.policy_for(project)
    if policy.encoder is None:
        return []
    read = Read.of(project, policy.encoder)
    if not read.can_be_judged():
        return []
    likely = read.likely(policy)
    speaks = np.array([one.case_id not in read.doubted for one in read.rows], dtype=np.bool_)
    quality = worst_quality(likely, read.said, speaks=speaks)
    free = may_be_doubted(project.pk)
    return [
        Doubt(one.case_id, float(1.0 - found))
        for one, found in zip(read.rows, quality, strict=True)
        if one.case_id in free and np.isfinite(found)
    ]


@dataclass(frozen=True)
class Read:
    """Read cases that have a vector, what was said of them, and the labels that heads learn.

    said: (case, reader, decision), MISSING where a reader did not answer or does not count yet. known: of
    `labels`.
    """

    rows: Sequence[ReadCase]
    vectors: NDArray[np.float16]
    said: Numbers
    labels: loop.Labelled
    people: Mapping[UUID, int]
    doubted: set[UUID]
    target: Target

    @classmethod
    def of(cls, project: Project, encoder: Encoder) -> "Read":
        """Read them."""
        question = question_learned(project.pk)
        target, store = target_of(question), store_of(encoder)
        rows = read_in_pool(project.pk)
        found = store.rows([one.content_digest for one in rows])
        rows = [one for one, at in zip(rows, found.tolist(), strict=True) if at >= 0]
        known = [one for one in labelled(project.pk) if one.stream == Case.Stream.POOL]
        at = store.rows([one.content_digest for one in known])
        known = [one for one, place in zip(known, at.tolist(), strict=True) if place >= 0]
        people: dict[UUID, int] = {}
        numbered([*(one.patient_id for one in known), *(one.patient_id for one in rows)], people)
        silent = {str(reader) for reader in unqualified_in(project.pk)}
        said = [one for one in said_in(project.pk, [question.key]) if one.is_reader]
        answers = [one for one in said if one.author not in silent]
        return cls(
            rows,
            store.vectors(found[found >= 0]),
            said_of(rows, answers, question, target),
            labels_of(known, store.vectors(at[at >= 0]), target, people),
            people,
            set(doubted_in(project.pk).values_list("case_id", flat=True)),
            target,
        )

    def can_be_judged(self) -> bool:
        """Whether there are labels of several patients, and of every class."""
        counts = self.target.counts(self.labels.labels)
        several = len(np.unique(self.labels.patients)) >= FEWEST_PATIENTS
        return several and ready_to_choose(counts, choices=len(self.target.choices))

    def likely(self, policy: Policy) -> Floats:
        """Predict each case by heads that learned from other patients: (case, decision, class)."""
        patients = np.array([self.people[one.patient_id] for one in self.rows], dtype=np.intp)
        return predicted_apart(
            recipe_by(policy, self.target),
            self.labels,
            Asked(self.vectors, patients),
            scaling=loop.scaling_of(self.labels.cases),
            seed=policy.seed,
        )


def labels_of(
    rows: Sequence[Labelled], vectors: NDArray[np.float16], target: Target, people: Mapping[UUID, int]
) -> loop.Labelled:
    """Put reference standards as the loop sees them."""
    keys = np.array([loop.key_of(one.case_id) for one in rows], dtype=np.uint64)
    patients = np.array([people[one.patient_id] for one in rows], dtype=np.intp)
    labels = target.labels([one.chosen for one in rows])
    likely = target.likely(labels, [one.likely for one in rows])
    return loop.Labelled(loop.Cases(keys, vectors), labels, patients, likely)


def said_of(
    rows: Sequence[ReadCase], answers: Sequence[Said], question: LearnedQuestion, target: Target
) -> Numbers:
    """Put what readers said as codes: (case, reader, decision), MISSING where one did not answer."""
    places = {one.number: place for place, one in enumerate(rows)}
    readers = {author: place for place, author in enumerate(sorted({one.author for one in answers}))}
    found = np.full((len(rows), len(readers), target.decisions), MISSING, dtype=np.intp)
    for one in answers:
        chosen = question.chosen(one.answers[question.key])
        if one.case in places and chosen is not None:
            found[places[one.case], readers[one.author]] = target.labels([chosen])[0]
    return found


def worst_quality(likely: Floats, said: Numbers, *, speaks: NDArray[np.bool_]) -> Floats:
    """Quality of each case's worst label: (case,), NaN where nobody answered what models learn.

    likely: (case, decision, class). said: (case, reader, decision). speaks: (case,), see `weighed`.
    """
    found = np.full(len(said), np.nan)
    told = (said != MISSING).any(axis=(1, 2))
    if told.any():
        found[told] = np.min(
            [
                label_quality(likely[told, decision], said[told, :, decision], speaks=speaks[told])
                for decision in range(said.shape[2])
            ],
            axis=0,
        )
    return found
