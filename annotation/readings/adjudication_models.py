"""Dispute and its decisions: cases on which readers differ, and what an adjudicator made of them."""

import uuid

from django.conf import settings
from django.db import models

from annotation.projects.models import Case, Project, Protocol


class Dispute(models.Model):
    """A case whose readings differ by more than the protocol allows; while it is open, nothing is learned."""

    class State(models.TextChoices):
        """Who is to act."""

        OPEN = "open", "Waits for an adjudicator"
        RETURNED = "returned", "With its readers again"
        DECIDED = "decided", "Decided"
        AGREED = "agreed", "Its readers agree"
        WITHDRAWN = "withdrawn", "Not adjudicated any more"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="dispute")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="disputes")
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    version = models.PositiveIntegerField(default=1, help_text="grows with each act, and as readings change")
    digest = models.CharField(max_length=64, default="", blank=True, help_text="of the revisions in force")
    keys = models.JSONField(
        help_text="questions that readers answer too differently, in the protocol's order"
    )
    awaited = models.JSONField(
        default=dict, help_text="readings that are to be answered, and their revision then; by id"
    )
    shown = models.JSONField(
        default=dict, help_text="who was shown the model's answer, when, and which; by user id"
    )
    opened_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["project", "state", "opened_at"], name="dispute_list")]

    def __str__(self) -> str:
        return f"dispute over {self.case_id}"

    @property
    def is_held(self) -> bool:
        """Whether there is no reference standard until somebody acts."""
        return self.state in HELD


HELD = (Dispute.State.OPEN, Dispute.State.RETURNED)


class Decision(models.Model):
    """An immutable act of an adjudicator; the newest is in force, and an undoing is one more."""

    class Act(models.TextChoices):
        """What was done."""

        TAKEN = "taken", "Answers of readers were taken"
        EDITED = "edited", "Answered anew"
        RETURNED = "returned", "Sent back for consensus"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dispute = models.ForeignKey(Dispute, on_delete=models.CASCADE, related_name="decisions")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    act = models.CharField(max_length=16, choices=Act.choices)
    taken = models.JSONField(default=dict, help_text="whose answer was taken: reading id, by question")
    protocol = models.ForeignKey(Protocol, on_delete=models.PROTECT, related_name="+")
    answers = models.JSONField(default=dict, help_text="what became the reference standard")
    measurements = models.JSONField(default=dict)
    comment = models.CharField(max_length=1000, default="", blank=True, help_text="what readers are told")
    seconds = models.FloatField(default=0.0, help_text="expert time, idle time left out")
    suggestion = models.JSONField(null=True, help_text="what the model had shown, if anything")
    sent = models.JSONField(null=True, help_text="whose answers were asked for: letters, by question")
    idempotency_key = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["dispute", "number"]
        constraints = [
            models.UniqueConstraint(fields=["dispute", "number"], name="decision_once"),
            models.UniqueConstraint(fields=["by", "idempotency_key"], name="decision_idempotent"),
        ]

    def __str__(self) -> str:
        return f"decision {self.number}"
