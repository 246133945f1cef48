"""Export: one file made of a snapshot or of a model version, there until it expires."""

import uuid

from django.conf import settings
from django.db import models

from annotation.learning.models import ModelVersion, Snapshot
from annotation.projects.models import Project


class Export(models.Model):
    """A snapshot in one format, made by a job; the same snapshot and format give the same bytes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="exports")
    snapshot = models.ForeignKey(
        Snapshot,
        null=True,
        on_delete=models.PROTECT,
        related_name="exports",
        help_text="none until its job has frozen one",
    )
    model = models.ForeignKey(
        ModelVersion,
        null=True,
        on_delete=models.CASCADE,
        related_name="exports",
        help_text="the version that is taken out; its snapshot is what it learned from",
    )
    format = models.CharField(max_length=32)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    job_id = models.UUIDField(null=True)
    file_name = models.CharField(max_length=255, default="", help_text="in the file store; empty: none (yet)")
    file_digest = models.CharField(max_length=64, default="")
    file_bytes = models.BigIntegerField(default=0)
    report = models.JSONField(default=dict, help_text="what is in it, and what was left out and why")
    created_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True, help_text="when the sweep deleted its file")

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["project", "-created_at"], name="export_newest"),
            models.Index(
                fields=["expires_at"],
                condition=models.Q(removed_at=None, expires_at__isnull=False),
                name="export_expiry",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.format} of {self.snapshot_id}"
