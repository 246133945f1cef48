"""Every kind of machine work by name; bodies with torch are imported in the process that runs them."""

import os
from typing import Any
from uuid import UUID

from django.utils import timezone
from threadpoolctl import threadpool_limits

from annotation.queue import counting, settling
from jobs.models import Lane
from mlworker import (
    backing_up,
    checking,
    cleaning,
    comparing,
    doubting,
    drifting,
    embedding_map,
    erasing,
    judging,
    organising,
    removing,
    similar_cases,
)
from mlworker import refit as refitting
from mlworker.runtime import Work, job

# Before torch is imported: its threads wait asleep. Spinning, they run at a third of the speed beside others.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@job("refit", lane=Lane.LIGHT)
def refit(work: Work, *, project_id: str) -> None:
    """Fit heads on stored vectors and rank the unread pool: seconds, no torch."""
    with threadpool_limits(limits=1):  # beside web and training on few cores, one thread is the fastest
        refitting.refit(work, project_id)


@job("find_similar", lane=Lane.LIGHT)
def find_similar(work: Work, *, search_id: str) -> None:
    """Find the unread cases most like a few examples: under a second, no torch."""
    with threadpool_limits(limits=1):
        similar_cases.find_similar(work, search_id)


@job("find_duplicates", lane=Lane.LIGHT)
def find_duplicates(work: Work, *, project_id: str, likeness: float) -> None:
    """Group the images of a project that the encoder takes for the same: seconds, no torch."""
    with threadpool_limits(limits=1):
        organising.find_duplicates(work, project_id, likeness)


@job("place_split", lane=Lane.LIGHT)
def place_split(work: Work, *, project_id: str) -> None:
    """Place patients in training, validation and test, near-duplicates together: seconds, no torch."""
    with threadpool_limits(limits=1):
        organising.place_split(work, project_id)


@job("measure_agreement", lane=Lane.LIGHT)
def measure_agreement(work: Work, *, project_id: str) -> None:
    """Compare what several readers said of the same cases, and fuse them anew: seconds, no torch."""
    with threadpool_limits(limits=1):
        comparing.measure_agreement(work, project_id)


@job("settle_readings", lane=Lane.LIGHT)
def settle_readings(work: Work, *, project_id: str, whole: bool = False) -> None:
    """Take cases off the line for which no reading more is wanted or can come: seconds, no torch."""
    settled = settling.settle_readings(UUID(project_id), timezone.now(), whole=whole)
    work.progress(1.0, f"{settled} cases settled")


@job("count_readings", lane=Lane.LIGHT)
def count_readings(work: Work, *, project_id: str, reader_id: str) -> None:
    """Fuse anew what a reader has read, now that it counts or does not: seconds, no torch."""
    counted = counting.count_readings(UUID(project_id), UUID(reader_id), timezone.now())
    work.progress(1.0, f"{counted} cases fused")


@job("settle_tests", lane=Lane.LIGHT)
def settle_tests(work: Work, *, project_id: str) -> None:
    """Settle readers' tests by what the protocol asks now: under a second, no torch."""
    settled = counting.settle_tests(UUID(project_id), timezone.now())
    work.progress(1.0, f"{settled} readers")


@job("check_labels", lane=Lane.LIGHT)
def check_labels(work: Work, *, project_id: str) -> None:
    """Look for labels that are likely wrong and readings that were too fast: seconds, no torch."""
    with threadpool_limits(limits=1):
        checking.check_labels(work, project_id)


@job("place_second_reads", lane=Lane.LIGHT)
def place_second_reads(work: Work, *, project_id: str) -> None:
    """Ask for second readings where a label is most likely wrong: seconds, no torch."""
    with threadpool_limits(limits=1):
        doubting.place(work, project_id)


@job("compare_models", lane=Lane.LIGHT)
def compare_models(work: Work, *, project_id: str, numbers: list[int]) -> None:
    """Judge models side by side on the audit stream, case by case: seconds, no torch."""
    with threadpool_limits(limits=1):
        judging.compare_models(work, project_id, numbers)


@job("measure_drift", lane=Lane.LIGHT)
def measure_drift(work: Work, *, project_id: str) -> None:
    """Measure how far new images differ from labelled ones: seconds, no torch."""
    with threadpool_limits(limits=1):
        drifting.measure_drift(work, project_id)


@job("export", lane=Lane.TRANSFER, spawn=True)
def export(work: Work, *, export_id: str) -> None:
    """Make a snapshot's file in one format: seconds to minutes, in a process of its own, no torch."""
    from mlworker import exporting

    with threadpool_limits(limits=1):
        exporting.export(work, export_id)


@job("erase", lane=Lane.LIGHT)
def erase(work: Work, *, erasure_id: str) -> None:
    """Remove a patient from everywhere, and certify it: seconds, no torch."""
    erasing.erase(work, erasure_id)


@job("map_pool", lane=Lane.LIGHT)
def map_pool(work: Work, *, project_id: str) -> None:
    """Draw the embedding map by principal components: seconds, no torch."""
    with threadpool_limits(limits=1):
        embedding_map.draw(work, project_id, embedding_map.PCA)


@job("map_pool_umap", lane=Lane.TRAINING, spawn=True)
def map_pool_umap(work: Work, *, project_id: str) -> None:
    """Draw the embedding map by UMAP, where it is installed: minutes, no torch."""
    embedding_map.draw(work, project_id, embedding_map.UMAP)


@job("learn_regions", lane=Lane.TRAINING, spawn=True)
def learn_regions(work: Work, *, project_id: str) -> None:
    """Learn masks and regions as readers draw them, and propose them for the next cases; no torch."""
    from mlworker import learn_regions as drawing

    with threadpool_limits(limits=1):
        drawing.learn_regions(work, project_id)


@job("embed", lane=Lane.TRAINING, spawn=True)
def embed(work: Work, *, dataset_id: str) -> None:
    """Encode every series that has no vector yet."""
    from mlworker import encode

    encode.embed(work, dataset_id)


@job("pretrain", lane=Lane.TRAINING, spawn=True)
def pretrain(
    work: Work,
    *,
    dataset_id: str,
    minutes: float,
    method: str,
    project_ids: list[str],
    checkpoint: str,
) -> None:
    """Teach an encoder on the images of one or several projects, without their labels or with them."""
    from mlworker import pretrain as pretraining
    from mlworker import teaching

    wanted = teaching.Wanted(minutes, method, project_ids, checkpoint)
    pretraining.pretrain(work, dataset_id, wanted)


@job("train", lane=Lane.TRAINING, spawn=True)
def train(
    work: Work, *, project_id: str, snapshot_id: str, settings: dict[str, Any], checkpoint: str
) -> None:
    """Fine-tune encoder and head on a snapshot, and put the result before the gate."""
    from mlworker import finetune

    finetune.train(work, project_id, snapshot_id, settings, checkpoint)


@job("adopt_encoder", lane=Lane.TRAINING, spawn=True)
def adopt_encoder(work: Work, *, project_id: str, encoder_id: str) -> None:
    """Encode with a registered encoder, and take it into use."""
    from mlworker import adopt

    adopt.adopt_encoder(work, project_id, encoder_id)


@job("add_encoder", lane=Lane.TRAINING, spawn=True)
def add_encoder(work: Work, *, project_id: str, name: str, stored: str, digest: str) -> None:
    """Check uploaded weights, encode with them, and take them into use."""
    from mlworker import adopt

    adopt.add_encoder(work, project_id, name, stored, digest)


@job("replay", lane=Lane.TRAINING, spawn=True)
def replay(work: Work, *, project_id: str, strategies: list[str], seeds: int, budget: int) -> None:
    """Read a project's labels again by each strategy: which one pays, with intervals; minutes, no torch."""
    from mlworker.replay import job as replaying

    with threadpool_limits(limits=1):
        replaying.replay(work, project_id, strategies=strategies, seeds=seeds, budget=budget)


@job("remove_deleted", lane=Lane.LIGHT)
def remove_deleted(work: Work) -> None:
    """Remove for good what nobody brought back in time: seconds, no torch."""
    removing.remove_deleted(work)


@job("remove_originals", lane=Lane.LIGHT)
def remove_originals(work: Work, *, dataset_id: str) -> None:
    """Remove a data set's kept originals: seconds to minutes, no torch."""
    removing.remove_kept_originals(work, dataset_id)


@job("clean_up", lane=Lane.LIGHT)
def clean_up(work: Work) -> None:
    """Remove what nobody needs any more: seconds, no torch."""
    cleaning.clean_up(work)


@job("backup", lane=Lane.LIGHT)
def backup(work: Work) -> None:
    """Write a backup into the folder that the settings name: seconds where little is new, no torch."""
    backing_up.backup(work)
