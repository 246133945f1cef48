"""The refit job's body: read labels and vectors, turn the loop once, hand the results to the services."""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from annotation.learning import selectors, services
from annotation.learning.files import keep
from annotation.learning.judgements import note_advice
from annotation.learning.models import Encoder, ModelVersion, Policy
from annotation.learning.scanners import scanners_of
from annotation.projects.models import Case, Project
from annotation.projects.rules import LearnedQuestion
from annotation.projects.selectors import question_learned
from annotation.queue.agreement import ask_where_weighed
from annotation.queue.rankings import Place, replace_ranking
from annotation.queue.second_reads import ask_where_doubted
from annotation.queue.selectors import PoolCase, waiting_cases
from annotation.readings.selectors import seconds_of_cases
from mlworker import loop
from mlworker.cards import groups_of
from mlworker.comparison import by_group
from mlworker.driving import choosing, drive_by, model_by, recipe_by, target_of
from mlworker.embeddings import EmbeddingStore
from mlworker.heads.artefact import packed
from mlworker.heads.timing import expected_seconds
from mlworker.numbering import numbered
from mlworker.runtime import Work
from mlworker.stopping_notes import Fitted, noted
from mlworker.targets import Target
from mlworker.vectors import store_of


@dataclass(frozen=True)
class Known:
    """What is known of cases beside their labels. names: scanners, empty where all cases come from one."""

    store: EmbeddingStore
    scanners: Mapping[uuid.UUID, str]
    names: list[str]

    def sites(self, case_ids: Sequence[uuid.UUID]) -> NDArray[np.intp] | None:
        """Give the number of each case's scanner, if there are several."""
        if not self.names:
            return None
        numbers = {name: number for number, name in enumerate(self.names)}
        return np.array([numbers[self.scanners[case_id]] for case_id in case_ids], dtype=np.intp)


@dataclass(frozen=True)
class Stream:
    """Unread and labelled cases of one stream that have a vector."""

    unread: loop.Cases
    unread_ids: list[uuid.UUID]
    labelled: loop.Labelled
    rows: list[selectors.Labelled]


@dataclass(frozen=True)
class Situation:
    """All that one turn of the loop needs."""

    project: Project
    policy: Policy
    encoder: Encoder
    question: LearnedQuestion
    pool: Stream
    audit: Stream
    waiting: int
    scanners: list[str] = field(default_factory=list)

    @property
    def target(self) -> Target:
        """What is learned."""
        return target_of(self.question)

    @property
    def label_count(self) -> int:
        """Labels of both streams."""
        return len(self.pool.rows) + len(self.audit.rows)


def situation_of(project: Project, policy: Policy, encoder: Encoder) -> Situation:
    """Read a project's labels, unread cases and vectors."""
    question = question_learned(project.pk)
    waiting = list(waiting_cases(project.pk))
    labelled = selectors.labelled(project.pk)
    scanners = scanners_of(project.pk)
    known = Known(store_of(encoder), scanners, sorted(set(scanners.values())))
    pool, audit = (
        _stream(
            known,
            target_of(question),
            [case for case in waiting if case.stream == name],
            [row for row in labelled if row.stream == name],
        )
        for name in (Case.Stream.POOL, Case.Stream.AUDIT)
    )
    now = Situation(project, policy, encoder, question, pool, audit, len(waiting), known.names)
    return now if policy.cost_power is None else timed(now)


def timed(now: Situation) -> Situation:
    """Add how long the readings of the unread pool will take, once enough readings tell."""
    known, unread = now.pool.labelled.cases, now.pool.unread
    spent = seconds_of_cases(now.project.pk)
    seconds = np.array([spent.get(row.case_id, 0.0) for row in now.pool.rows])
    scaling = loop.scaling_of(unread, known)
    expected = expected_seconds(known.vectors, seconds, unread.vectors, scaling=scaling)
    return replace(now, pool=replace(now.pool, unread=replace(unread, seconds=expected)))


def _stream(
    known_of: Known,
    target: Target,
    waiting: Sequence[PoolCase],
    labelled: Sequence[selectors.Labelled],
) -> Stream:
    unread, unread_at = _with_vectors(known_of, waiting)
    known, known_at = _with_vectors(known_of, labelled)
    rows = [labelled[at] for at in known_at]
    labels = target.labels([row.chosen for row in rows])
    patients = numbered(row.patient_id for row in rows)
    ids = [waiting[at].case_id for at in unread_at]
    likely = target.likely(labels, [row.likely for row in rows])
    return Stream(unread, ids, loop.Labelled(known, labels, patients, likely), rows)


def _with_vectors(
    known: Known, cases: Sequence[PoolCase] | Sequence[selectors.Labelled]
) -> tuple[loop.Cases, list[int]]:
    """Cases whose series has been encoded, and their places in what was given."""
    rows = known.store.rows([case.content_digest for case in cases])
    kept = [at for at, row in enumerate(rows.tolist()) if row >= 0]
    keys = np.array([loop.key_of(cases[at].case_id) for at in kept], dtype=np.uint64)
    sites = known.sites([cases[at].case_id for at in kept])
    return loop.Cases(keys, known.store.vectors(rows[kept]), sites), kept


def refit(work: Work, project_id: str) -> None:
    """Fit heads where labels suffice, judge them, rank the unread pool; all of it commits or none."""
    started = time.monotonic()
    project = Project.objects.select_related("dataset").get(pk=project_id)
    policy = services.policy_for(project)
    if policy.encoder is None:
        services.ask_embed(dataset_id=project.dataset_id)
        return
    now = situation_of(project, policy, policy.encoder)
    work.progress(0.3, f"{now.label_count} labels, {now.waiting} cases to read")
    drive = drive_of(now)
    model = model_of(now, drive)
    work.progress(0.7, "Ranking the pool")
    chooser = choosing(model, now.pool.labelled)
    places = loop.ordered(
        now.pool.unread, now.audit.unread, now.pool.labelled.cases, model=chooser, drive=drive
    )
    written = queue_places(now, chooser, places)
    new = None if model is None else new_model(now, model, time.monotonic() - started)
    advice = {} if model is None or new is None else advice_of(now, model, new)
    with work.commit():
        version = None if new is None else record(now, work, new)
        if version is not None:
            note_advice(model_id=version.pk, noted=advice)
        replace_ranking(
            project_id=project.pk,
            job_id=work.job_id,
            places=written,
            now=timezone.now(),
            model_id=version.pk if version else None,
            strategy=policy.strategy,
            seed=drive.seed,
            pool_size=now.waiting,
            label_count=now.label_count,
        )
        ask_where_weighed(project.pk)
        ask_where_doubted(project.pk)


def advice_of(now: Situation, model: loop.Model, new: services.NewModel) -> dict[str, Any]:
    """Note what tells when to stop."""
    fitted = Fitted(now.project, now.encoder, now.target, len(now.pool.rows), new.metrics)
    return noted(fitted, model.ensemble.mean_probabilities, now.pool.unread.vectors)


def record(now: Situation, work: Work, new: services.NewModel) -> ModelVersion:
    """Write the model version of this job."""
    return services.record_model(project=now.project, job_id=work.job_id, new=new, now=timezone.now())


def drive_of(now: Situation) -> loop.Drive:
    """How this turn draws."""
    return drive_by(now.policy, now.target, read=now.label_count)


def model_of(now: Situation, drive: loop.Drive) -> loop.Model | None:
    """Fit a model, once the pool's labels suffice for one."""
    cases = (now.pool.unread, now.audit.unread, now.pool.labelled.cases, now.audit.labelled.cases)
    return model_by(
        recipe_by(now.policy, now.target),
        now.pool.labelled,
        now.audit.labelled,
        scaling=loop.scaling_of(*cases),
        seed=drive.seed,
    )


def new_model(now: Situation, model: loop.Model, seconds: float) -> services.NewModel:
    """Store the artefact, and say what is to be written of it."""
    description = {
        "classes": now.question.classes,
        "encoder": now.encoder.digest,
        "labels": len(now.pool.rows),
        "temperature": model.temperature_of_each(),
    }
    return services.NewModel(
        encoder=now.encoder,
        classes=now.question.classes,
        artefact=keep(
            packed(model.ensemble, description=description), folder="artefacts", suffix=".safetensors"
        ),
        labels=[selectors.snapshot_row(row, now.question) for row in now.pool.rows],
        seconds=seconds,
        audit_cases=len(now.audit.rows),
        metrics={named(now, key): one.as_row() for key, one in model.verdict.estimates.items()},
        reason=model.verdict.reason,
        card={"temperature": model.temperature_of_each(), "groups": groups_told(now, model)},
    )


def groups_told(now: Situation, model: loop.Model) -> dict[str, Any]:
    """Say for the card how the audit cases of each maker, scanner and delivery went."""
    audit = now.audit.labelled
    if not len(audit.labels):
        return {}
    said = model.probabilities(audit.cases.vectors)
    return by_group(said, audit.labels, audit.patients, groups_of(now.audit.rows))


def named(now: Situation, metric: str) -> str:
    """Name the scanner of a metric that was measured at one."""
    kind, _, number = metric.partition(":")
    return f"scanner:{now.scanners[int(number)]}" if kind == "site" else metric


def queue_places(now: Situation, model: loop.Model | None, places: Sequence[loop.Place]) -> list[Place]:
    """Write places as the queue keeps them, best first."""
    streams = {"pool": now.pool, "audit": now.audit}
    return [
        Place(
            case_id=streams[place.stream].unread_ids[place.position],
            rank=rank,
            score=place.score,
            draw_probability=place.draw_probability,
            reason=place.reason,
            probabilities=predicted,
        )
        for rank, (place, predicted) in enumerate(
            zip(places, predictions(now, model, places), strict=True), start=1
        )
    ]


def predictions(
    now: Situation, model: loop.Model | None, places: Sequence[loop.Place]
) -> Sequence[dict[str, float] | None]:
    """Predict each placed case, by choice; nothing while there is no model."""
    if model is None or not places:
        return [None] * len(places)
    streams = {"pool": now.pool.unread, "audit": now.audit.unread}
    vectors = np.stack([streams[place.stream].vectors[place.position] for place in places])
    rows = now.target.shares(model.probabilities(vectors)).round(4).tolist()
    return [dict(zip(now.target.choices, row, strict=True)) for row in rows]
