"""Which encoder a project uses: the gate's decisions, choices by hand, and the way back. Audited."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import User
from annotation.learning.models import Encoder, ModelVersion, Policy, Promotion
from annotation.learning.services import ask_embed, ask_refit, choose_encoder, policy_for
from annotation.projects.models import Project
from annotation.projects.rules import RefusedError
from annotation.projects.services import record_act
from annotation.studies import files
from jobs.models import Job, Lane
from jobs.services import ask

WORSE_CALIBRATION = 0.05
# Jobs that end with another encoder in use: who asks for one again types the password, as at first.
PROMOTING = ("adopt_encoder", "add_encoder")


@dataclass(frozen=True)
class Verdict:
    """What the gate says of a candidate, and why."""

    promoted: bool
    reason: str


@dataclass(frozen=True)
class Decided:
    """A candidate before the gate: its version, and how it compared."""

    model: ModelVersion
    verdict: Verdict
    comparison: Mapping[str, Any] = field(default_factory=dict)


def gate(comparison: Mapping[str, Any]) -> Verdict:
    """Promote only what is surely better on the audit stream, and neither miscalibrated nor blind to a class.

    comparison: {"reason"} where the audit stream cannot say, else {"balanced_accuracy": {"candidate",
    "champion", "difference", "low", "high"}, …, "recall:CLASS": …}, 95 % paired intervals over patients.
    """
    if comparison.get("reason"):
        return Verdict(promoted=False, reason=f"It cannot be judged yet: {comparison['reason']}.")
    score = comparison["balanced_accuracy"]
    said = (
        f"balanced accuracy {score['candidate']:.3f} against {score['champion']:.3f}, "
        f"difference {score['difference']:+.3f} ({score['low']:+.3f} to {score['high']:+.3f})"
    )
    if score["low"] <= 0.0:
        return Verdict(promoted=False, reason=f"It is not surely better: {said}; the interval includes 0.")
    worse = [
        name.partition(":")[2]
        for name, one in comparison.items()
        if name.startswith("recall:") and one["high"] < 0.0
    ]
    if worse:
        return Verdict(promoted=False, reason=f"It is surely worse on {', '.join(worse)}, though {said}.")
    error = comparison.get("calibration_error")
    if error and error["low"] > WORSE_CALIBRATION:
        return Verdict(promoted=False, reason=f"Its probabilities are further off, though {said}.")
    return Verdict(promoted=True, reason=f"It is surely better: {said}.")


@transaction.atomic
def decide(*, project: Project, decided: Decided, now: datetime) -> Promotion:
    """Write the gate's decision; a candidate that passed becomes the project's encoder."""
    encoder, verdict = decided.model.encoder, decided.verdict
    previous = policy_for(project).encoder
    if verdict.promoted:
        choose_encoder(project=project, encoder=encoder)
        ask_embed(dataset_id=project.dataset_id)
        ask_refit(project_id=project.pk)
    made = Promotion.objects.create(
        project=project,
        kind=Promotion.Kind.GATE,
        model=decided.model,
        encoder=encoder,
        previous=previous,
        promoted=verdict.promoted,
        reason=verdict.reason[:500],
        comparison=dict(decided.comparison),
        created_at=now,
    )
    _audit("model.promote" if verdict.promoted else "model.refuse", made, None)
    return made


@transaction.atomic
def change_encoder(  # noqa: PLR0913  what changes, why, by whom and from where
    *,
    project: Project,
    encoder: Encoder,
    kind: str,
    reason: str,
    by: User | None,
    now: datetime,
    address: str = "",
) -> Promotion | None:
    """Change the project over to an encoder, and rank anew; nothing where it is in use already."""
    previous = policy_for(project).encoder
    if previous is not None and previous.pk == encoder.pk:
        return None
    choose_encoder(project=project, encoder=encoder, by=by, address=address)
    ask_refit(project_id=project.pk, by=by)
    made = Promotion.objects.create(
        project=project,
        kind=kind,
        encoder=encoder,
        previous=previous,
        promoted=True,
        reason=reason,
        decided_by=by,
        created_at=now,
    )
    _audit(f"encoder.{kind}", made, by, address)
    return made


@transaction.atomic
def roll_back(*, project: Project, by: User | None, now: datetime, address: str = "") -> Promotion:
    """Go back to the encoder that was in use before; heads are fitted on its stored vectors in seconds.

    raises: RefusedError where there is none.
    """
    Policy.objects.select_for_update().filter(project=project).first()
    before = encoder_before(project)
    if before is None:
        raise RefusedError("there is no earlier encoder to go back to")
    made = change_encoder(
        project=project,
        encoder=before,
        kind=Promotion.Kind.ROLLBACK,
        reason="rolled back by ML staff" if by else "rolled back on the command line",
        by=by,
        now=now,
        address=address,
    )
    if made is None:
        raise RefusedError("the earlier encoder is in use already")
    ask_embed(dataset_id=project.dataset_id, by=by)
    return made


def encoder_before(project: Project) -> Encoder | None:
    """Find the encoder from which the project changed over to the one in use."""
    current = policy_for(project).encoder
    changes = project.promotions.filter(promoted=True, encoder=current, previous__isnull=False)
    last = changes.exclude(kind=Promotion.Kind.ROLLBACK).select_related("previous").first()
    return None if last is None else last.previous


@transaction.atomic
def request_encoder(*, project: Project, encoder: Encoder, by: User | None, address: str = "") -> Job:
    """Ask the training lane to encode with an encoder of the project's data set and take it into use."""
    if encoder.dataset_id != project.dataset_id:
        raise RefusedError("this encoder belongs to another data set")
    if not encoder.weights_name and "method" in encoder.report:
        raise RefusedError("its weights were refused and are removed since: train it again")
    job = ask_adopt(project_id=project.pk, encoder_id=encoder.pk, by=by)
    details = {"encoder": encoder.digest[:12], "job": str(job.pk)}
    record_act("encoder.request", project.pk, by=by, details=details, address=address)
    return job


def ask_adopt(*, project_id: UUID, encoder_id: UUID, by: User | None = None) -> Job:
    """Ask for the images to be encoded, and the encoder to be taken into use."""
    return ask(
        name="adopt_encoder",
        lane=Lane.TRAINING,
        arguments={"project_id": str(project_id), "encoder_id": str(encoder_id)},
        requested_by=by,
        scope_id=project_id,
        singleton_key=f"adopt:{project_id}:{encoder_id}",
    )


@transaction.atomic
def request_added(*, project: Project, encoder: Encoder, name: str, by: User | None = None) -> Job:
    """Ask for an encoder to be taken into use that was registered as one of the catalogue. name: which."""
    job = ask_adopt(project_id=project.pk, encoder_id=encoder.pk, by=by)
    details = {"name": name, "digest": encoder.digest[:12], "job": str(job.pk)}
    record_act("encoder.add", project.pk, by=by, details=details)
    return job


@transaction.atomic
def request_upload(
    *, project: Project, name: str, stored: str, digest: str, by: User, address: str = ""
) -> Job:
    """Ask the training lane to check uploaded weights and take them into use.

    stored: their name in the store; where a job waits for the same ones already, this file is deleted.
    """
    job = ask(
        name="add_encoder",
        lane=Lane.TRAINING,
        arguments={"project_id": str(project.pk), "name": name, "stored": stored, "digest": digest},
        requested_by=by,
        scope_id=project.pk,
        singleton_key=f"add-encoder:{project.pk}:{digest[:16]}",
    )
    if job.arguments["stored"] != stored:
        transaction.on_commit(lambda: files.remove(stored))
    details = {"name": name, "digest": digest[:12], "job": str(job.pk)}
    record_act("encoder.upload", project.pk, by=by, details=details, address=address)
    return job


@transaction.atomic
def set_sharing(*, project: Project, share_labels: bool, by: User, address: str = "") -> Policy:
    """Let encoders of other projects learn from this project's labels, or not."""
    policy = policy_for(project)
    if policy.share_labels != share_labels:
        policy.share_labels = share_labels
        policy.save(update_fields=["share_labels"])
        details = {"share_labels": share_labels}
        record_act("policy.share_labels", project.pk, by=by, details=details, address=address)
    return policy


def _audit(action: str, made: Promotion, by: User | None, address: str = "") -> None:
    previous = made.previous.digest[:12] if made.previous else ""
    details = {"encoder": made.encoder.digest[:12], "previous": previous, "promoted": made.promoted}
    record_act(action, made.project_id, by=by, details=details, address=address)
