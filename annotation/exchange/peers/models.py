"""Peer: another system that images come from and go to. Pull: studies that are fetched from one."""

import uuid

from django.conf import settings
from django.db import models

from annotation.projects.models import Project
from annotation.studies.models import Import


class Peer(models.Model):
    """A remote PACS, archive or modality, as an administrator describes it.

    Over DICOMweb it is asked at `dicomweb_url`; over DIMSE it is called at `host`:`port` as `ae_title`. It
    may send to us by C-STORE where it `sends`: its images then go into `project`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=64, unique=True)
    ae_title = models.CharField(max_length=16, default="", blank=True)
    host = models.CharField(max_length=255, default="", blank=True, help_text="name or address")
    port = models.PositiveIntegerField(null=True, blank=True)
    dicomweb_url = models.CharField(max_length=500, default="", blank=True, help_text="root of its services")
    user_name = models.CharField(
        max_length=128, default="", blank=True, help_text="empty: the secret is a bearer token"
    )
    secret = models.TextField(default="", blank=True, help_text="password or token, sealed")
    sends = models.BooleanField(default=False, help_text="may send to us by C-STORE")
    project = models.ForeignKey(
        Project,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="senders",
        help_text="what it sends goes there",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["ae_title"], condition=models.Q(sends=True), name="sender_known_by_title"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Pull(models.Model):
    """Studies picked at a peer, fetched by a job into a delivery."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    peer = models.ForeignKey(Peer, null=True, on_delete=models.SET_NULL, related_name="pulls")
    delivery = models.OneToOneField(Import, on_delete=models.CASCADE, related_name="pull")
    wanted = models.TextField(
        default="", help_text="Study Instance UIDs as the peer has them, sealed; emptied when all are fetched"
    )
    studies = models.PositiveIntegerField(help_text="how many were picked")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.studies} studies"
