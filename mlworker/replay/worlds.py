"""What a replay reads: cases with known answers, and cases that judge. NumPy only."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mlworker import loop
from mlworker.acquisition.noise import uniforms
from mlworker.targets import MULTI, SINGLE, Target

Floats = NDArray[np.floating]
Numbers = NDArray[np.intp]
FEWEST_CASES = 30
JUDGING_SHARE = 0.3
JUDGING_SEED = 7_919


class WorldError(ValueError):
    """The set cannot be replayed: the message says what it lacks."""


@dataclass(frozen=True)
class World:
    """A set whose answers are known.

    read:    what can be read. judge: what judges; None where each seed holds back its own share of patients.
    classes: the choices. seconds: (case,) expert time that reading each case takes, where it is known.
    kind: of the question, see `mlworker.targets`.
    """

    name: str
    read: loop.Labelled
    judge: loop.Labelled | None
    classes: list[str]
    seconds: Floats | None = None
    kind: str = SINGLE

    @property
    def target(self) -> Target:
        """What is learned."""
        return Target(self.kind, tuple(self.classes))


@dataclass(frozen=True)
class Seeded:
    """What one seed deals to every strategy alike. audit: (case,) true in the audit stream."""

    seed: int
    read: loop.Labelled
    judge: loop.Labelled
    seconds: Floats
    audit: NDArray[np.bool_]


def checked(world: World) -> World:
    """Pass on a world that can be replayed.

    raises: WorldError naming what is missing.
    """
    target = world.target
    if target.classes < 2:
        raise WorldError(f"{world.name} has {target.classes} classes: a replay needs two")
    if len(world.read.labels) < FEWEST_CASES:
        raise WorldError(
            f"{world.name} has {len(world.read.labels)} labelled cases to read: a replay needs {FEWEST_CASES}"
        )
    for part, labels in {"to read": world.read.labels, "that judge": judging(world).labels}.items():
        absent = [name for name, count in zip(world.classes, target.named(labels), strict=True) if not count]
        if absent:
            raise WorldError(f"{world.name} has no cases {part} of {', '.join(absent)}")
        everywhere = [classes for classes in target.counts(labels) if not classes[0]]
        if world.kind == MULTI and everywhere:
            raise WorldError(f"{world.name} has a finding that all cases {part} have")
    return world


def judging(world: World) -> loop.Labelled:
    """Cases that judge; where each seed holds back its own, those that it may take them from."""
    return world.read if world.judge is None else world.judge


def seeded(world: World, *, seed: int, audit_share: float) -> Seeded:
    """Deal a seed's judging cases and audit stream, whole patients at a time."""
    patients = world.read.patients.astype(np.uint64)
    held_back = np.zeros(len(patients), dtype=bool)
    if world.judge is None:
        held_back = uniforms(patients, seed + JUDGING_SEED) < JUDGING_SHARE
    seconds = np.zeros(len(patients)) if world.seconds is None else world.seconds
    return Seeded(
        seed,
        taken(world.read, np.flatnonzero(~held_back)),
        taken(world.read, np.flatnonzero(held_back)) if world.judge is None else world.judge,
        seconds[~held_back],
        uniforms(patients, seed)[~held_back] < audit_share,
    )


def taken(labelled: loop.Labelled, chosen: Numbers) -> loop.Labelled:
    """Take some cases. chosen: positions."""
    return loop.Labelled(
        replace(labelled.cases, keys=labelled.cases.keys[chosen], vectors=labelled.cases.vectors[chosen]),
        labelled.labels[chosen],
        labelled.patients[chosen],
        None if labelled.likely is None else labelled.likely[chosen],
    )
