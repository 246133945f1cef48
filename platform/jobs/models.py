"""Machine work as rows: the truth about a job is here, never in the broker."""

import uuid

from django.conf import settings
from django.db import models


class Lane(models.TextChoices):
    """Which worker runs a job: seconds of work, images that come and go, or minutes to hours of computing."""

    LIGHT = "light", "Light"
    TRANSFER = "transfer", "Transfer"
    TRAINING = "training", "Training"


class State(models.TextChoices):
    """Where a job stands."""

    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


OPEN = (State.QUEUED, State.RUNNING)


class Job(models.Model):
    """One piece of machine work: asked for in a transaction, claimed with a token, swept when lost."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=64)
    lane = models.CharField(max_length=16, choices=Lane.choices)
    arguments = models.JSONField(default=dict)
    scope_id = models.UUIDField(null=True, help_text="the project or data set that it works for")
    singleton_key = models.CharField(max_length=128, default="", help_text="at most one waiting job a key")
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=5)
    fencing_token = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=128, default="")
    progress = models.FloatField(default=0.0)
    message = models.CharField(max_length=255, default="")
    error = models.TextField(default="")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["singleton_key"],
                condition=models.Q(state="queued") & ~models.Q(singleton_key=""),
                name="job_one_waiting_a_key",
            ),
        ]
        indexes = [
            models.Index(fields=["scope_id", "-created_at"], name="job_scope"),
            models.Index(fields=["state", "lease_until"], name="job_sweep"),
            models.Index(fields=["name", "scope_id", "-created_at"], name="job_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.state}"


class Outbox(models.Model):
    """A message to the broker: written with its job, sent after the commit, sent again by the sweep."""

    job = models.OneToOneField(Job, primary_key=True, on_delete=models.CASCADE, related_name="outbox")
    sent_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        verbose_name_plural = "outbox"

    def __str__(self) -> str:
        return str(self.job_id)
