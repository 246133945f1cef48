"""Writes of the learning room: one transaction each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Unpack
from uuid import UUID, uuid4

from django.db import transaction

from accounts.models import User
from annotation.learning.asking import ask_for_project
from annotation.learning.cards import write_card
from annotation.learning.drawn import ask_regions
from annotation.learning.files import StoredFile, keep, keep_stream
from annotation.learning.models import Encoder, Evaluation, ModelVersion, Policy, Snapshot
from annotation.learning.rules import PolicySettings, checked_policy
from annotation.projects.models import Project
from annotation.projects.services import actor_name, record_act
from annotation.studies.models import Dataset
from audit.services import record
from jobs.models import Job, Lane
from jobs.services import ask


def policy_for(project: Project) -> Policy:
    """Give the project's policy; the default one is written when it is first asked for."""
    return Policy.objects.select_related("encoder").get_or_create(project=project)[0]


@transaction.atomic
def set_policy(
    *, project: Project, by: User | None, address: str = "", **settings: Unpack[PolicySettings]
) -> Policy:
    """Change what is named of how the queue is driven; the next ranking follows it.

    raises: RefusedError naming the field.
    """
    checked_policy(settings, known=Policy.Strategy.values)
    policy = policy_for(project)
    for name, value in settings.items():
        setattr(policy, name, value)
    policy.save(update_fields=list(settings))
    record_act("policy.set", project.pk, by=by, details=dict(settings), address=address)
    return policy


@transaction.atomic
def request_retrain(*, project: Project, by: User | None = None, address: str = "") -> Job:
    """Ask for a refit and a new ranking now, and for what readers draw to be learned where enough was drawn.

    returns: the refit; the waiting one where there is one.
    """
    job = ask_refit(project_id=project.pk, by=by)
    drawn = ask_regions(project_id=project.pk, by=by)
    jobs = {"job": str(job.pk)} | ({"regions": str(drawn.pk)} if drawn else {})
    record_act("model.request", project.pk, by=by, details=jobs, address=address)
    return job


def ask_refit(*, project_id: UUID, by: User | None = None) -> Job:
    """Ask the light lane to fit heads and rank the pool."""
    return ask_for_project("refit", project_id=project_id, lane=Lane.LIGHT, by=by)


def ask_embed(*, dataset_id: UUID, by: User | None = None) -> Job:
    """Ask the training lane to encode what has no vector yet."""
    return ask(
        name="embed",
        lane=Lane.TRAINING,
        arguments={"dataset_id": str(dataset_id)},
        requested_by=by,
        scope_id=dataset_id,
        singleton_key=f"embed:{dataset_id}",
    )


def ask_pretrain(
    *,
    dataset_id: UUID,
    minutes: float,
    method: str = "SimCLR",
    project_ids: Sequence[UUID] = (),
    by: User | None = None,
) -> Job:
    """Ask the training lane to teach an encoder on the data set's own images, or on several projects'.

    project_ids: whose labels (method "labels") or whose other data sets' images are learned from.
    """
    return ask(
        name="pretrain",
        lane=Lane.TRAINING,
        arguments={
            "dataset_id": str(dataset_id),
            "minutes": minutes,
            "method": method,
            "project_ids": [str(project_id) for project_id in project_ids],
            "checkpoint": str(uuid4()),
        },
        requested_by=by,
        scope_id=dataset_id,
        singleton_key=f"pretrain:{dataset_id}",
    )


@dataclass(frozen=True)
class NewEncoder:
    """What names an encoder and says how it is used; report: what its training bought, measured."""

    name: str
    digest: str
    dimension: int
    preprocessing: Mapping[str, Any]
    weights_name: str
    report: Mapping[str, Any]
    licence: str = ""
    source: str = ""


@transaction.atomic
def register_encoder(*, dataset: Dataset, new: NewEncoder, now: datetime) -> Encoder:
    """Note an encoder of a data set; the same one again is the row that is there."""
    facts = {
        "name": new.name,
        "dimension": new.dimension,
        "preprocessing": dict(new.preprocessing),
        "weights_name": new.weights_name,
        "report": dict(new.report),
        "licence": new.licence,
        "source": new.source,
        "created_at": now,
    }
    encoder, _ = Encoder.objects.get_or_create(dataset=dataset, digest=new.digest, defaults=facts)
    return encoder


@transaction.atomic
def choose_encoder(
    *, project: Project, encoder: Encoder, by: User | None = None, address: str = ""
) -> Policy:
    """Make an encoder the one whose vectors the project's heads learn on."""
    policy = policy_for(project)
    if policy.encoder_id != encoder.pk:
        policy.encoder = encoder
        policy.save(update_fields=["encoder"])
        details = {"encoder": encoder.digest[:12], "name": encoder.name}
        record_act("encoder.choose", project.pk, by=by, details=details, address=address)
    return policy


@dataclass(frozen=True)
class NewModel:
    """A fitted model's facts: its artefact, what it learned from, how it did on the audit stream."""

    encoder: Encoder
    classes: Sequence[str]
    artefact: StoredFile
    labels: Sequence[Mapping[str, Any]]
    seconds: float
    audit_cases: int
    metrics: Mapping[str, Any]
    reason: str = ""
    origin: str = ModelVersion.Origin.REFIT
    card: Mapping[str, Any] | None = None


@transaction.atomic
def record_model(*, project: Project, job_id: UUID, new: NewModel, now: datetime) -> ModelVersion:
    """Note a model version, its snapshot and evaluation; a job makes one version, however often it runs."""
    made = ModelVersion.objects.filter(job_id=job_id).first()
    if made is not None:
        return made
    Project.objects.select_for_update().get(pk=project.pk)
    last = project.models.order_by("-number").values_list("number", flat=True).first() or 0
    model = ModelVersion.objects.create(
        project=project,
        number=last + 1,
        origin=new.origin,
        encoder=new.encoder,
        snapshot=record_snapshot(project=project, labels=new.labels, now=now),
        classes=list(new.classes),
        artefact_name=new.artefact.name,
        artefact_digest=new.artefact.digest,
        label_count=len(new.labels),
        job_id=job_id,
        seconds=new.seconds,
        created_at=now,
    )
    Evaluation.objects.create(
        model=model,
        case_count=new.audit_cases,
        metrics=dict(new.metrics),
        reason=new.reason,
        created_at=now,
    )
    write_card(model, new.labels, new.card or {}, now=now)
    record(
        actor=actor_name(None),
        action="model.create",
        object_type="model",
        object_id=str(model.pk),
        details={"number": model.number, "labels": model.label_count},
    )
    return model


def record_snapshot(*, project: Project, labels: Sequence[Mapping[str, Any]], now: datetime) -> Snapshot:
    """Freeze what a model learned from; the same labels again are the same snapshot."""
    rows = sorted((dict(label) for label in labels), key=lambda label: label["case"])
    content = json.dumps({"labels": rows}, sort_keys=True, separators=(",", ":")).encode()
    stored = keep(content, folder="snapshots", suffix=".json")
    snapshot, _ = Snapshot.objects.get_or_create(
        project=project,
        digest=stored.digest,
        defaults={"label_count": len(rows), "file_name": stored.name, "created_at": now},
    )
    return snapshot


def record_project_snapshot(
    *, project: Project, content: IO[bytes], label_count: int, card: Mapping[str, Any], now: datetime
) -> Snapshot:
    """Keep a frozen project's file with its data card; the same content again is the same snapshot."""
    stored = keep_stream(content, folder="snapshots", suffix=".jsonl")
    snapshot, _ = Snapshot.objects.get_or_create(
        project=project,
        digest=stored.digest,
        defaults={
            "kind": Snapshot.Kind.PROJECT,
            "label_count": label_count,
            "card": dict(card),
            "file_name": stored.name,
            "created_at": now,
        },
    )
    return snapshot
