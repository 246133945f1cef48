"""Sending: an export's DICOM objects on their way to a peer, with what became of each."""

import uuid

from django.conf import settings
from django.db import models

from annotation.exchange.out.models import Export
from annotation.exchange.peers.models import Peer


class Sending(models.Model):
    """One export sent to one peer; run again, only what was not taken is sent."""

    class Way(models.TextChoices):
        """How objects get there."""

        STOW = "stow", "DICOMweb (STOW-RS)"
        STORE = "c_store", "DIMSE (C-STORE)"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="sendings")
    peer = models.ForeignKey(Peer, null=True, on_delete=models.SET_NULL, related_name="+")
    peer_name = models.CharField(max_length=64, help_text="what the peer was called then")
    way = models.CharField(max_length=16, choices=Way.choices)
    results = models.JSONField(default=dict, help_text='file → "" where it was taken, else why not')
    error = models.CharField(max_length=255, default="")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    job_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.way} to {self.peer_name}"

    @property
    def taken(self) -> int:
        """How many objects the peer has."""
        return sum(not why for why in self.results.values())

    @property
    def refused(self) -> dict[str, str]:
        """Objects that the peer does not have, with why."""
        return {name: why for name, why in self.results.items() if why}
