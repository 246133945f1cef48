"""lease_next at scale: p95 and double leases, many reader processes on one queue, SQLite and PostgreSQL.

    python benchmarks/lease_next.py --database sqlite --json

Two phases give out --leases cases in all. Paced: each reader waits --think seconds on average between two
cases. Saturated: nobody waits, which is no reader's pace, but where a double lease would show.
"""

import argparse
import json
import multiprocessing
import os
import platform
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.utils import timezone

if TYPE_CHECKING:
    from multiprocessing.queues import SimpleQueue

    from accounts.models import User
    from annotation.projects.models import Project

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]
FORK = multiprocessing.get_context("fork")
CHUNK = 2000


@dataclass(frozen=True)
class Figures:
    """What one phase measured, in milliseconds; busy: calls that gave up waiting for the database."""

    calls: int
    given: int
    busy: int
    seconds: float
    median_ms: float
    p95_ms: float
    p99_ms: float
    worst_ms: float


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--readers", type=int, default=25)
    parser.add_argument("--leases", type=int, default=10_000)
    parser.add_argument(
        "--paced", type=int, default=1_500, help="how many of the leases are given at a reader's pace"
    )
    parser.add_argument("--think", type=float, default=1.0, help="mean seconds between two cases, paced")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def set_up(database: str) -> None:
    """Start the database, make its tables."""
    from tests import servers  # a data directory of its own

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
    if database == "postgresql":
        os.environ["FOVEA_TEST_POSTGRESQL"] = servers.start_postgresql()
        make_database(os.environ["FOVEA_TEST_POSTGRESQL"])
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def make_database(host: str) -> None:
    """Make PostgreSQL's empty database."""
    import psycopg

    with psycopg.connect(host=host, user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE fovea")


def chunks(total: int) -> Iterator[range]:
    """Split 0 … total - 1."""
    for start in range(0, total, CHUNK):
        yield range(start, min(start + CHUNK, total))


def fill(cases: int, readers: int) -> tuple[UUID, list[UUID]]:
    """Make a project of waiting cases, its best 2,000 ranked, and its readers.

    returns: the project's id, the readers' ids.
    """
    from tests import factories

    project = factories.a_project("benchmark")
    people = [factories.a_reader(project) for _ in range(readers)]
    for numbers in chunks(cases):
        fill_chunk(project, numbers)
    rank(project)
    return project.pk, [person.pk for person in people]


def fill_chunk(project: "Project", numbers: range) -> None:
    """Make some of the cases, each an image of a patient of its own."""
    from annotation.projects.models import Case
    from annotation.queue.rankings import add_entries
    from annotation.studies.models import Instance, Patient, Series, Study
    from tests.factories import a_uid, attributes_of

    now, dataset = timezone.now(), project.dataset
    patients = Patient.objects.bulk_create(Patient(dataset=dataset, pseudonym=f"P{n}") for n in numbers)
    studies = Study.objects.bulk_create(
        Study(dataset=dataset, patient=patient, study_instance_uid=a_uid()) for patient in patients
    )
    series = Series.objects.bulk_create(
        Series(study=study, series_instance_uid=a_uid(), modality="CR") for study in studies
    )
    Instance.objects.bulk_create(
        Instance(
            dataset=dataset,
            series=one,
            sop_instance_uid=a_uid(),
            digest=uuid4().hex * 2,
            source_digest=uuid4().hex * 2,
            pixel_offset=0,
            frame_bytes=1,
            attributes=attributes_of(),
            stored_at=now,
        )
        for one in series
    )
    cases = Case.objects.bulk_create(
        Case(project=project, series=one, patient=patient, number=number + 1, stream="pool", created_at=now)
        for number, one, patient in zip(numbers, series, patients, strict=True)
    )
    add_entries(project=project, cases=cases)


def rank(project: "Project") -> None:
    """Rank the pool's best, and say how long it took."""
    from annotation.queue.models import Entry
    from annotation.queue.rankings import Place, replace_ranking

    chosen = Entry.objects.filter(project=project).order_by("shuffle").values_list("case", flat=True)[:2000]
    places = [
        Place(case, n, 0.5, 0.1, "uncertain", {"normal": 0.5}) for n, case in enumerate(chosen, start=1)
    ]
    for attempt in ("first", "second"):
        began = time.perf_counter()
        replace_ranking(
            project_id=project.pk,
            job_id=uuid4(),
            places=places,
            now=timezone.now(),
            model_id=None,
            strategy="margin",
            seed=0,
            pool_size=len(places),
            label_count=0,
        )
        print(f"{attempt} ranking of {len(places)}: {time.perf_counter() - began:.2f} s", file=sys.stderr)


def read(project: UUID, reader: UUID, quota: int, think: float, results: "SimpleQueue[Any]") -> None:
    """Be one reader process: ask, end the current case, ask again; report each call and each case given.

    The first call, which connects to the database and is given three cases, is not measured.
    """
    from django.db import OperationalError, connections

    from accounts.models import User

    calls: list[float] = []
    given: list[UUID] = []
    person, busy = User.objects.get(pk=reader), 0
    given += timed_lease(person, project)[1]
    while len(calls) < quota:
        try:
            finish_current(person, project)
            time.sleep(random.expovariate(1 / think) if think else 0)
            seconds, cases = timed_lease(person, project)
        except OperationalError:
            busy += 1
            continue
        calls.append(seconds)
        given += cases
    connections.close_all()
    results.put((calls, given, busy))


def timed_lease(person: "User", project: UUID) -> tuple[float, list[UUID]]:
    """Measure one call.

    returns: its seconds, and the cases that were given by it.
    """
    from annotation.queue.models import Lease
    from annotation.queue.services import lease_next

    held = set(Lease.objects.filter(reader=person, ended_at=None).values_list("case", flat=True))
    began = time.perf_counter()
    workload = lease_next(reader=person, project_id=project, now=timezone.now())
    seconds = time.perf_counter() - began
    return seconds, [one.case.pk for one in workload.cases if one.case.pk not in held]


def finish_current(person: "User", project: UUID) -> None:
    """End the reader's current case, so that there is room for one more (not measured)."""
    from django.db import transaction

    from annotation.queue.models import Entry, Lease

    with transaction.atomic():
        lease = (
            Lease.objects.filter(reader=person, project=project, ended_at=None).order_by("position").first()
        )
        if lease is not None:
            Lease.objects.filter(pk=lease.pk).update(ended_at=timezone.now(), ending="submitted")
            Entry.objects.filter(case=lease.case_id).update(state="done")


def phase(project: UUID, readers: Sequence[UUID], leases: int, think: float) -> tuple[Figures, list[UUID]]:
    """Let all readers read their share at once."""
    from django.db import connections

    connections.close_all()
    results, quota = FORK.SimpleQueue(), leases // len(readers)
    processes = [FORK.Process(target=read, args=(project, one, quota, think, results)) for one in readers]
    began = time.perf_counter()
    for process in processes:
        process.start()
    reports = [results.get() for _ in processes]
    for process in processes:
        process.join()
    seconds = time.perf_counter() - began
    calls = sorted(1000 * call for report in reports for call in report[0])
    given = [case for report in reports for case in report[1]]
    busy = sum(report[2] for report in reports)
    return figures(calls, len(given), busy, seconds), given


def figures(calls: Sequence[float], given: int, busy: int, seconds: float) -> Figures:
    """Sum up sorted durations in milliseconds."""

    def at(share: float) -> float:
        return round(calls[min(len(calls) - 1, int(share * len(calls)))], 1)

    return Figures(len(calls), given, busy, round(seconds, 1), at(0.5), at(0.95), at(0.99), at(1.0))


def double_leases(given: Sequence[UUID]) -> int:
    """Count cases that were given to more than one reader: by the processes' word and by the table's."""
    from annotation.queue.models import Lease

    told = sum(count - 1 for count in Counter(given).values())
    leases = Lease.objects.all()
    return told + leases.count() - leases.values("case").distinct().count()


def machine() -> dict[str, Any]:
    """Name the machine."""
    load = round(os.getloadavg()[0], 1)
    return {"python": platform.python_version(), "cores": os.cpu_count(), "load": load}


def main() -> None:
    """Measure and print."""
    options = arguments()
    set_up(options.database)
    project, readers = fill(options.cases, options.readers)
    report: dict[str, Any] = {"machine": machine(), "database": options.database, "cases": options.cases}
    paced, first = phase(project, readers, options.paced, options.think)
    saturated, second = phase(project, readers, options.leases - options.paced, 0.0)
    report |= {
        "readers": options.readers,
        "paced": asdict(paced),
        "saturated": asdict(saturated),
        "leases": len(first) + len(second),
        "double_leases": double_leases(first + second),
    }
    print(json.dumps(report, indent=None if options.json else 1))


if __name__ == "__main__":
    main()
