"""What an encoder is taught on, of projects that allow it, and what is kept from it to judge it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from annotation.learning.models import Policy
from annotation.learning.selectors import Labelled, labelled, teachable_series
from annotation.projects.models import Case, Project
from annotation.projects.selectors import question_learned
from annotation.studies.models import Dataset
from mlworker.driving import target_of
from mlworker.encode import series_planes
from mlworker.encoders.gain import Encode, Known
from mlworker.encoders.networks import VOLUME, Preprocessing
from mlworker.encoders.training import Source
from mlworker.targets import Target

MOST_SERIES, MOST_BYTES = 20_000, 2 * 1024**3
PLANES_A_SERIES = 4
HELD_BACK = 0.1
FEWEST_HELD_BACK, MOST_HELD_BACK = 16, 512
FEWEST_LABELS = 20
LABELS = "labels"


@dataclass(frozen=True)
class Wanted:
    """What was asked for.

    method: one of METHODS, or "labels" (multi-task). project_ids: whose images or labels are learned from
    beside the data set's own. checkpoint: names the file from which a later attempt goes on.
    """

    minutes: float
    method: str
    project_ids: Sequence[str]
    checkpoint: str


@dataclass(frozen=True)
class Taught:
    """What an encoder learns from and what is held back of it, source by source.

    classes: of each head's decisions.
    """

    sources: list[Source]
    held_back: list[Source]
    names: list[str]
    classes: list[int]


def taught_by(dataset: Dataset, preprocessing: Preprocessing, wanted: Wanted) -> Taught:
    """Collect what is learned from, of projects that allow it.

    raises: ValueError where it is too little.
    """
    if preprocessing.seen == VOLUME:
        raise ValueError("the encoder sees whole volumes: it can be fine-tuned, and not pretrained here")
    projects = allowed(dataset, wanted.project_ids)
    if wanted.method == LABELS:
        return labels_of(projects, preprocessing)
    datasets = {dataset.pk: dataset} | {project.dataset_id: project.dataset for project in projects}
    pairs = [pictures(one, preprocessing) for one in datasets.values()]
    return Taught(
        [Source(images) for images, _ in pairs],
        [Source(held_back) for _, held_back in pairs],
        [one.name for one in datasets.values()],
        [],
    )


def allowed(dataset: Dataset, project_ids: Sequence[str]) -> list[Project]:
    """Projects among those named that are of this data set, or whose owners share them now."""
    sharing = set(Policy.objects.filter(share_labels=True).values_list("project_id", flat=True))
    named = Project.objects.filter(pk__in=project_ids).select_related("dataset").order_by("pk")
    return [one for one in named if one.dataset_id == dataset.pk or one.pk in sharing]


def labels_of(projects: Sequence[Project], preprocessing: Preprocessing) -> Taught:
    """Images of every project with the labels of its pool, a head each; none of the audit stream.

    raises: ValueError where no project has labels enough.
    """
    taught = Taught([], [], [], [])
    for project in projects:
        target = target_of(question_learned(project.pk))
        rows = [row for row in labelled(project.pk) if row.stream == Case.Stream.POOL]
        sides = labelled_images(rows, target, preprocessing)
        if min(len(side.images) for side in sides) < 2 or len(rows) < FEWEST_LABELS:
            continue
        taught.sources.append(sides[0])
        taught.held_back.append(sides[1])
        taught.names.append(project.name)
        taught.classes.append(target.classes)
    if not taught.sources:
        raise ValueError(f"no project that shares its labels has {FEWEST_LABELS} of them with images")
    return taught


def labelled_images(
    rows: Sequence[Labelled], target: Target, preprocessing: Preprocessing
) -> tuple[Source, Source]:
    """Images with class numbers: to learn from, and held back; apart by patient."""
    by_digest = {row.content_digest: row for row in rows}
    images: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    shown: tuple[list[Labelled], list[Labelled]] = ([], [])
    digests = sorted(by_digest)[: most_series(preprocessing)]
    for start in range(0, len(digests), 256):
        for digest, seen in series_planes(digests[start : start + 256], preprocessing, PLANES_A_SERIES):
            side = int(is_held_back(str(by_digest[digest].patient_id)))
            images[side].append(_bytes(seen))
            shown[side].extend([by_digest[digest]] * len(seen))
    empty = np.empty((0, preprocessing.channels, preprocessing.size, preprocessing.size), dtype=np.uint8)
    learned, held = (
        Source(_together(some or [empty]), torch.from_numpy(taught_labels(own, target)))
        for some, own in zip(images, shown, strict=True)
    )
    return learned, held


def taught_labels(rows: Sequence[Labelled], target: Target) -> np.ndarray:
    """Labels of images: (image, decision) class numbers, or (image, decision, class) how likely each is."""
    labels = target.labels([row.chosen for row in rows])
    likely = target.likely(labels, [row.likely for row in rows])
    return labels if likely is None else likely.astype(np.float32)


def pictures(dataset: Dataset, preprocessing: Preprocessing) -> tuple[torch.Tensor, torch.Tensor]:
    """Images to learn from and images held back, apart by patient; (image, channel, [z,] y, x), uint8.

    Only series that are in the pool of every project are used: nothing of the audit stream or held out.
    raises: ValueError where there are too few.
    """
    rows = teachable_series(dataset).order_by("content_digest")
    wanted = rows.values_list("content_digest", "study__patient_id")[: most_series(preprocessing)]
    patients = dict(wanted)
    sides: dict[bool, list[np.ndarray]] = {True: [], False: []}
    digests = list(patients)
    for start in range(0, len(digests), 256):
        some = digests[start : start + 256]
        for digest, planes in series_planes(some, preprocessing, PLANES_A_SERIES):
            held = is_held_back(str(patients[digest]))
            if not held or len(sides[True]) < MOST_HELD_BACK:
                sides[held].append(_bytes(planes[:1] if held else planes))
    if len(sides[True]) < FEWEST_HELD_BACK:
        raise ValueError(f"{len(digests)} series are in the pool: pretraining needs about 200")
    return _together(sides[False]), _together(sides[True])


def is_held_back(patient: str) -> bool:
    """Choose a tenth of the patients, by a hash of the pseudonymous id."""
    return hashlib.sha256(patient.encode()).digest()[0] < HELD_BACK * 256


def most_series(preprocessing: Preprocessing) -> int:
    """Say how many series fit into the memory that a training may take."""
    deep = preprocessing.slices if preprocessing.seen == VOLUME else PLANES_A_SERIES
    return min(MOST_SERIES, MOST_BYTES // (deep * preprocessing.channels * preprocessing.size**2))


def _bytes(planes: np.ndarray) -> np.ndarray:
    return np.asarray((planes * 255.0 + 0.5).astype(np.uint8))


def _together(parts: list[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.concatenate(parts))


@dataclass(frozen=True)
class Unseen:
    """Labelled cases that no encoder of this data set learned from, each with its planes."""

    planes: list[np.ndarray]
    known: Known

    @classmethod
    def of(cls, dataset: Dataset, preprocessing: Preprocessing) -> "Unseen | None":
        """Take the project with the most such labels; None where there is none."""
        counted = {
            project: [row for row in labelled(project.pk) if is_unseen(row)]
            for project in dataset.projects.all()
        }
        project, rows = max(counted.items(), key=lambda item: len(item[1]))
        question = question_learned(project.pk)
        found = dict(series_planes([row.content_digest for row in rows], preprocessing, preprocessing.slices))
        rows = [row for row in rows if row.content_digest in found]
        if not rows:
            return None
        present = {value for row in rows for value in row.chosen}
        target = Target(question.kind, tuple(value for value in question.classes if value in present))
        people = sorted({row.patient_id for row in rows})
        return cls(
            [found[row.content_digest] for row in rows],
            Known(
                target.labels([row.chosen for row in rows]),
                np.array([people.index(row.patient_id) for row in rows], dtype=np.intp),
                target,
            ),
        )

    def vectors(self, encode: Encode) -> np.ndarray:
        """One vector a case: (case, feature)."""
        return np.stack([encode(planes).mean(axis=0) for planes in self.planes])


def is_unseen(row: Labelled) -> bool:
    """Whether training never touches a case: it is in the audit stream, or its patient is held back."""
    return row.stream == Case.Stream.AUDIT or is_held_back(str(row.patient_id))
