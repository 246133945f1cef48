"""The map jobs' body: every vector of a project becomes a place in the plane, with what it is coloured by."""

import time
from collections.abc import Sequence

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from annotation.learning.files import keep
from annotation.learning.maps import MOST_NUMBERED, NO_LABEL, NewMap, ask_umap, colours_of, record_map
from annotation.learning.models import EmbeddingMap, Encoder, ModelVersion
from annotation.projects.models import Project
from annotation.projects.selectors import question_learned
from annotation.queue.pool import PoolRow, rows_to_draw
from mlworker.driving import target_of
from mlworker.evaluation.stopping import uncertainties
from mlworker.predicting import predictions
from mlworker.projection import Principal, has_umap, neighbours_kept, on_grid
from mlworker.runtime import Work
from mlworker.similar_cases import with_vectors
from mlworker.stopping_notes import same_question
from mlworker.targets import Target, likeliest
from mlworker.vectors import encoder_of

Floats = NDArray[np.floating]
Bytes = NDArray[np.uint8]
PCA, UMAP = EmbeddingMap.Method.PCA, EmbeddingMap.Method.UMAP
SEED = 0


def draw(work: Work, project_id: str, method: str) -> None:
    """Draw a project's map; PCA asks for UMAP where it is installed. The same job again draws nothing."""
    if EmbeddingMap.objects.filter(job_id=work.job_id).exists():
        return
    started = time.monotonic()
    project = Project.objects.get(pk=project_id)
    encoder = encoder_of(project)
    rows, vectors = with_vectors(encoder, rows_to_draw(project.pk))
    if len(rows) < 3:
        raise ValueError(f"{len(rows)} images are encoded: a map needs at least 3")
    work.progress(0.2, f"{len(rows)} images")
    places, facts = laid_out(vectors, method)
    model, question = newest_model(project, encoder), question_learned(project.pk)
    sites, site = numbered_sites(rows)
    uncertain, predicted = judged(model, vectors, target_of(question))
    content = packed(rows, on_grid(places), [uncertain, predicted, site])
    new = NewMap(
        method=method,
        encoder=encoder,
        model=model,
        stored=keep(content, folder="maps", suffix=".bin"),
        case_count=len(rows),
        sites=sites,
        classes=colours_of(question),
        facts=facts | {"seconds": round(time.monotonic() - started, 2)},
    )
    with work.commit():
        record_map(project=project, job_id=work.job_id, new=new, now=timezone.now())
        if method == PCA and has_umap():
            ask_umap(project.pk)


def laid_out(vectors: Floats, method: str) -> tuple[Floats, dict[str, float]]:
    """Give each vector a place: (case, feature) → (case, 2), and how much of the variance it shows."""
    if method == UMAP:
        return neighbours_kept(vectors, seed=SEED), {}
    principal = Principal.of(vectors, components=2, seed=SEED)
    return principal.apply(vectors), {"explained": round(principal.explained, 4)}


def newest_model(project: Project, encoder: Encoder) -> ModelVersion | None:
    """Find the newest model on these vectors."""
    return project.models.filter(encoder=encoder).order_by("-number").first()


def numbered_sites(rows: Sequence[PoolRow]) -> tuple[list[str], Bytes]:
    """Give sites numbers by name; what comes after the 254th has none."""
    names = sorted({row.site for row in rows})[:MOST_NUMBERED]
    numbers = {name: number for number, name in enumerate(names)}
    return names, np.array([numbers.get(row.site, NO_LABEL) for row in rows], dtype=np.uint8)


def judged(model: ModelVersion | None, vectors: Floats, target: Target) -> tuple[Bytes, Bytes]:
    """Say how unsure a model is of each case (entropy, 0 – 254) and the colour of what it finds likeliest."""
    nothing = np.full(len(vectors), NO_LABEL, dtype=np.uint8)
    if model is None or not same_question(model, target):
        return nothing, nothing
    chances = predictions(model, vectors)
    unsure = (uncertainties(chances).clip(0.0, 1.0) * MOST_NUMBERED).round().astype(np.uint8)
    told = target.chosen(likeliest(chances))
    several = len(target.choices) + (told.sum(axis=1) > 1)  # after the choices: none of them, more than one
    return unsure, np.where(told.sum(axis=1) == 1, told.argmax(axis=1), several).astype(np.uint8)


def packed(rows: Sequence[PoolRow], places: NDArray[np.uint16], columns: Sequence[Bytes]) -> bytes:
    """Write a map's file: see annotation.learning.maps.map_bytes."""
    numbers = np.array([row.number for row in rows], dtype="<u4")
    axes = np.ascontiguousarray(places.T).astype("<u2")
    ids = b"".join(row.case_id.bytes for row in rows)
    return numbers.tobytes() + axes.tobytes() + b"".join(column.tobytes() for column in columns) + ids
