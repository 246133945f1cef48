"""Near-duplicates that a search found: images of different series that the encoder takes for the same."""

import uuid

from django.db import models

from annotation.learning.models import Encoder
from annotation.projects.models import Case, Project


class DuplicateSearch(models.Model):
    """A search for near-duplicates among a project's images; a job makes it, and its rows with it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="duplicate_searches")
    encoder = models.ForeignKey(Encoder, on_delete=models.CASCADE, related_name="+")
    likeness = models.FloatField(help_text="cosine from which two images are near-duplicates")
    searched = models.PositiveIntegerField(help_text="images that it went through")
    group_count = models.PositiveIntegerField()
    seconds = models.FloatField()
    job_id = models.UUIDField(unique=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "duplicate searches"
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["project", "-created_at"], name="duplicates_newest")]

    def __str__(self) -> str:
        return f"{self.group_count} groups"


class Duplicate(models.Model):
    """A case in a group of near-duplicates; likeness: cosine with the member most like it."""

    search = models.ForeignKey(DuplicateSearch, on_delete=models.CASCADE, related_name="members")
    group = models.PositiveIntegerField(help_text="from 1, the most alike first")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    likeness = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["search", "case"], name="duplicate_once")]
        indexes = [models.Index(fields=["search", "group"], name="duplicate_group")]

    def __str__(self) -> str:
        return f"group {self.group}"
