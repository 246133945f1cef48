"""Submit → new ranking in place: from a reader's answer over HTTP until the pool is re-ranked.

    python benchmarks/turnaround.py --pool 5000 --json

Web server, Celery's light worker, Redis and SQLite are the real ones, started for this run on a data
directory of its own. Vectors are made, not encoded: 768 features, three classes that overlap.
"""

import argparse
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import numpy as np

if TYPE_CHECKING:
    from annotation.projects.models import Case, Project
    from mlworker.simulation.reader import SimulatedReader

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]
CLASSES = [("a", "A"), ("b", "B"), ("c", "C")]
WIDTH, PATIENCE_SECONDS = 768, 120.0


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pool", type=int, default=5_000)
    parser.add_argument("--labels", type=int, default=200, help="labels before the first measurement")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def set_up(home: str) -> None:
    """Make an empty system on a data directory of its own."""
    os.environ |= {"FOVEA_HOME": home, "DJANGO_SETTINGS_MODULE": "config.settings.embedded"}
    import django
    from django.core.management import call_command

    django.setup()
    logging.getLogger("httpx").setLevel(logging.WARNING)
    call_command("migrate", verbosity=0)


def a_project(pool: int, labels: int) -> "tuple[Project, dict[UUID, str]]":
    """Make a project with vectors for every case and labels for some; return it with everyone's answer."""
    from annotation.learning import services
    from tests.factories import a_project as an_empty_project
    from tests.factories import some_cases

    project = an_empty_project("turnaround", choices=CLASSES)
    some_cases(project, pool + labels, audit_share=0.125)
    cases = list(project.cases.select_related("series").order_by("number"))
    store_vectors(project, cases)
    answers = {case.pk: CLASSES[case.number % len(CLASSES)][0] for case in cases}
    read(cases[:labels], answers)
    services.ask_refit(project_id=project.pk)
    return project, answers


def store_vectors(project: "Project", cases: "list[Case]") -> None:
    """Write vectors and the encoder that they are said to come from."""
    from django.conf import settings
    from django.utils import timezone

    from annotation.learning import services
    from mlworker.embeddings import EmbeddingStore

    new = services.NewEncoder("made", "0123456789abcdef" * 4, WIDTH, {}, "", {})
    encoder = services.register_encoder(dataset=project.dataset, new=new, now=timezone.now())
    services.choose_encoder(project=project, encoder=encoder)
    truth = np.array([case.number % len(CLASSES) for case in cases])
    noise = np.random.default_rng(0).normal(size=(len(cases), WIDTH))
    vectors = noise + 4.0 * np.eye(len(CLASSES), WIDTH)[truth]
    store = EmbeddingStore(settings.HOME.embeddings, encoder.digest, WIDTH)
    store.append([case.series.content_digest for case in cases], vectors)


def read(cases: "list[Case]", answers: dict[UUID, str]) -> None:
    """Label cases in bulk, as if they had been read."""
    from django.utils import timezone

    from annotation.queue.models import Entry
    from annotation.readings.models import ReferenceStandard

    now = timezone.now()
    ReferenceStandard.objects.bulk_create(
        ReferenceStandard(case=case, answers={"finding": answers[case.pk]}, readings=1, updated_at=now)
        for case in cases
    )
    Entry.objects.filter(case__in=[case.pk for case in cases]).update(state=Entry.State.DONE)


def rankings(project: "Project") -> int:
    """Count the project's rankings."""
    from annotation.queue.models import Ranking

    return Ranking.objects.filter(project=project).count()


def until_ranked(project: "Project", before: int) -> float:
    """Wait for one more ranking; return when it was seen.

    raises: TimeoutError.
    """
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if rankings(project) > before:
            return time.monotonic()
        time.sleep(0.005)
    raise TimeoutError(f"no new ranking within {PATIENCE_SECONDS:.0f} s")


def measure(
    project: "Project", reader: "SimulatedReader", answers: dict[UUID, str], rounds: int
) -> list[float]:
    """Seconds from the submission that makes a refit due to the ranking that knows of it, one a round."""
    from annotation.learning.services import policy_for

    due = policy_for(project).refit_every
    seconds = []
    for _ in range(rounds):
        for _ in range(due - 1):
            reader.read_next(answers.__getitem__)
        before, started = rankings(project), time.monotonic()
        reader.read_next(answers.__getitem__)
        seconds.append(until_ranked(project, before) - started)
    return seconds


def run(given: argparse.Namespace) -> dict[str, Any]:
    """Start the system, read, measure."""
    from mlworker.simulation import stack
    from mlworker.simulation.accounts import simulated_readers
    from mlworker.simulation.reader import SimulatedReader

    project, answers = a_project(given.pool, given.labels)
    with stack.running("") as url, httpx.Client(base_url=url, timeout=60.0) as client:
        reader = SimulatedReader(client, project.pk, 0.0)
        reader.sign_in(*simulated_readers(project, 1)[0])
        until_ranked(project, 0)
        first, *rest = measure(project, reader, answers, given.rounds + 1)
        reader.give_back()
    quarters = statistics.quantiles(rest, n=4)
    return {
        "pool": given.pool,
        "labels": given.labels,
        "features": WIDTH,
        "rounds": len(rest),
        "first_seconds": round(first, 3),
        "median_seconds": round(statistics.median(rest), 3),
        "quartiles_seconds": [round(quarters[0], 3), round(quarters[2], 3)],
        "worst_seconds": round(max(rest), 3),
    }


def main() -> None:
    """Measure and print."""
    given = arguments()
    with tempfile.TemporaryDirectory(prefix="fovea-turnaround-") as home:
        set_up(home)
        result = run(given)
    if given.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:>20}  {value}")


if __name__ == "__main__":
    main()
