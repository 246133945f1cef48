"""The embed job's body: an encoder for every project of a data set, and a vector for every series."""

import hashlib
import logging
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray
from torch import nn

from annotation.learning import services
from annotation.learning.drifts import ask_drifts
from annotation.learning.duplicates import ask_placing
from annotation.learning.files import content_of, keep
from annotation.learning.models import Encoder, TrainingRun
from annotation.learning.rules import PRETRAINING_MINUTES, pretraining_is_due
from annotation.learning.selectors import encoder_in_use, teachable_series
from annotation.projects.models import Project
from annotation.projects.splits import split_of
from annotation.studies.models import Dataset, Instance, Series
from mlworker.embeddings import EmbeddingStore
from mlworker.encoders import networks, shipped, weights
from mlworker.encoders.encoding import encoded, pooled
from mlworker.encoders.networks import ADJACENT, VOLUME, Preprocessing
from mlworker.pixels.series import adjacent, planes, volume
from mlworker.runtime import Work
from mlworker.vectors import store_of

log = logging.getLogger(__name__)
AT_A_TIME = 32
# torchvision's means and deviations, averaged over the three channels.
IMAGENET = Preprocessing(size=224, channels=3, mean=0.449, deviation=0.226)
UNREADABLE = (ValueError, KeyError, FileNotFoundError)


@dataclass(frozen=True)
class Origin:
    """Whose weights they are, and under what licence."""

    licence: str = ""
    source: str = "made here"


MADE_HERE = Origin()


def embed(work: Work, dataset_id: str) -> None:
    """Encode what has no vector yet; then ask for rankings, and for pretraining where that is due."""
    dataset = Dataset.objects.get(pk=dataset_id)
    work.progress(0.0, "Preparing the encoder")
    projects = list(dataset.projects.all())
    encoders = encoders_of(dataset, projects)
    unreadable = 0
    for number, encoder in enumerate(encoders):
        unreadable += encode_all(dataset, encoder, _share(work, number, len(encoders)))
    if unreadable:
        log.warning("data set %s: %s series could not be encoded", dataset_id, unreadable)
    with work.commit():
        for project in projects:
            if split_of(project.pk) is not None:
                ask_placing(project.pk)
            services.ask_refit(project_id=project.pk)
        ask_drifts(projects)
        ask_pretraining(dataset)


def ask_pretraining(dataset: Dataset) -> None:
    """Ask once for an encoder taught on the data set's own images."""
    runs = TrainingRun.objects.filter(dataset=dataset, kind="pretrain").count()
    pool_size = teachable_series(dataset).count()
    if pretraining_is_due(pool_size=pool_size, has_weights_file=bool(weights_file()), runs=runs):
        services.ask_pretrain(dataset_id=dataset.pk, minutes=PRETRAINING_MINUTES)


def weights_file() -> str:
    """FOVEA_ENCODER_WEIGHTS: a file of ResNet-18 weights to use instead of pretraining here."""
    return os.environ.get("FOVEA_ENCODER_WEIGHTS", "")


def encoders_of(dataset: Dataset, projects: Sequence[Project]) -> list[Encoder]:
    """List the projects' encoders; a project without one is given the first one at hand."""
    chosen = encoder_in_use([project.pk for project in projects])
    without = [project for project in projects if project.pk not in chosen]
    if without or not projects:
        first = next(iter(chosen.values()), None) or first_encoder(dataset)
        for project in without:
            services.choose_encoder(project=project, encoder=first)
        chosen |= {project.pk: first for project in without}
        if not projects:
            return [first]
    return list({encoder.pk: encoder for encoder in chosen.values()}.values())


def first_encoder(dataset: Dataset) -> Encoder:
    """Make an encoder that works at once: from the weights file, else the one that Fovea brings along."""
    known = Encoder.objects.filter(dataset=dataset).first()
    if known is not None and not weights_file():
        return known
    if weights_file():
        return from_file(dataset, Path(weights_file()))
    how = shipped.preprocessing(channels_of(dataset))
    sample = sample_planes(dataset, how, shipped.CALIBRATED_ON)
    return registered(
        dataset,
        shipped.network_for(sample, how),
        how,
        name=shipped.TITLE,
        report={},
        origin=Origin(shipped.LICENCE, shipped.SOURCE),
    )


def from_file(dataset: Dataset, path: Path) -> Encoder:
    """Register the weights of a file.

    raises: WrongWeightsError naming the first tensor that does not fit.
    """
    tensors = weights.read_file(path)
    network = weights.loaded(networks.resnet18(IMAGENET.channels), tensors)
    report = {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    origin = Origin(source=f"file {path.name}")
    return registered(
        dataset, network, IMAGENET, name=f"ResNet-18, {path.name}", report=report, origin=origin
    )


def registered(
    dataset: Dataset,
    network: nn.Module,
    preprocessing: Preprocessing,
    *,
    name: str,
    report: dict[str, Any],
    origin: Origin = MADE_HERE,
) -> Encoder:
    """Store a network's weights and note the encoder."""
    digest, content = weights.packed(network)
    new = services.NewEncoder(
        name=name[:128],
        digest=networks.encoder_digest(weights_digest=digest, preprocessing=preprocessing),
        dimension=networks.dimension_of(preprocessing),
        preprocessing=preprocessing.as_row() | {"weights_sha256": digest},
        weights_name=keep(content, folder="encoders", suffix=".safetensors").name,
        report=report,
        licence=origin.licence,
        source=origin.source,
    )
    return services.register_encoder(dataset=dataset, new=new, now=timezone.now())


def network_of(encoder: Encoder) -> tuple[nn.Module, Preprocessing]:
    """Load an encoder's network, its weights checked against their digest."""
    row = dict(encoder.preprocessing)
    content = content_of(encoder.weights_name, digest=row.pop("weights_sha256"))
    preprocessing = Preprocessing.from_row(row)
    return weights.unpacked(networks.built(preprocessing), content), preprocessing


def encode_all(dataset: Dataset, encoder: Encoder, told: Callable[[float, str], None]) -> int:
    """Encode every series that has no vector yet; return how many could not be."""
    return encode_missing(encoder, series_digests(dataset), told)


def encode_missing(encoder: Encoder, digests: Sequence[str], told: Callable[[float, str], None]) -> int:
    """Encode those of some series that have no vector yet; return how many could not be."""
    store = store_of(encoder)
    missing = store.missing(digests)
    if not missing:
        return 0
    network, preprocessing = network_of(encoder)
    kept = 0
    for start in range(0, len(missing), AT_A_TIME):
        told(start / len(missing), f"Encoding images: {start} of {len(missing)}")
        kept += encode_batch(store, network, preprocessing, missing[start : start + AT_A_TIME])
    return len(missing) - kept


def series_digests(dataset: Dataset) -> list[str]:
    """Content digests of a data set's series, in a fixed order."""
    series = Series.objects.filter(study__dataset=dataset).exclude(content_digest="")
    return list(series.order_by("content_digest").values_list("content_digest", flat=True))


def encode_batch(
    store: EmbeddingStore, network: nn.Module, preprocessing: Preprocessing, digests: Sequence[str]
) -> int:
    """Encode some series and append their vectors; return how many there were."""
    found = dict(series_planes(digests, preprocessing, preprocessing.slices))
    if not found:
        return 0
    lengths = [len(one) for one in found.values()]
    vectors = encoded(network, np.concatenate(list(found.values())), preprocessing)
    store.append(list(found), pooled(vectors, lengths))
    return len(found)


def series_planes(
    digests: Sequence[str], preprocessing: Preprocessing, most: int
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Digest and planes of each series whose pixels can be read; the others are logged by id."""
    instances: dict[str, list[Instance]] = defaultdict(list)
    rows = Instance.objects.filter(series__content_digest__in=digests).select_related("series")
    for instance in rows.order_by("series_id", "sop_instance_uid"):
        instances[instance.series.content_digest].append(instance)
    for digest, own in instances.items():
        first = own[0].series_id
        try:
            same = [instance for instance in own if instance.series_id == first]
            yield digest, seen(same, preprocessing, most)
        except UNREADABLE as error:
            log.warning("series %s cannot be encoded: %s", first, error)


def seen(instances: Sequence[Instance], preprocessing: Preprocessing, most: int) -> NDArray[np.float32]:
    """Read a series as its encoder sees it: (plane ≤ most, channel, [z,] y, x)."""
    if preprocessing.seen == VOLUME:
        return volume(instances, size=preprocessing.size, depth=preprocessing.slices)
    if preprocessing.seen == ADJACENT:
        return adjacent(instances, size=preprocessing.size, most=most)
    return planes(instances, size=preprocessing.size, channels=preprocessing.channels, most=most)


def sample_planes(dataset: Dataset, preprocessing: Preprocessing, count: int) -> NDArray[np.float32]:
    """One plane each of the first series by digest: a random sample that is always the same."""
    found = [one for _, one in series_planes(series_digests(dataset)[:count], preprocessing, 1)]
    shape = (0, preprocessing.channels, preprocessing.size, preprocessing.size)
    return np.concatenate(found) if found else np.empty(shape, dtype=np.float32)


def channels_of(dataset: Dataset) -> int:
    """3 where some of the first hundred images are in colour, else 1."""
    rows = Instance.objects.filter(dataset=dataset).order_by("digest").values_list("attributes", flat=True)
    return 3 if any(int(row.get("SamplesPerPixel", 1)) == 3 for row in rows[:100]) else 1


def _share(work: Work, number: int, of: int) -> Callable[[float, str], None]:
    """Progress of one encoder as a share of the whole job."""
    return lambda fraction, message: work.progress((number + fraction) / of, message)
