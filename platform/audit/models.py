"""Who did what, when, from where, with what outcome: append-only and hash-chained."""

import uuid

from django.db import models


class Event(models.Model):
    """One audited act; UPDATE and DELETE fail in the database itself (see the migration's triggers)."""

    sequence = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=64)
    action = models.CharField(max_length=64)
    object_type = models.CharField(max_length=32)
    object_id = models.CharField(max_length=64)
    outcome = models.CharField(max_length=16)
    remote_address = models.CharField(max_length=45)
    details = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["sequence"]
        indexes = [
            models.Index(fields=["action", "sequence"], name="event_action"),
            models.Index(fields=["object_id", "sequence"], name="event_object"),
            models.Index(fields=["actor", "sequence"], name="event_actor"),
            models.Index(fields=["at"], name="event_at"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.action}"


class Head(models.Model):
    """The chain's last link: locked by each writer, so that the chain never forks."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    sequence = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="0" * 64)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="audit_one_head")]

    def __str__(self) -> str:
        return f"{self.sequence} {self.hash[:12]}"


class ChainCheck(models.Model):
    """What a walk along the whole chain found: by one job, once."""

    job_id = models.UUIDField(primary_key=True)
    asked_by = models.CharField(max_length=64, help_text="a user's id")
    checked_at = models.DateTimeField()
    count = models.BigIntegerField()
    head = models.CharField(max_length=96, help_text="sequence:hash, what the next check must find again")
    problems = models.JSONField(default=list)

    class Meta:
        ordering = ["-checked_at"]

    def __str__(self) -> str:
        return f"{self.count} events, {len(self.problems)} problems"


class Webhook(models.Model):
    """Another system that is told of audited acts: in order, each at least once, signed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=64, unique=True)
    url = models.CharField(max_length=500)
    sealed = models.TextField(help_text="the secret that signs, sealed with the installation's own")
    actions = models.JSONField(default=list, help_text="sign_in, or person.* for all that begin so")
    is_active = models.BooleanField(default=True)
    position = models.BigIntegerField(default=0, help_text="the last event that needs no telling any more")
    failures = models.PositiveIntegerField(default=0, help_text="since it took something last")
    problem = models.CharField(max_length=255, default="", help_text="why it took nothing last time")
    retry_at = models.DateTimeField(null=True)
    taken_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
