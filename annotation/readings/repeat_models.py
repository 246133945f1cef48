"""Repeat and its revisions: a reader reads an own earlier case again, unknowing; no standard comes of it."""

import uuid

from django.conf import settings
from django.db import models

from annotation.projects.models import Case, Project, Protocol


class Repeat(models.Model):
    """That a reader is to read an own case again, and when; the reader knows its id as a reading's."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="repeats")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="repeats")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="repeats")
    due_at = models.DateTimeField()
    given_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True, help_text="read again, or passed on")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "reader"], name="repeat_once")]
        indexes = [
            models.Index(
                fields=["reader", "project", "due_at"], condition=models.Q(done_at=None), name="repeat_due"
            ),
        ]

    def __str__(self) -> str:
        return f"repeat {self.id}"


class RepeatRevision(models.Model):
    """An immutable state of a repeat; the highest number is in force."""

    repeat = models.ForeignKey(Repeat, on_delete=models.CASCADE, related_name="revisions")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    protocol = models.ForeignKey(Protocol, on_delete=models.PROTECT, related_name="+")
    answers = models.JSONField()
    measurements = models.JSONField(default=dict)
    seconds = models.FloatField(help_text="expert time, idle time left out")
    idempotency_key = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["repeat", "number"]
        constraints = [
            models.UniqueConstraint(fields=["repeat", "number"], name="repeat_revision_once"),
            models.UniqueConstraint(fields=["reader", "idempotency_key"], name="repeat_revision_idempotent"),
        ]

    def __str__(self) -> str:
        return f"revision {self.number}"

    @property
    def reading(self) -> Repeat:
        """What it is a revision of, as a reader knows it."""
        return self.repeat

    @property
    def reading_id(self) -> uuid.UUID:
        """The id that the reader knows."""
        return self.repeat_id
