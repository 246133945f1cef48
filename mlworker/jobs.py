"""Every kind of machine work by name; bodies with torch are imported in the process that runs them."""

import os

from threadpoolctl import threadpool_limits

from jobs.models import Lane
from mlworker import refit as refitting
from mlworker.runtime import Work, job

# Before torch is imported: its threads wait asleep. Spinning, they run at a third of the speed beside others.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@job("refit", lane=Lane.LIGHT)
def refit(work: Work, *, project_id: str) -> None:
    """Fit heads on stored vectors and rank the unread pool: seconds, no torch."""
    with threadpool_limits(limits=1):  # beside web and training on few cores, one thread is the fastest
        refitting.refit(work, project_id)


@job("embed", lane=Lane.TRAINING, spawn=True)
def embed(work: Work, *, dataset_id: str) -> None:
    """Encode every series that has no vector yet."""
    from mlworker import encode

    encode.embed(work, dataset_id)


@job("pretrain", lane=Lane.TRAINING, spawn=True)
def pretrain(work: Work, *, dataset_id: str, minutes: float) -> None:
    """Teach an encoder on the data set's own images."""
    from mlworker import pretrain as pretraining

    pretraining.pretrain(work, dataset_id, minutes)


@job("replay", lane=Lane.TRAINING, spawn=True)
def replay(work: Work, *, project_id: str, strategies: list[str], seeds: int, budget: int) -> None:
    """Read a project's labels again by each strategy: which one pays, with intervals; minutes, no torch."""
    from mlworker.replay import job as replaying

    with threadpool_limits(limits=1):
        replaying.replay(work, project_id, strategies=strategies, seeds=seeds, budget=budget)
