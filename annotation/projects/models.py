"""Project, Protocol, Case, Membership, Split, Placement."""

import uuid

from django.conf import settings
from django.db import models

from accounts.models import Role
from annotation.studies.models import Acquisition, Dataset, Deletion, Patient, Series


class Present(models.Manager["Project"]):
    """Projects that are not deleted."""

    def get_queryset(self) -> models.QuerySet["Project"]:
        """Leave out what is deleted, and where deleted cases are kept."""
        return super().get_queryset().filter(deletion=None)


class Project(models.Model):
    """A question asked of a data set, its readers and its models."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=128, unique=True)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="projects")
    hanging_rules = models.JSONField(
        default=list, blank=True, help_text="the project's own, as annotation.projects.hanging reads them"
    )
    quota_bytes = models.BigIntegerField(null=True, blank=True, help_text="of stored and held images")
    quota_cases = models.PositiveIntegerField(null=True, blank=True)
    required_skills = models.JSONField(default=list, blank=True, help_text="tags that its readers must have")
    deletion = models.ForeignKey(Deletion, null=True, on_delete=models.PROTECT, related_name="projects")
    stands_for = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="whose deleted cases it keeps",
    )
    created_at = models.DateTimeField()
    objects = Present()
    every: models.Manager["Project"] = models.Manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Protocol(models.Model):
    """What is asked of a case; a change is a new version, and readings keep the version that they answered.

    questions, settings: as annotation.projects.questions describes them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="protocols")
    version = models.PositiveIntegerField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    questions = models.JSONField()
    settings = models.JSONField(default=dict, blank=True)
    changes = models.TextField(default="", blank=True, help_text="from the version before, a line each")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["project", "-version"]
        constraints = [models.UniqueConstraint(fields=["project", "version"], name="protocol_version_once")]

    def __str__(self) -> str:
        return f"protocol {self.version}"


class Part(models.TextChoices):
    """What a patient's images are for."""

    TRAIN = "train", "Training"
    VAL = "val", "Validation"
    TEST = "test", "Test"


class Case(models.Model):
    """One thing to read: a series (an image is a series of one)."""

    class Stream(models.TextChoices):
        """What a case's reading is used for: fixed when it is made, one for all cases of a patient."""

        POOL = "pool", "Pool"
        AUDIT = "audit", "Audit stream"
        HELD_OUT = "held_out", "Held out"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="cases")
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="cases")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="cases")
    acquisition = models.ForeignKey(
        Acquisition, null=True, on_delete=models.SET_NULL, related_name="cases", db_index=False
    )
    number = models.PositiveIntegerField()
    stream = models.CharField(max_length=16, choices=Stream.choices)
    split = models.CharField(max_length=16, default="", help_text="as the delivery's table gave it")
    part = models.CharField(
        max_length=8, choices=Part.choices, default="", help_text="of the project's split; empty: not placed"
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["project", "number"]
        constraints = [
            models.UniqueConstraint(fields=["project", "series"], name="case_once"),
            models.UniqueConstraint(fields=["project", "number"], name="case_number_once"),
        ]
        indexes = [
            models.Index(fields=["project", "stream"], name="case_stream"),
            models.Index(fields=["project", "acquisition", "number"], name="case_acquisition"),
            models.Index(fields=["project", "part", "number"], name="case_part"),
        ]

    def __str__(self) -> str:
        return f"case {self.number}"


class Membership(models.Model):
    """What a person may do in a project, and how much a reader is to read."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    adjudicates = models.BooleanField(
        default=False, help_text="decides on cases whose readers differ, except those that they read"
    )
    skills = models.JSONField(default=list, blank=True, help_text="tags: subspecialties and the like")
    target_cases = models.PositiveIntegerField(null=True, blank=True, help_text="to be read by due_on")
    due_on = models.DateField(null=True, blank=True)
    open_cases = models.PositiveSmallIntegerField(null=True, blank=True, help_text="held at once, at most")
    weekly_cases = models.PositiveIntegerField(null=True, blank=True, help_text="from Monday to Sunday, UTC")
    weekly_hours = models.FloatField(null=True, blank=True, help_text="of expert time, Monday to Sunday, UTC")
    paused_at = models.DateTimeField(null=True, blank=True, help_text="gets no case since then")
    away_from = models.DateField(null=True, blank=True)
    away_until = models.DateField(null=True, blank=True, help_text="the last day away")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.role} of {self.project_id}"


class Split(models.Model):
    """How a project's patients are divided: shares, seed and what counts as the same image twice."""

    project = models.OneToOneField(
        Project, primary_key=True, on_delete=models.CASCADE, related_name="division"
    )
    seed = models.PositiveIntegerField(default=0)
    val_share = models.FloatField(default=0.15, help_text="of the patients, 0 – 1")
    test_share = models.FloatField(default=0.15, help_text="of the patients, 0 – 1; the rest is for training")
    likeness = models.FloatField(help_text="cosine from which two images are near-duplicates")
    figures = models.JSONField(default=dict, help_text="what the newest run placed, and what it found")
    placed_at = models.DateTimeField(null=True, help_text="when it last ran")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"split of {self.project_id}"


class Placement(models.Model):
    """Where a patient stands in a project's split: written once, never changed."""

    class Why(models.TextChoices):
        """What decided."""

        GIVEN = "given", "The delivery's table"
        AUDIT = "audit", "Audit stream"
        ALIKE = "alike", "Near-duplicates of a patient there"
        DRAWN = "drawn", "Drawn"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="placements")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="placements")
    part = models.CharField(max_length=8, choices=Part.choices)
    why = models.CharField(max_length=8, choices=Why.choices)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "patient"], name="placement_once")]

    def __str__(self) -> str:
        return f"{self.part} of {self.project_id}"
