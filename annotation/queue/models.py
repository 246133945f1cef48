"""Ranking, QueryBatch, Entry, Lease, Pick: who reads what next, and why. Remark: what readers say of it."""

import uuid

from django.conf import settings
from django.db import models

from annotation.learning.models import ModelVersion
from annotation.projects.models import Case, Project
from annotation.queue.rules import SECOND_READING

UNRANKED = 2**31 - 1


class Ranking(models.Model):
    """One ordering of the pool: by which strategy, model and seed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="rankings")
    job_id = models.UUIDField(unique=True)
    model = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="rankings")
    strategy = models.CharField(max_length=32)
    seed = models.BigIntegerField()
    pool_size = models.PositiveIntegerField()
    label_count = models.PositiveIntegerField(help_text="submitted readings that it knew of")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["project", "-created_at"], name="ranking_newest")]

    def __str__(self) -> str:
        return f"{self.strategy} {self.created_at}"


class QueryBatch(models.Model):
    """Cases that ML staff asked for by hand: they come before every ranked case until they are read."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="query_batches")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    why = models.CharField(max_length=200, help_text="what readers are told")
    size = models.PositiveIntegerField(help_text="cases that it put at the front")
    required_skills = models.CharField(
        max_length=300,
        default="",
        blank=True,
        help_text="tags that its readers must have, sorted, parted by |",
    )
    created_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "query batches"
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["project", "-created_at"], name="query_batch_newest")]

    def __str__(self) -> str:
        return f"query batch of {self.size}"


class Entry(models.Model):
    """A case's place in the queue: its rank changes with each ranking, its state with each lease."""

    class State(models.TextChoices):
        """Whether a case can be given out."""

        WAITING = "waiting", "Waiting"
        LEASED = "leased", "Being read"
        DONE = "done", "Read"
        SET_ASIDE = "set_aside", "Set aside"

    case = models.OneToOneField(Case, primary_key=True, on_delete=models.CASCADE, related_name="entry")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="entries")
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    rank = models.PositiveIntegerField(default=UNRANKED)
    shuffle = models.PositiveIntegerField(help_text="random order of what no ranking has reached yet")
    score = models.FloatField(null=True)
    draw_probability = models.FloatField(null=True)
    reason = models.CharField(max_length=32, default="unranked")
    probabilities = models.JSONField(null=True, help_text="the model's mean prediction, by class value")
    ranking = models.ForeignKey(Ranking, null=True, on_delete=models.SET_NULL, related_name="+")
    batch = models.ForeignKey(
        QueryBatch,
        null=True,
        on_delete=models.SET_NULL,
        related_name="entries",
        db_index=False,
        help_text="rank 0 while it waits",
    )

    class Meta:
        verbose_name_plural = "entries"
        indexes = [
            models.Index(fields=["project", "state", "rank", "shuffle"], name="entry_next"),
            models.Index(fields=["batch"], condition=~models.Q(batch=None), name="entry_of_batch"),
        ]

    def __str__(self) -> str:
        return f"rank {self.rank}"

    @property
    def is_asked_for(self) -> bool:
        """Whether its second reading was asked for by hand, or because its label was doubted."""
        return self.reason == SECOND_READING and (self.batch_id is not None or self.score is not None)


class Lease(models.Model):
    """A reader holds a case until a time; at most one open lease a case and slot, guaranteed here."""

    class Ending(models.TextChoices):
        """How a lease ended."""

        SUBMITTED = "submitted", "Submitted"
        SKIPPED = "skipped", "Skipped"
        GIVEN_BACK = "given_back", "Given back"
        EXPIRED = "expired", "Expired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="leases")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="leases")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="leases")
    slot = models.PositiveSmallIntegerField(default=0)
    position = models.BigIntegerField(help_text="order in which the reader gets it")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=16, choices=Ending.choices, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "slot"], condition=models.Q(ended_at=None), name="lease_one_open_a_slot"
            ),
        ]
        indexes = [
            models.Index(fields=["reader", "project"], condition=models.Q(ended_at=None), name="lease_open"),
            models.Index(fields=["expires_at"], condition=models.Q(ended_at=None), name="lease_expiry"),
        ]

    def __str__(self) -> str:
        return f"lease {self.id}"


class Pick(models.Model):
    """Why a case was given out: kept for good, so that what was learned can be weighed (LURE)."""

    lease = models.OneToOneField(Lease, primary_key=True, on_delete=models.CASCADE, related_name="pick")
    ranking = models.ForeignKey(Ranking, null=True, on_delete=models.PROTECT, related_name="picks")
    batch = models.ForeignKey(
        QueryBatch, null=True, on_delete=models.PROTECT, related_name="picks", db_index=False
    )
    stream = models.CharField(max_length=16)
    reason = models.CharField(max_length=32)
    rank = models.PositiveIntegerField()
    score = models.FloatField(null=True)
    draw_probability = models.FloatField(null=True)
    probabilities = models.JSONField(null=True)

    class Meta:
        ordering = ["lease"]

    def __str__(self) -> str:
        return self.reason


class Remark(models.Model):
    """What a reader says of a case beside the answers: a comment, a flag, a question to a colleague."""

    class Kind(models.TextChoices):
        """What it is for."""

        COMMENT = "comment", "Comment"
        FLAG = "flag", "Flag"
        QUESTION = "question", "Question"

    class Reason(models.TextChoices):
        """Why a case is flagged."""

        IMPORTANT = "important", "Somebody should act on a finding"
        WRONG_DATA = "wrong_data", "Images do not belong together"
        BURNED_IN_TEXT = "burned_in_text", "Patient details visible"
        TEACHING = "teaching", "Good for teaching"
        UNSURE = "unsure", "Not sure of the answer"
        OTHER = "other", "Other"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="remarks")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="remarks")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    reason = models.CharField(max_length=16, choices=Reason.choices, default="", blank=True)
    text = models.CharField(max_length=1000, default="", blank=True)
    to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.CASCADE,
        related_name="asked",
        help_text="who is asked",
    )
    reply = models.CharField(max_length=1000, default="", blank=True)
    replied_at = models.DateTimeField(null=True)
    idempotency_key = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["author", "idempotency_key"], name="remark_idempotent"),
        ]

    def __str__(self) -> str:
        return self.kind
