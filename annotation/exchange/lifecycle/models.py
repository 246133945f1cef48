"""Erasure: a patient who was removed from everywhere, and what is certified of it."""

import uuid

from django.conf import settings
from django.db import models

from annotation.studies.models import Dataset


class Erasure(models.Model):
    """One patient's removal: asked for, done by a job, certified. Who it was is not kept.

    subject: keyed digest of the pseudonym: the Patient ID and the secret together prove who it was.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="erasures")
    project_id = models.UUIDField(help_text="where it was asked for")
    pseudonym = models.CharField(max_length=64, help_text="until it is done; then empty")
    subject = models.CharField(max_length=64)
    reason = models.CharField(max_length=200)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    job_id = models.UUIDField(null=True)
    remains = models.JSONField(
        default=dict, help_text="files and vectors to remove, by digest, until the job has done so"
    )
    certificate = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"erasure {self.id}"
