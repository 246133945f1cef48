"""What models say of the audit stream, case by case, and side by side; drift; the lines of a run's log."""

from django.db import models

from annotation.learning.models import ModelVersion, TrainingRun
from annotation.projects.models import Case, Project


class JudgedCase(models.Model):
    """What a model version says of one labelled audit case; of several findings, of one of them."""

    model = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="judged")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    choice = models.CharField(max_length=128, default="", help_text="the finding, where several can be given")
    truth = models.CharField(max_length=128)
    thought = models.CharField(max_length=128)
    share = models.FloatField(help_text="how likely the model thinks what it says")
    truth_share = models.FloatField(help_text="how likely it thinks what the readers said")
    scanner = models.CharField(max_length=160, default="")
    site = models.CharField(max_length=64, default="")
    is_right = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "case", "choice"], name="judged_once")]
        indexes = [
            models.Index(fields=["model", "is_right", "-share"], name="judged_surest"),
            models.Index(fields=["model", "truth", "thought", "-share"], name="judged_cell"),
        ]

    def __str__(self) -> str:
        return f"{self.truth} taken for {self.thought}"


class Comparison(models.Model):
    """Models judged side by side on the same cases by a job; of a choice of models the newest is kept."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="comparisons")
    key = models.CharField(max_length=64, help_text="numbers of the models, ascending, with commas between")
    cases = models.PositiveIntegerField(help_text="of the audit stream, that all of them were judged on")
    figures = models.JSONField()
    job_id = models.UUIDField(unique=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="comparison_once")]

    def __str__(self) -> str:
        return f"models {self.key}"


class Drift(models.Model):
    """How well new images can be told from those that were labelled: 0.5 not at all, 1 always."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="drifts")
    value = models.FloatField(null=True, help_text="area under the ROC curve; none: too few images")
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    new_images = models.PositiveIntegerField()
    labelled_images = models.PositiveIntegerField()
    reason = models.CharField(max_length=255, default="", help_text="why there is no value")
    job_id = models.UUIDField(unique=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["project", "-created_at"], name="drift_newest")]

    def __str__(self) -> str:
        return f"drift {self.value}"


class RunLine(models.Model):
    """One line of a training's log: what happened, with numbers; never a patient's data."""

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="lines")
    at = models.DateTimeField()
    event = models.CharField(max_length=64)
    values = models.JSONField(default=dict)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.event
