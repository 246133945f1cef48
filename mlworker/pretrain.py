"""The pretrain job's body: teach an encoder on one or several projects' images, measure what that bought."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import torch
from django.conf import settings
from django.utils import timezone
from torch import nn

from annotation.learning import promotion, runs
from annotation.learning.models import Encoder, Promotion
from annotation.learning.selectors import encoder_in_use
from annotation.projects.models import Project
from annotation.studies.models import Dataset
from mlworker.encode import encode_all, encoders_of, network_of, registered, sample_planes
from mlworker.encoders import networks
from mlworker.encoders.encoding import encoded, prepared
from mlworker.encoders.gain import Encode, Gain, better, efficiency, probe, retrieval
from mlworker.encoders.networks import Preprocessing, dimension_of
from mlworker.encoders.objectives import Classified, balance_of
from mlworker.encoders.pretraining import METHODS, pretraining
from mlworker.encoders.training import Plan, Point, Source, Training
from mlworker.runtime import Work
from mlworker.teaching import LABELS, Taught, Unseen, Wanted, taught_by

TRAINED, MEASURED = 0.8, 0.85
CALIBRATED_ON = 256


def pretrain(work: Work, dataset_id: str, wanted: Wanted) -> None:
    """Train from the encoder in use, measure, and put the new one in its place only if it measured better."""
    dataset = Dataset.objects.get(pk=dataset_id)
    projects = list(dataset.projects.all())
    current = encoders_of(dataset, projects)[0]
    facts = {"minutes": wanted.minutes, "from": current.name, "method": wanted.method}
    new = runs.NewRun(kind="pretrain", dataset_id=dataset.pk, settings=facts)
    if runs.start_run(job_id=work.job_id, new=new, now=timezone.now()).result:
        return  # it was done before: a repeated message trains nothing again
    candidate, promoted = candidate_of(work, dataset, current, wanted, facts)
    if promoted:
        encode_all(dataset, candidate, lambda done, text: work.progress(MEASURED + 0.15 * done, text))
    with work.commit():
        runs.finish_run(job_id=work.job_id, result=candidate.report | {"promoted": promoted})
        if promoted:
            promote(projects, current, candidate)
    checkpoint_path(wanted.checkpoint).unlink(missing_ok=True)


def candidate_of(
    work: Work, dataset: Dataset, current: Encoder, wanted: Wanted, facts: dict[str, Any]
) -> tuple[Encoder, bool]:
    """Train and measure an encoder; say whether it measured better than the one in use."""
    work.progress(0.01, "Reading the images")
    network, preprocessing = network_of(current)
    taught = taught_by(dataset, preprocessing, wanted)
    training = training_of(network, preprocessing, taught, wanted)
    for point in training.history:  # of the attempt that was broken off
        runs.append_history(job_id=work.job_id, point=point)
    reason = training.run(taught.sources, taught.held_back, teller(work, training))
    work.progress(TRAINED, "Measuring what it bought")
    report = facts | {
        "images": sum(len(source.images) for source in taught.sources),
        "sources": ", ".join(taught.names),
        "epochs": training.epoch,
        "ended": reason,
    }
    candidate, gains = measured(dataset, current, network, taught.held_back, report)
    if wanted.method == LABELS:
        probed = gains.get("probe")
        return candidate, probed is not None and probed.low > 0.0
    return candidate, better(gains["retrieval"], gains.get("probe"))


def training_of(network: nn.Module, preprocessing: Preprocessing, taught: Taught, wanted: Wanted) -> Training:
    """Make the run, or take up the one that was broken off."""
    plan, path = Plan(minutes=wanted.minutes), checkpoint_path(wanted.checkpoint)
    if wanted.method in METHODS:
        return pretraining(network, preprocessing, plan, path, wanted.method)
    balance = [
        balance_of(source.labels, classes)
        for source, classes in zip(taught.sources, taught.classes, strict=True)
        if source.labels is not None
    ]
    torch.manual_seed(plan.seed)
    objective = Classified(dimension_of(preprocessing), preprocessing, plan.strength, balance)
    return Training(network, objective, plan, path)


def promote(projects: list[Project], current: Encoder, candidate: Encoder) -> None:
    """Give the new encoder to the projects that used the one it was measured against."""
    using = encoder_in_use([project.pk for project in projects])
    for project in projects:
        if using[project.pk].pk == current.pk:
            promotion.change_encoder(
                project=project,
                encoder=candidate,
                kind=Promotion.Kind.GATE,
                reason=f"pretraining measured better: {why(candidate)}",
                by=None,
                now=timezone.now(),
            )


def why(candidate: Encoder) -> str:
    """Put what decided into words: the probe where there are labels, else pictures found again."""
    report = candidate.report
    name, gain = next((key, report[key]) for key in ("probe", "retrieval") if key in report)
    what = "balanced accuracy of heads" if name == "probe" else "pictures found again"
    said = f"{what} {gain['candidate']:.3f} against {gain['current']:.3f}"
    return f"{said}, 95 % interval of the gain {gain['low']:+.3f} to {gain['high']:+.3f}"


def checkpoint_path(name: str) -> Path:
    """Where a training can be taken up again, by the name that its job carries; a UUID, nothing else."""
    return settings.HOME.root / "checkpoints" / f"{UUID(name)}.pt"


def teller(work: Work, training: Training) -> Callable[[Point], None]:
    """Write each epoch into the run's history, and the job's progress."""

    def told(point: Point) -> None:
        runs.append_history(job_id=work.job_id, point=point)
        if training.digest:
            runs.note_checkpoint(job_id=work.job_id, name=training.path.name, digest=training.digest)
        text = f"Epoch {training.epoch}: loss {point['loss']}"
        work.progress(TRAINED * training.share_done(), text)

    return told


def measured(
    dataset: Dataset,
    current: Encoder,
    network: nn.Module,
    held_back: Sequence[Source],
    report: dict[str, Any],
) -> tuple[Encoder, dict[str, Gain]]:
    """Register the trained network with its gain over the encoder it started from, and over random weights.

    Everything is measured on patients of the audit stream and patients held back: it learned from none.
    """
    before, preprocessing = network_of(current)
    new, old = encode_with(network, preprocessing), encode_with(before, preprocessing)
    gains = {"retrieval": retrieval(held_back[0].images, candidate=new, current=old, seed=0)}
    unseen = Unseen.of(dataset, preprocessing)
    full = report | {"judged_on": 0 if unseen is None else len(unseen.planes)}
    if unseen is not None:
        vectors = {"candidate": unseen.vectors(new), "current": unseen.vectors(old)}
        probed = probe(vectors, unseen.known, seed=0)
        if probed is not None:
            gains["probe"] = probed
            vectors["random"] = unseen.vectors(encode_with(untrained(dataset, preprocessing), preprocessing))
            full["label_efficiency"] = efficiency(vectors, unseen.known, seed=0)
    full |= {name: gain.as_row() for name, gain in gains.items()}
    how = "labels of several projects" if report["method"] == LABELS else "this data set"
    name = f"{preprocessing.architecture}, pretrained on {how} ({report['epochs']} epochs)"
    return registered(dataset, network, preprocessing, name=name, report=full), gains


def encode_with(network: nn.Module, preprocessing: Preprocessing) -> Encode:
    """Bind a network to its preprocessing."""
    return lambda planes: encoded(network, planes, preprocessing)


def untrained(dataset: Dataset, preprocessing: Preprocessing) -> nn.Module:
    """Random weights, normalised on some images: what a project starts with."""
    network = networks.random_network(preprocessing, seed=0)
    sample = sample_planes(dataset, preprocessing, CALIBRATED_ON)
    networks.calibrate_normalisation(network, prepared(torch.from_numpy(sample), preprocessing))
    return network
