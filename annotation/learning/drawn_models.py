"""PixelHead, RegionSuggestion: what was learned of masks and regions, and what that proposes."""

import uuid

from django.db import models

from annotation.projects.models import Case, Project


class PixelHead(models.Model):
    """A classifier of pixels for one question of a project: immutable, named by its artefact's SHA-256.

    quality: on readings that it did not learn from, {"metric", "value", "cases", "threshold"}.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="pixel_heads")
    question = models.CharField(max_length=64, help_text="key of the question that it answers")
    kind = models.CharField(max_length=16, help_text="segmentation, or the regions' shape")
    number = models.PositiveIntegerField()
    classes = models.JSONField()
    artefact_name = models.CharField(max_length=255)
    artefact_digest = models.CharField(max_length=64)
    case_count = models.PositiveIntegerField(help_text="read cases of the pool that it learned from")
    quality = models.JSONField(default=dict)
    job_id = models.UUIDField(help_text="the job that made it: a job makes one head a question")
    seconds = models.FloatField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["project", "question", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["project", "question", "number"], name="pixel_head_number_once"),
            models.UniqueConstraint(fields=["job_id", "question"], name="pixel_head_job_once"),
        ]

    def __str__(self) -> str:
        return f"pixel head {self.number} of {self.question}"


class RegionSuggestion(models.Model):
    """What a head proposes for a case, as an answer of the question; erased with the case."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="region_suggestions")
    question = models.CharField(max_length=64)
    head = models.ForeignKey(PixelHead, on_delete=models.CASCADE, related_name="suggestions")
    answer = models.JSONField(help_text="a mask, or a list of regions; {} or []: nothing was found")
    scores = models.JSONField(
        default=dict, help_text="how sure, 0 – 1, of each region by its id; of a mask as mask"
    )
    score = models.FloatField(help_text="mean of the scores; 0 where nothing was found")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "question", "head"], name="region_suggestion_once")
        ]
        indexes = [models.Index(fields=["case", "question", "-created_at"], name="region_suggestion_newest")]

    def __str__(self) -> str:
        return f"suggestion for {self.case_id}"
