"""What people are told of, what of it goes out by mail, and what each person wants."""

import uuid

from django.conf import settings
from django.db import models


class Mail(models.Model):
    """One message to one person: its id stays the same however often it is tried."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=64, default="", help_text="the kind of the last failure")
    retry_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person"], condition=models.Q(sent_at=None), name="mail_one_open_a_person"
            )
        ]

    def __str__(self) -> str:
        return f"mail {self.id}"


class Notice(models.Model):
    """One thing that one person is told, once a key: written in the transaction of what it tells."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=32, help_text="as notices.kinds lists them")
    facts = models.JSONField(default=dict, help_text="what its sentence names: projects, people, counts")
    link = models.CharField(max_length=200, default="", help_text="a path on this site")
    key = models.CharField(max_length=128, help_text="the same is told once")
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    wants_mail = models.BooleanField(default=False, help_text="to be mailed, and not sent yet")
    mail = models.ForeignKey(Mail, null=True, on_delete=models.SET_NULL, related_name="notices")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="notice_once")]
        indexes = [
            models.Index(fields=["person", "-created_at"], name="notice_newest"),
            models.Index(fields=["person"], condition=models.Q(read_at=None), name="notice_unread"),
            models.Index(fields=["created_at"], condition=models.Q(wants_mail=True), name="notice_to_mail"),
        ]

    def __str__(self) -> str:
        return self.kind


class Wishes(models.Model):
    """What a person wants to be told of, and how; who has none wants what each kind says by default."""

    class Rhythm(models.TextChoices):
        """When mail goes out."""

        AT_ONCE = "at_once", "At once"
        DAILY = "daily", "Once a day, at 6:00 UTC"
        NEVER = "never", "Never"

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    rhythm = models.CharField(max_length=8, choices=Rhythm.choices, default=Rhythm.DAILY)
    mailed = models.JSONField(default=list, help_text="kinds that go out by mail")
    unwanted = models.JSONField(default=list, help_text="kinds that are not told at all")

    class Meta:
        verbose_name_plural = "wishes"

    def __str__(self) -> str:
        return self.rhythm
