"""What a check of a project's labels found: likely wrong ones, and readings that took too little time."""

from django.db import models

from annotation.projects.models import Project


class LabelCheck(models.Model):
    """The newest check of a project's labels; a job makes it."""

    project = models.OneToOneField(
        Project, primary_key=True, on_delete=models.CASCADE, related_name="label_check"
    )
    doubted = models.JSONField(help_text="case number, label, what heads think, and by how much, worst first")
    hasty = models.JSONField(help_text="case number, reader, seconds, and the reader's usual, fastest first")
    drifts = models.JSONField(default=list, help_text="readers, what they were right of by week, and changes")
    labels = models.PositiveIntegerField(help_text="that heads looked at; 0: too few")
    readings = models.PositiveIntegerField(help_text="whose time was looked at")
    job_id = models.UUIDField(unique=True)
    seconds = models.FloatField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"check of {self.labels} labels"
