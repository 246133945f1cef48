"""Patient, Study, Series, Instance as in DICOM, and how their files came in."""

import uuid

from django.conf import settings
from django.db import models

from annotation.studies.door.options import DEFAULT_OPTIONS


def list_of_default_options() -> list[str]:
    """Options of a data set that nobody has chosen any for."""
    return list(DEFAULT_OPTIONS)


class Deletion(models.Model):
    """What an administrator deleted: set aside at once, brought back in time, or removed for good."""

    class Kind(models.TextChoices):
        """How much is deleted."""

        STUDY = "study", "Study"
        PROJECT = "project", "Project with its images"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    project_id = models.UUIDField(help_text="where it was deleted")
    what = models.CharField(max_length=160, help_text="a project's name, or numbers of cases")
    reason = models.CharField(max_length=200)
    images = models.PositiveIntegerField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    kept_until = models.DateTimeField(help_text="until when it can be brought back")
    returned_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def is_open(self) -> bool:
        """Whether it still waits to be brought back or removed."""
        return self.returned_at is None and self.removed_at is None


class Dataset(models.Model):
    """Images under one de-identification key; one or more projects read them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=128, unique=True)
    deidentification = models.JSONField(
        default=list_of_default_options, help_text="names of the options that later imports are taken under"
    )
    keeps_originals = models.BooleanField(
        default=False, help_text="files that are admitted from now on are kept as they came too, sealed"
    )
    deletion = models.ForeignKey(
        "annotation.Deletion",
        null=True,
        on_delete=models.PROTECT,
        related_name="datasets",
        help_text="what is in it is deleted: seen by nobody until it is brought back",
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Patient(models.Model):
    """A person known by pseudonym only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="patients")
    pseudonym = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "pseudonym"], name="patient_once")]

    def __str__(self) -> str:
        return self.pseudonym


class Study(models.Model):
    """One examination."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="studies")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="studies")
    study_instance_uid = models.CharField(max_length=64)
    study_date = models.CharField(max_length=8, default="", help_text="DA, shifted like all of the patient's")
    study_time = models.CharField(max_length=16, default="", help_text="TM")

    class Meta:
        verbose_name_plural = "studies"
        constraints = [models.UniqueConstraint(fields=["dataset", "study_instance_uid"], name="study_once")]
        indexes = [models.Index(fields=["dataset", "study_date", "study_instance_uid"], name="study_by_date")]

    def __str__(self) -> str:
        return self.study_instance_uid


class Acquisition(models.Model):
    """Where and how images were made, as far as de-identification lets it be known; empty: not told."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="acquisitions")
    site = models.CharField(max_length=64, default="", help_text="as an administrator named the delivery's")
    manufacturer = models.CharField(max_length=64, default="")
    manufacturer_model_name = models.CharField(max_length=64, default="")
    magnetic_field_strength = models.CharField(max_length=16, default="", help_text="DS, in tesla")
    convolution_kernel = models.CharField(max_length=64, default="")
    modality = models.CharField(max_length=16, default="")
    body_part_examined = models.CharField(max_length=64, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "dataset",
                    "site",
                    "manufacturer",
                    "manufacturer_model_name",
                    "magnetic_field_strength",
                    "convolution_kernel",
                    "modality",
                    "body_part_examined",
                ],
                name="acquisition_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.modality} {self.manufacturer} {self.manufacturer_model_name}"


class Series(models.Model):
    """Images of one acquisition, read together."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="series")
    series_instance_uid = models.CharField(max_length=64)
    modality = models.CharField(max_length=16, default="")
    body_part_examined = models.CharField(max_length=64, default="")
    manufacturer = models.CharField(max_length=64, default="")
    manufacturer_model_name = models.CharField(max_length=64, default="")
    magnetic_field_strength = models.CharField(max_length=16, default="", help_text="DS, in tesla")
    convolution_kernel = models.CharField(max_length=64, default="")
    site = models.CharField(max_length=64, default="", help_text="as an administrator named the delivery's")
    series_number = models.IntegerField(default=0)
    series_date = models.CharField(max_length=8, default="", help_text="DA, shifted")
    series_time = models.CharField(max_length=16, default="", help_text="TM")
    content_digest = models.CharField(
        max_length=64, default="", help_text="SHA-256 over its instances' digests in SOP Instance UID order"
    )

    class Meta:
        verbose_name_plural = "series"
        constraints = [models.UniqueConstraint(fields=["study", "series_instance_uid"], name="series_once")]
        indexes = [
            models.Index(fields=["study", "series_number", "series_instance_uid"], name="series_by_number"),
            models.Index(fields=["series_instance_uid"], name="series_by_uid"),
        ]

    def __str__(self) -> str:
        return self.series_instance_uid


class Instance(models.Model):
    """One stored, de-identified DICOM file with uncompressed frames, named by its digest."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="instances")
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="instances")
    sop_instance_uid = models.CharField(max_length=64)
    sop_class_uid = models.CharField(max_length=64)
    instance_number = models.IntegerField(default=0)
    digest = models.CharField(max_length=64, db_index=True, help_text="SHA-256 of the stored file")
    source_digest = models.CharField(max_length=64, help_text="keyed digest of the file as it came")
    original_bytes = models.BigIntegerField(
        null=True, help_text="bytes of the file as it came, sealed; null where it is not kept"
    )
    frames = models.PositiveIntegerField(default=1)
    rows = models.PositiveIntegerField(default=0)
    columns = models.PositiveIntegerField(default=0)
    bits_allocated = models.PositiveSmallIntegerField(default=0)
    pixel_offset = models.BigIntegerField(help_text="byte at which the first frame starts in the stored file")
    frame_bytes = models.BigIntegerField(help_text="bytes of one frame")
    attributes = models.JSONField(help_text="what a viewer needs, by DICOM keyword")
    stored_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "sop_instance_uid"], name="instance_once"),
            models.UniqueConstraint(fields=["dataset", "source_digest"], name="instance_source_once"),
        ]
        indexes = [
            models.Index(fields=["series", "instance_number", "sop_instance_uid"], name="instance_by_number"),
        ]

    def __str__(self) -> str:
        return self.sop_instance_uid


class Import(models.Model):
    """One delivery of files: every file of it is counted."""

    class State(models.TextChoices):
        """Where a delivery stands."""

        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="imports")
    project_id = models.UUIDField(null=True, help_text="the project whose cases it makes")
    source_name = models.CharField(max_length=255)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    site = models.CharField(max_length=64, default="", help_text="where its images were made")
    modality = models.CharField(
        max_length=16, default="OT", help_text="what plain pictures of this delivery are said to be"
    )
    pictures_cleared = models.BooleanField(
        default=True, help_text="the sender vouches that no plain picture names a person"
    )
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    total = models.PositiveIntegerField(default=0)
    stored = models.PositiveIntegerField(default=0)
    duplicate = models.PositiveIntegerField(default=0)
    quarantined = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=255, default="")
    options = models.JSONField(
        default=list_of_default_options, help_text="de-identification options, as its data set had them then"
    )
    deeds = models.JSONField(
        default=dict, help_text="how often each deed was done to each attribute of its stored files"
    )
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"import {self.id}"


class QuarantinedFile(models.Model):
    """A file that was not let in, kept with its reason until an admin decides."""

    class Kind(models.TextChoices):
        """Whether a human can clear it."""

        REJECTED = "rejected", "Cannot be used"
        PIXELS = "pixels", "Pixels must be cleared by a human"

    class State(models.TextChoices):
        """What an admin decided."""

        HELD = "held", "Held"
        CLEARED = "cleared", "Cleared"
        DISCARDED = "discarded", "Discarded"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="quarantine")
    project_id = models.UUIDField(null=True, help_text="the project whose case it becomes when cleared")
    source_digest = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.HELD)
    reason = models.CharField(max_length=255)
    patient_id_hint = models.CharField(
        max_length=64, default="", help_text="pseudonym given by the delivery's table"
    )
    patient = models.CharField(
        max_length=64, default="", help_text="pseudonym of whom the file is about; empty where it is unknown"
    )
    size = models.BigIntegerField(default=0, help_text="bytes of the file")
    split = models.CharField(max_length=16, default="")
    has_preview = models.BooleanField(default=False)
    shown = models.JSONField(
        default=dict, help_text="columns and rows of the image, panels of its preview; empty without one"
    )
    likeness = models.CharField(
        max_length=64, default="", help_text="keyed digest of device, series and size; empty where unknown"
    )
    text_boxes = models.JSONField(
        null=True, help_text="where text was found: (left, top, right, bottom) in pixels; null = not searched"
    )
    masks = models.JSONField(default=list, help_text="what was masked when it was cleared, as text_boxes")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    kept_until = models.DateTimeField(
        null=True, help_text="until when a discarded file can be brought back; null = its bytes are gone"
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(fields=["dataset", "source_digest"], name="quarantined_once")]
        indexes = [models.Index(fields=["dataset", "likeness"], name="quarantined_alike")]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"

    @property
    def has_bytes(self) -> bool:
        """Whether the file itself is still in quarantine: held, or discarded a short time ago."""
        return self.state == self.State.HELD or self.kept_until is not None


class ImportedFile(models.Model):
    """What became of one file of a delivery."""

    class Outcome(models.TextChoices):
        """Every file ends as one of these."""

        STORED = "stored", "Stored"
        DUPLICATE = "duplicate", "Already there"
        QUARANTINED = "quarantined", "Quarantined"

    delivery = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="files")
    path = models.CharField(max_length=1024, help_text="relative to the delivery's root")
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    reason = models.CharField(max_length=255, default="")
    instance = models.ForeignKey(Instance, null=True, on_delete=models.SET_NULL, related_name="arrivals")
    quarantined_file = models.ForeignKey(
        QuarantinedFile, null=True, on_delete=models.SET_NULL, related_name="arrivals"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "path"], name="file_once_a_delivery")]

    def __str__(self) -> str:
        return f"{self.outcome} {self.pk}"
