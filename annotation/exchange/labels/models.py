"""LabelImport: one file of labels, checked against a project, and written once somebody has agreed."""

import uuid

from django.conf import settings
from django.db import models

from annotation.projects.models import Project
from annotation.readings.models import Source


class LabelImport(models.Model):
    """A file of labels on its way in, with what its check found and what was written."""

    class State(models.TextChoices):
        """Where it stands."""

        CHECKING = "checking", "Being checked"
        CHECKED = "checked", "Waits for your word"
        WRITING = "writing", "Being written"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        DISCARDED = "discarded", "Discarded"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="label_imports")
    source_name = models.CharField(max_length=128)
    use = models.CharField(max_length=16, choices=Source.Use.choices)
    format = models.CharField(max_length=16)
    mapping = models.JSONField(default=dict, help_text="what the file calls things → what the protocol does")
    file_title = models.CharField(max_length=255, help_text="what the file was called")
    file_name = models.CharField(max_length=255, default="", help_text="in the file store; empty: gone")
    file_digest = models.CharField(max_length=64, default="", help_text="SHA-256 of the file as it came")
    state = models.CharField(max_length=16, choices=State.choices, default=State.CHECKING)
    counts = models.JSONField(default=dict, help_text="readings by what becomes of them; files, statements")
    lines = models.JSONField(default=list, help_text="[place in the file, case, outcome, what to do]")
    error = models.CharField(max_length=500, default="")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    job_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["project", "-created_at"], name="label_import_newest")]

    def __str__(self) -> str:
        return f"{self.format} of {self.source_name}"
