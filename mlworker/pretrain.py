"""The pretrain job's body: teach an encoder on a data set's own images, measure what that bought."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from django.conf import settings
from django.utils import timezone
from torch import nn

from annotation.learning import runs, services
from annotation.learning.models import Encoder
from annotation.learning.selectors import encoder_in_use, labelled, question_of, teachable_series
from annotation.projects.models import Project
from annotation.studies.models import Dataset
from mlworker.encode import encode_all, encoders_of, network_of, registered, series_planes, store_of
from mlworker.encoders.encoding import encoded
from mlworker.encoders.gain import Encode, Gain, better, probe, retrieval
from mlworker.encoders.networks import Preprocessing
from mlworker.encoders.pretraining import Plan, Point, Pretraining
from mlworker.runtime import Work

MOST_IMAGES = 20_000
PLANES_A_SERIES = 4
HELD_BACK = 0.1
FEWEST_HELD_BACK, MOST_HELD_BACK = 16, 512
TRAINED, MEASURED = 0.8, 0.85


def pretrain(work: Work, dataset_id: str, minutes: float) -> None:
    """Train from the encoder in use, measure, and put the new one in its place only if it measured better."""
    dataset = Dataset.objects.get(pk=dataset_id)
    projects = list(dataset.projects.all())
    current = encoders_of(dataset, projects)[0]
    facts = {"minutes": minutes, "from": current.name, "method": "SimCLR"}
    new = runs.NewRun(kind="pretrain", dataset_id=dataset.pk, settings=facts)
    if runs.start_run(job_id=work.job_id, new=new, now=timezone.now()).result:
        return  # it was done before: a repeated message trains nothing again
    candidate, promoted = candidate_of(work, dataset, current, facts)
    if promoted:
        encode_all(dataset, candidate, lambda done, text: work.progress(MEASURED + 0.15 * done, text))
    with work.commit():
        runs.finish_run(job_id=work.job_id, result=candidate.report | {"promoted": promoted})
        if promoted:
            promote(projects, current, candidate)
    checkpoint_path(work).unlink(missing_ok=True)


def candidate_of(
    work: Work, dataset: Dataset, current: Encoder, facts: dict[str, Any]
) -> tuple[Encoder, bool]:
    """Train and measure an encoder; say whether it measured better than the one in use."""
    work.progress(0.01, "Reading the images")
    network, preprocessing = network_of(current)
    images, held_back = pictures(dataset, preprocessing)
    training = Pretraining(network, preprocessing, Plan(minutes=facts["minutes"]), checkpoint_path(work))
    reason = training.run(images, held_back, _teller(work, training))
    work.progress(TRAINED, "Measuring what it bought")
    report = facts | {"images": len(images), "epochs": training.epoch, "ended": reason}
    candidate, gains = measured(dataset, current, network, held_back, report)
    return candidate, better(gains["retrieval"], gains.get("probe"))


def promote(projects: list[Project], current: Encoder, candidate: Encoder) -> None:
    """Give the new encoder to the projects that used the one it was measured against."""
    using = encoder_in_use([project.pk for project in projects])
    for project in projects:
        if using[project.pk].pk == current.pk:
            services.choose_encoder(project=project, encoder=candidate)
            services.ask_refit(project_id=project.pk)


def checkpoint_path(work: Work) -> Path:
    """Where this job's training can be taken up again."""
    return settings.HOME.root / "checkpoints" / f"{work.job_id}.pt"


def _teller(work: Work, training: Pretraining) -> Callable[[Point], None]:
    def told(point: Point) -> None:
        runs.append_history(job_id=work.job_id, point=point)
        if training.digest:
            runs.note_checkpoint(job_id=work.job_id, name=training.path.name, digest=training.digest)
        text = f"Epoch {training.epoch}: loss {point['loss']}"
        work.progress(TRAINED * training.share_done(), text)

    return told


def pictures(dataset: Dataset, preprocessing: Preprocessing) -> tuple[torch.Tensor, torch.Tensor]:
    """Images to learn from and images held back, apart by patient; (image, channel, y, x), uint8.

    Only series that are in the pool of every project are used: nothing of the audit stream or held out.
    raises: ValueError where there are too few.
    """
    rows = teachable_series(dataset).order_by("content_digest")
    patients = dict(rows.values_list("content_digest", "study__patient_id")[:MOST_IMAGES])
    sides: dict[bool, list[np.ndarray]] = {True: [], False: []}
    digests = list(patients)
    for start in range(0, len(digests), 256):
        some = digests[start : start + 256]
        for digest, planes in series_planes(some, preprocessing, PLANES_A_SERIES):
            held = is_held_back(str(patients[digest])) and len(sides[True]) < MOST_HELD_BACK
            sides[held].append((planes[:1] if held else planes).astype(np.float32))
    if len(sides[True]) < FEWEST_HELD_BACK:
        raise ValueError(f"{len(digests)} series are in the pool: pretraining needs about 200")
    return _bytes(sides[False]), _bytes(sides[True])


def is_held_back(patient: str) -> bool:
    """Choose a tenth of the patients, by a hash of the pseudonymous id."""
    return hashlib.sha256(patient.encode()).digest()[0] < HELD_BACK * 256


def _bytes(parts: list[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy((np.concatenate(parts) * 255.0 + 0.5).astype(np.uint8))


def measured(
    dataset: Dataset, current: Encoder, network: nn.Module, held_back: torch.Tensor, report: dict[str, Any]
) -> tuple[Encoder, dict[str, Gain]]:
    """Register the trained network with its gain over the encoder it started from."""
    before, preprocessing = network_of(current)
    new, old = _encode_with(network, preprocessing), _encode_with(before, preprocessing)
    gains = {"retrieval": retrieval(held_back, candidate=new, current=old, seed=0)}
    probed = probe_of(dataset, new, current, preprocessing)
    if probed is not None:
        gains["probe"] = probed
    full = report | {name: gain.as_row() for name, gain in gains.items()}
    name = f"ResNet-18, pretrained on this data set ({report['epochs']} epochs)"
    return registered(dataset, network, preprocessing, name=name, report=full), gains


def _encode_with(network: nn.Module, preprocessing: Preprocessing) -> Encode:
    return lambda planes: encoded(network, planes, preprocessing)


def probe_of(dataset: Dataset, new: Encode, current: Encoder, preprocessing: Preprocessing) -> Gain | None:
    """Compare linear heads on the labels there are: the project with the most of them."""
    counted = {project: labelled(project.pk) for project in dataset.projects.all()}
    project, rows = max(counted.items(), key=lambda item: len(item[1]))
    _, classes = question_of(project.pk)
    store = store_of(current)
    rows = [row for row in rows if store.rows([row.content_digest])[0] >= 0]
    planes = dict(series_planes([row.content_digest for row in rows], preprocessing, preprocessing.slices))
    rows = [row for row in rows if row.content_digest in planes]
    if not rows:
        return None
    vectors = {
        "candidate": np.stack([new(planes[row.content_digest]).mean(axis=0) for row in rows]),
        "current": store.vectors(store.rows([row.content_digest for row in rows])).astype(np.float32),
    }
    present = sorted({row.label for row in rows}, key=classes.index)
    labels = np.array([present.index(row.label) for row in rows], dtype=np.intp)
    people = sorted({row.patient_id for row in rows})
    patients = np.array([people.index(row.patient_id) for row in rows], dtype=np.intp)
    return probe(vectors, labels, patients, seed=0)
