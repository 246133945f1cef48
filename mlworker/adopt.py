"""Encoders from outside: a file becomes an encoder of the catalogue, and a project takes one into use."""

import hashlib
import urllib.request
from pathlib import Path
from typing import Final

import torch
from django.core.files.storage import default_storage
from django.utils import timezone

from annotation.learning import promotion, services
from annotation.learning.catalogue import Entry, entry_of
from annotation.learning.files import content_of
from annotation.learning.models import Encoder, Promotion
from annotation.projects.models import Project
from annotation.projects.requesters import check_manager
from annotation.studies.models import Dataset
from mlworker.encode import Origin, encode_all, registered
from mlworker.encoders import networks, weights
from mlworker.encoders.networks import Preprocessing
from mlworker.runtime import Work

MOST_BYTES: Final = 2 * 1024**3
TIMEOUT_SECONDS: Final = 60.0


def encoder_from(dataset: Dataset, entry: Entry, tensors: dict[str, torch.Tensor], file_name: str) -> Encoder:
    """Register weights as an encoder of the catalogue.

    raises: WrongWeightsError naming the first tensor that does not fit, MissingPackageError.
    """
    preprocessing = Preprocessing(**dict(entry.preprocessing))
    network = weights.loaded(networks.built(preprocessing), tensors)
    return registered(
        dataset,
        network,
        preprocessing,
        name=entry.title,
        report={"catalogue": entry.name, "file": file_name},
        origin=Origin(entry.licence, entry.source),
    )


def fetched(entry: Entry, folder: Path) -> Path:
    """Fetch an encoder's weights from its hub.

    raises: ValueError where it has none, or where the file is not the one that the catalogue knows.
    """
    if not entry.hub:
        raise ValueError(
            f"{entry.name} cannot be fetched: ask {entry.source} for the file, and name it with --file"
        )
    with urllib.request.urlopen(entry.hub, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  from the catalogue
        content = answer.read(MOST_BYTES)
    digest = hashlib.sha256(content).hexdigest()
    if not digest.startswith(entry.digest_begins):
        raise ValueError(
            f"{entry.hub} has SHA-256 {digest[:12]}…, not {entry.digest_begins}…: it is another file"
        )
    path = folder / entry.hub.rpartition("/")[2]
    path.write_bytes(content)
    return path


def add_encoder(work: Work, project_id: str, name: str, stored: str, digest: str) -> None:
    """Check an uploaded file here, never in the web process; then encode with it and take it into use.

    Only safetensors are read: an upload is not trusted, and this format holds nothing but numbers.
    """
    project = Project.objects.select_related("dataset").get(pk=project_id)
    check_manager(work.claim.requested_by_id, project.pk)
    work.progress(0.0, "Reading the weights")
    tensors = weights.read_safetensors(content_of(stored, digest=digest))
    encoder = encoder_from(project.dataset, entry_of(name), tensors, f"upload {digest[:12]}")
    taken(work, project, encoder)
    default_storage.delete(stored)


def adopt_encoder(work: Work, project_id: str, encoder_id: str) -> None:
    """Encode the project's images with a registered encoder, and then take it into use."""
    project = Project.objects.select_related("dataset").get(pk=project_id)
    check_manager(work.claim.requested_by_id, project.pk)
    taken(work, project, Encoder.objects.get(pk=encoder_id, dataset=project.dataset_id))


def taken(work: Work, project: Project, encoder: Encoder) -> None:
    """Every image has its new vector before the project changes over: no queue runs dry meanwhile."""
    unreadable = encode_all(
        project.dataset, encoder, lambda done, text: work.progress(0.05 + 0.95 * done, text)
    )
    work.progress(0.99, f"{unreadable} series could not be read" if unreadable else "Changing over")
    with work.commit() as job:
        promotion.change_encoder(
            project=project,
            encoder=encoder,
            kind=Promotion.Kind.CHOICE,
            reason="chosen by ML staff",
            by=job.requested_by,
            now=timezone.now(),
        )
        services.ask_embed(dataset_id=project.dataset_id)
