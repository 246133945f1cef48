"""Reading and its revisions, drafts, skips, and the reference standard that readings become."""

import uuid

from django.conf import settings
from django.db import models

from annotation.projects.models import Case, Project, Protocol

ONE_AUTHOR = models.Q(reader__isnull=False, source__isnull=True) | models.Q(
    reader__isnull=True, source__isnull=False
)


class Source(models.Model):
    """Where imported readings come from: a labeler, a data set, another site; nobody who could sign in."""

    class Use(models.TextChoices):
        """What becomes of its readings on cases that no reader of the project has read."""

        KEPT = "kept", "Kept beside the readers', nothing more"
        TRAINING = "training", "Models learn from them, in the pool"
        REFERENCE = "reference", "Models learn from them and are judged by them"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="sources")
    name = models.CharField(max_length=128)
    use = models.CharField(max_length=16, choices=Use.choices, default=Use.KEPT)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["project", "name"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="source_once")]

    def __str__(self) -> str:
        return self.name


class Draft(models.Model):
    """What a reader has entered and not submitted: saved as it is made."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="drafts")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    version = models.PositiveIntegerField(
        help_text="grows with each save; an older one never overwrites a newer"
    )
    protocol_version = models.PositiveIntegerField(null=True, help_text="what the answers are to")
    answers = models.JSONField(default=dict)
    seconds = models.FloatField(default=0.0)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "reader"], name="draft_once")]

    def __str__(self) -> str:
        return f"draft {self.version}"


class Reading(models.Model):
    """One reader's or source's answers to one case; what was answered is in its revisions."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="readings")
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="readings"
    )
    source = models.ForeignKey(Source, null=True, on_delete=models.PROTECT, related_name="readings")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "reader"], name="reading_once"),
            models.UniqueConstraint(fields=["case", "source"], name="sourced_reading_once"),
            models.CheckConstraint(condition=ONE_AUTHOR, name="reading_of_one_author"),
        ]
        indexes = [models.Index(fields=["reader", "-updated_at"], name="reading_last")]

    def __str__(self) -> str:
        return f"reading {self.id}"


class Revision(models.Model):
    """An immutable state of a reading; the highest number is in force."""

    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="revisions")
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    source = models.ForeignKey(Source, null=True, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    protocol = models.ForeignKey(Protocol, on_delete=models.PROTECT, related_name="+")
    answers = models.JSONField()
    measurements = models.JSONField(
        default=dict, help_text="what the server measured and computed of the answers"
    )
    seconds = models.FloatField(help_text="expert time, idle time left out")
    suggestion = models.JSONField(null=True, help_text="what the model had shown the reader, if anything")
    idempotency_key = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["reading", "number"]
        constraints = [
            models.UniqueConstraint(fields=["reading", "number"], name="revision_once"),
            models.UniqueConstraint(fields=["reader", "idempotency_key"], name="revision_idempotent"),
            models.CheckConstraint(condition=ONE_AUTHOR, name="revision_of_one_author"),
        ]
        indexes = [
            models.Index(
                fields=["-created_at"],
                condition=models.Q(suggestion__isnull=False),
                name="revision_suggested",
            ),
        ]

    def __str__(self) -> str:
        return f"revision {self.number}"


class Skip(models.Model):
    """A reader passed a case on, with a reason; it is not offered to that reader again."""

    class Reason(models.TextChoices):
        """Why a case was passed on."""

        QUALITY = "quality", "Image quality too poor"
        WRONG_EXAMINATION = "wrong_examination", "Not the examination asked about"
        OUTSIDE_EXPERTISE = "outside_expertise", "Outside my expertise"
        BURNED_IN_TEXT = "burned_in_text", "Patient details visible"
        INCOMPLETE = "incomplete", "Images are missing"
        OTHER = "other", "Other"

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="skips")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=32, choices=Reason.choices)
    comment = models.CharField(max_length=500, default="", blank=True)
    is_final = models.BooleanField(default=False, help_text="nobody can read the case: it is set aside")
    idempotency_key = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "reader"], name="skip_once"),
            models.UniqueConstraint(fields=["reader", "idempotency_key"], name="skip_idempotent"),
        ]

    def __str__(self) -> str:
        return self.reason


class ReferenceStandard(models.Model):
    """What a case's readings were fused into, or an adjudicator decided: what models learn from."""

    class Provenance(models.TextChoices):
        """Where it comes from."""

        FUSED = "fused", "Fused from the readings"
        ADJUDICATED = "adjudicated", "Adjudicated"

    case = models.OneToOneField(Case, primary_key=True, on_delete=models.CASCADE, related_name="reference")
    answers = models.JSONField()
    readings = models.PositiveIntegerField()
    uncertainty = models.JSONField(
        default=dict, help_text="what fusing several readings left of doubt, by question"
    )
    provenance = models.CharField(max_length=16, choices=Provenance.choices, default=Provenance.FUSED)
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "reference standards"

    def __str__(self) -> str:
        return f"reference of {self.case_id}"


class Agreement(models.Model):
    """How a project's readers agree with each other and the model, as the newest job measured it."""

    project = models.OneToOneField(
        Project, primary_key=True, on_delete=models.CASCADE, related_name="agreement"
    )
    figures = models.JSONField(help_text="by question, as annotation.readings.agreement.report writes them")
    skills = models.JSONField(default=dict, help_text="how readers confuse choices: what fusion goes by")
    readings = models.PositiveIntegerField(help_text="that there were")
    job_id = models.UUIDField(unique=True)
    seconds = models.FloatField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"agreement in {self.project_id}"
