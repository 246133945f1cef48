"""One arm of the comparison: a budget of readings in one project, spent by simulated readers."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from uuid import UUID

import httpx
from django.utils import timezone

from annotation.learning import services
from annotation.learning.models import Policy
from annotation.learning.selectors import question_of
from annotation.projects.models import Project
from annotation.projects.selectors import document_in, protocol_in_force
from annotation.projects.services import NewCase, add_cases, start_project
from annotation.queue.rankings import add_entries
from mlworker.simulation.accounts import dismiss, read_in_all, simulated_readers
from mlworker.simulation.reader import PATIENCE_SECONDS, SimulatedReader
from mlworker.simulation.truth import Answer
from mlworker.simulation.waiting import until_idle

REFIT_SECONDS, TRAINING_SECONDS = 300.0, 3 * 3600.0
Told = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """Who reads how much, where."""

    url: str
    readers: int
    budget: int
    seconds: float
    seed: int


def sibling(project: Project) -> Project:
    """Make the project in which the same cases are read at random; the one that is there is used again."""
    name = f"{project.name} (random)"
    known = Project.objects.filter(name=name).first()
    if known is not None:
        return known
    document = document_in(protocol_in_force(project.pk))
    twin = start_project(name=name, document=document, now=timezone.now(), dataset=project.dataset)
    cases = list(project.cases.order_by("number"))
    items = [NewCase(case.series_id, case.patient_id, case.split) for case in cases]
    add_entries(project=twin, cases=add_cases(project=twin, items=items, now=timezone.now()))
    return twin


def prepare(project: Project, *, strategy: str, seed: int, like: Policy, told: Told) -> None:
    """Give an arm its strategy and the encoder of the other, and a first ranking."""
    services.set_policy(
        project=project,
        strategy=strategy,
        refit_every=like.refit_every,
        audit_share=like.audit_share,
        by=None,
    )
    Policy.objects.filter(project=project).update(seed=seed)
    if like.encoder is not None:
        services.choose_encoder(project=project, encoder=like.encoder)
    services.ask_refit(project_id=project.pk)
    until_idle(["refit"], project.pk, limit_seconds=REFIT_SECONDS, told=told)


def ready(project: Project, told: Told) -> None:
    """Wait until every image has its vector and no other encoder is in the making."""
    services.ask_embed(dataset_id=project.dataset_id)
    names = ["embed", "pretrain"]
    until_idle(names, project.dataset_id, limit_seconds=TRAINING_SECONDS, told=told)


def spend(project: Project, answers: dict[UUID, Answer], effort: Effort, told: Told) -> int:
    """Read until the budget is spent, readers in turn, waiting for each refit; return what was read."""
    refit_every = services.policy_for(project).refit_every
    read = read_in_all(project)
    with signed_in(project, effort) as readers:
        turns = itertools.cycle(readers)
        idle = 0
        while read < effort.budget and idle < len(readers):
            if not next(turns).read_next(answers.__getitem__):
                idle += 1
                continue
            read, idle = read + 1, 0
            if read % refit_every == 0:
                until_idle(["refit"], project.pk, limit_seconds=REFIT_SECONDS, told=lambda _: None)
                told(f"{project.name}: {read} of {effort.budget} read")
    return read


@contextmanager
def signed_in(project: Project, effort: Effort) -> Iterator[list[SimulatedReader]]:
    """Sign in the readers; afterwards they give their cases back and their accounts are closed."""
    _, classes = question_of(project.pk)
    if len(classes) < 2:
        raise ValueError(f"{project.name} has {len(classes)} classes: nothing can be learned")
    with ExitStack() as stack:
        stack.callback(dismiss, project)
        readers = []
        for name, password in simulated_readers(project, effort.readers):
            client = stack.enter_context(httpx.Client(base_url=effort.url, timeout=PATIENCE_SECONDS))
            reader = SimulatedReader(client, project.pk, effort.seconds)
            reader.sign_in(name, password)
            stack.callback(reader.give_back)
            readers.append(reader)
        yield readers
