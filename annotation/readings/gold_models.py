"""GoldCase, GoldReading, Qualification: cases of known answer, and who has shown how well they read them."""

import uuid

from django.conf import settings
from django.db import models

from annotation.projects.models import Case, Project


class GoldCase(models.Model):
    """A case whose answer is known: new readers practise on it, and are tested by it."""

    case = models.OneToOneField(Case, primary_key=True, on_delete=models.CASCADE, related_name="gold")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="gold_cases")
    answers = models.JSONField(help_text="the reference standard as it stood when it was made gold")
    measurements = models.JSONField(default=dict)
    protocol_version = models.PositiveIntegerField(help_text="what the answers are to")
    comment = models.CharField(max_length=1000, default="", blank=True, help_text="shown after practice")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["project", "-created_at"], name="gold_newest")]

    def __str__(self) -> str:
        return f"gold {self.case_id}"


class Qualification(models.Model):
    """That a reader is to practise and be tested, and how it ended; who read before it was asked has none."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="qualifications")
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="qualifications"
    )
    attempt = models.PositiveIntegerField(default=1)
    has_passed = models.BooleanField(null=True, help_text="null: not settled")
    waived_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "reader"], name="qualification_once")]

    def __str__(self) -> str:
        return f"attempt {self.attempt}"


class GoldReading(models.Model):
    """What a reader said of a gold case: it is no reading of the case, and no model learns from it."""

    class Phase(models.TextChoices):
        """What it was for."""

        PRACTICE = "practice", "Practice, with feedback"
        TEST = "test", "Qualification test"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    gold = models.ForeignKey(GoldCase, on_delete=models.CASCADE, related_name="readings")
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="gold_readings"
    )
    phase = models.CharField(max_length=8, choices=Phase.choices)
    attempt = models.PositiveIntegerField()
    answers = models.JSONField()
    seconds = models.FloatField()
    differs_in = models.JSONField(help_text="keys of the questions on which it differs from the reference")
    is_right = models.BooleanField()
    idempotency_key = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["gold", "reader"], name="gold_reading_once"),
            models.UniqueConstraint(fields=["reader", "idempotency_key"], name="gold_reading_idempotent"),
        ]

    def __str__(self) -> str:
        return f"{self.phase} {self.is_right}"
