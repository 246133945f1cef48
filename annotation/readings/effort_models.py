"""Effort: what each reader did on each day, summed as it happens."""

from django.conf import settings
from django.db import models

from annotation.projects.models import Project


class Effort(models.Model):
    """One reader's day in a project: what limits, progress and time sheets are read from."""

    project = models.ForeignKey(Project, null=True, on_delete=models.SET_NULL, related_name="+")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    day = models.DateField(help_text="UTC")
    readings = models.PositiveIntegerField(default=0, help_text="cases read for the first time by the reader")
    second_readings = models.PositiveIntegerField(default=0, help_text="of them, read by a colleague before")
    revisions = models.PositiveIntegerField(default=0, help_text="of one's own readings, later")
    decisions = models.PositiveIntegerField(default=0, help_text="on cases in dispute, as an adjudicator")
    seconds = models.FloatField(default=0.0, help_text="expert time, idle time left out")
    decision_seconds = models.FloatField(default=0.0, help_text="of them, spent on cases in dispute")
    times = models.JSONField(default=dict, help_text="how many first readings took how long, by time class")
    last_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "efforts"
        constraints = [models.UniqueConstraint(fields=["project", "reader", "day"], name="effort_once_a_day")]
        indexes = [models.Index(fields=["day", "reader"], name="effort_day")]

    def __str__(self) -> str:
        return f"{self.day}"
