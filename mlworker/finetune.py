"""The train job's body: encoder and head learn from a snapshot, are judged, and the gate decides."""

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from django.utils import timezone
from numpy.typing import NDArray

from annotation.learning import promotion, runs, services
from annotation.learning.files import content_of, keep
from annotation.learning.models import Encoder, ModelVersion, Snapshot
from annotation.learning.selectors import Labelled, labelled, snapshot_row
from annotation.learning.training import TrainingSettings
from annotation.projects.models import Case, Project
from annotation.projects.rules import LearnedQuestion
from annotation.projects.selectors import question_learned
from mlworker import loop
from mlworker.cards import groups_of
from mlworker.comparison import by_group, compared
from mlworker.driving import recipe_by, target_of
from mlworker.encode import Origin, encode_all, encode_missing, network_of, registered
from mlworker.encoders import checkpoints, distributed, finetuning
from mlworker.encoders.finetuning import Way
from mlworker.encoders.networks import Preprocessing
from mlworker.encoders.training import Plan, Point, Training
from mlworker.heads.artefact import packed
from mlworker.numbering import numbered
from mlworker.pretrain import checkpoint_path
from mlworker.runtime import Work
from mlworker.targets import Target
from mlworker.teaching import labelled_images
from mlworker.turn import Floats
from mlworker.vectors import encoder_of, store_of

TRAINED, JUDGED = 0.7, 0.75


@dataclass(frozen=True)
class Frozen:
    """What a training learns from and is judged on: rows of the snapshot, rows of the audit stream."""

    project: Project
    snapshot: Snapshot
    question: LearnedQuestion
    pool: list[Labelled]
    audit: list[Labelled]

    @property
    def target(self) -> Target:
        """What is learned."""
        return target_of(self.question)


def train(work: Work, project_id: str, snapshot_id: str, settings: dict[str, Any], checkpoint: str) -> None:
    """Fine-tune, judge, and put before the gate; a job makes one version, however often it runs."""
    started = time.monotonic()
    frozen = frozen_of(project_id, snapshot_id)
    champion = encoder_of(frozen.project)
    facts = settings | {
        "from": champion.name,
        "snapshot": frozen.snapshot.digest[:12],
        "labels": len(frozen.pool),
    }
    new = runs.NewRun(kind="train", project_id=frozen.project.pk, settings=facts)
    if runs.start_run(job_id=work.job_id, new=new, now=timezone.now()).result:
        return
    folder = checkpoint_path(checkpoint).with_suffix("")
    candidate, report = taught(work, frozen, champion, TrainingSettings(**settings), folder)
    work.progress(TRAINED, "Judging it on the audit stream")
    for encoder in (champion, candidate):
        encode_missing(encoder, [row.content_digest for row in frozen.pool + frozen.audit], quiet)
    judge = Judge(frozen, champion, candidate)
    comparison, model = judge.comparison(), judge.model(report, time.monotonic() - started)
    verdict = promotion.gate(comparison)
    runs.note_line(job_id=work.job_id, event="judged", values=score_of(comparison))
    if verdict.promoted:
        encode_all(
            frozen.project.dataset,
            candidate,
            lambda done, text: work.progress(JUDGED + (1 - JUDGED) * done, text),
        )
    with work.commit():
        now = timezone.now()
        version = services.record_model(project=frozen.project, job_id=work.job_id, new=model, now=now)
        decided = promotion.Decided(version, verdict, comparison)
        promotion.decide(project=frozen.project, decided=decided, now=now)
        outcome = {"model": version.number, "promoted": verdict.promoted, "verdict": verdict.reason}
        runs.finish_run(job_id=work.job_id, result=report | outcome)
    shutil.rmtree(folder, ignore_errors=True)


def score_of(comparison: dict[str, Any]) -> dict[str, Any]:
    """Tell how candidate and champion did, in one line."""
    return {"cases": comparison.get("cases", 0), **comparison.get("balanced_accuracy", {})}


def quiet(_done: float, _text: str) -> None:
    """Say nothing."""


def frozen_of(project_id: str, snapshot_id: str) -> Frozen:
    """Read the snapshot's labels, and the audit stream's of now."""
    project = Project.objects.select_related("dataset").get(pk=project_id)
    snapshot = Snapshot.objects.get(pk=snapshot_id, project=project)
    question = question_learned(project.pk)
    content = json.loads(content_of(snapshot.file_name, digest=snapshot.digest))
    cases = project.cases.in_bulk([label["case"] for label in content["labels"]])
    known = {str(pk): case for pk, case in cases.items()}
    pool = [
        Labelled(
            known[one["case"]].pk,
            one["digest"],
            known[one["case"]].patient_id,
            Case.Stream.POOL,
            chosen,
            one.get("likely"),
        )
        for one in content["labels"]
        if one["case"] in known and (chosen := question.chosen(one["label"])) is not None
    ]
    audit = [row for row in labelled(project.pk) if row.stream == Case.Stream.AUDIT]
    return Frozen(project, snapshot, question, pool, audit)


def taught(
    work: Work, frozen: Frozen, champion: Encoder, settings: TrainingSettings, folder: Path
) -> tuple[Encoder, dict[str, Any]]:
    """Train in the folder, in one process or several, and register what came out."""
    work.progress(0.01, "Reading the images")
    plan = plan_of(settings)
    if not (folder / finetuning.START).exists():
        network, preprocessing = network_of(champion)
        target = frozen.target
        sides = labelled_images(frozen.pool, target, preprocessing)
        way = Way(settings.mode, settings.rank, settings.flip, target.classes)
        finetuning.begin(folder, network, preprocessing, sides, way)

    broken_off = checkpoints.load(folder / finetuning.STATE) or {"history": []}
    for point in broken_off["history"]:
        runs.append_history(job_id=work.job_id, point=point)

    def told(point: Point, share: float) -> None:
        runs.append_history(job_id=work.job_id, point=point)
        work.progress(TRAINED * share, f"Epoch {point['epoch']:g}: loss {point['loss']}")

    processes = settings.processes or max(1, torch.cuda.device_count())
    if processes > 1:
        distributed.launched(folder, plan, processes, told)
    else:
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        finetuning.run(folder, plan, device, lambda training, point: told(point, training.share_done()))
    return outcome(frozen, champion, settings, plan, folder)


def plan_of(settings: TrainingSettings) -> Plan:
    """Say how long and how."""
    shared = {field.name for field in fields(Plan)} & {field.name for field in fields(TrainingSettings)}
    return Plan(**{name: getattr(settings, name) for name in shared}, keep_best=True, checkpoint_seconds=20.0)


def outcome(
    frozen: Frozen, champion: Encoder, settings: TrainingSettings, plan: Plan, folder: Path
) -> tuple[Encoder, dict[str, Any]]:
    """Register the trained encoder with what is known of its training."""
    network, training = finetuning.result_of(folder, plan)
    report: dict[str, Any] = {
        "method": f"fine-tuning, {settings.mode.replace('_', ' ')}",
        "from": champion.name,
        "epochs": training.epoch,
        "ended": training.ended(),
        "seconds": round(training.seconds, 1),
        "snapshot": frozen.snapshot.digest[:12],
        "labels": len(frozen.pool),
        **best_of(training),
    }
    encoder = registered(
        frozen.project.dataset,
        network,
        preprocessing_of(champion),
        name=f"{champion.name.partition(',')[0]}, fine-tuned on {len(frozen.pool)} labels",
        report=report,
        origin=Origin(champion.licence, f"made here from {champion.digest[:12]}"),
    )
    return encoder, report


def preprocessing_of(encoder: Encoder) -> Preprocessing:
    """Read how images enter an encoder."""
    return Preprocessing.from_row(
        {key: value for key, value in encoder.preprocessing.items() if key != "weights_sha256"}
    )


def best_of(training: Training) -> dict[str, float]:
    """Name the epoch whose weights were kept."""
    points = [point for point in training.history if "held_back_loss" in point]
    best = min(points, key=lambda point: point["held_back_loss"], default=None)
    return {} if best is None else {"best_epoch": best["epoch"], "held_back_loss": best["held_back_loss"]}


class Judge:
    """Heads on both encoders' vectors of the same cases, judged on the audit stream."""

    def __init__(self, frozen: Frozen, champion: Encoder, candidate: Encoder) -> None:
        self.frozen, self.candidate = frozen, candidate
        stores = [store_of(encoder) for encoder in (champion, candidate)]
        self.pool, self.audit = (
            [row for row in rows if all(store.rows([row.content_digest])[0] >= 0 for store in stores)]
            for rows in (frozen.pool, frozen.audit)
        )
        self.people: dict[Any, int] = {}
        self.champion_heads, self.candidate_heads = (
            self._model(encoder) for encoder in (champion, candidate)
        )

    def comparison(self) -> dict[str, Any]:
        """Compare with a paired bootstrap over patients."""
        return compared(
            self._said(self.candidate_heads),
            self._said(self.champion_heads),
            self._labels(self.audit),
            self._patients(self.audit),
            target=self.frozen.target,
        )

    def model(self, report: dict[str, Any], seconds: float) -> services.NewModel:
        """Store the candidate's heads, and say what is to be written of the version."""
        heads = self.candidate_heads
        description = {
            "classes": self.frozen.question.classes,
            "encoder": self.candidate.digest,
            "labels": len(self.pool),
            "temperature": heads.temperature_of_each(),
        }
        groups = by_group(
            self._said(heads), self._labels(self.audit), self._patients(self.audit), groups_of(self.audit)
        )
        return services.NewModel(
            encoder=self.candidate,
            classes=self.frozen.question.classes,
            artefact=keep(
                packed(heads.ensemble, description=description), folder="artefacts", suffix=".safetensors"
            ),
            labels=[snapshot_row(row, self.frozen.question) for row in self.frozen.pool],
            seconds=seconds,
            audit_cases=len(self.audit),
            metrics={name: one.as_row() for name, one in heads.verdict.estimates.items()},
            reason=heads.verdict.reason,
            origin=ModelVersion.Origin.TRAIN,
            card={"temperature": heads.temperature_of_each(), "groups": groups, "training": report},
        )

    def _model(self, encoder: Encoder) -> loop.Model:
        """Fit and judge heads as a refit does."""
        pool, audit = (self._stream(encoder, rows) for rows in (self.pool, self.audit))
        return loop.modelled(
            pool,
            audit,
            recipe=recipe_by(services.policy_for(self.frozen.project), self.frozen.target),
            scaling=loop.scaling_of(pool.cases, audit.cases),
            seed=0,
        )

    def _stream(self, encoder: Encoder, rows: Sequence[Labelled]) -> loop.Labelled:
        store = store_of(encoder)
        vectors = store.vectors(store.rows([row.content_digest for row in rows]))
        keys = np.array([loop.key_of(row.case_id) for row in rows], dtype=np.uint64)
        labels = self._labels(rows)
        likely = self.frozen.target.likely(labels, [row.likely for row in rows])
        return loop.Labelled(loop.Cases(keys, vectors), labels, self._patients(rows), likely)

    def _said(self, model: loop.Model) -> Floats:
        """Tell what a model says of the audit stream; nothing where that has no labels."""
        target = self.frozen.target
        return np.empty((0, target.decisions, target.classes)) if model.said is None else model.said

    def _labels(self, rows: Sequence[Labelled]) -> NDArray[np.intp]:
        return self.frozen.target.labels([row.chosen for row in rows])

    def _patients(self, rows: Sequence[Labelled]) -> NDArray[np.intp]:
        return numbered((row.patient_id for row in rows), self.people)
