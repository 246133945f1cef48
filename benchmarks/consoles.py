"""Every page and every GET of the API at scale: milliseconds of the server, and queries, of each.

    python -m benchmarks.consoles [--cases 100000] [--readers 50] [--each 10] [--rounds 20] [--json FILE]

The addresses and who may open them are those of the authorization matrix (tests/annotation/api/matrix.py), so
no page is forgotten. The project has one of everything, and so many cases, each read by so many of its
readers, with leases, picks, audit events and days of effort. The same is asked of a project of a few cases in
another process: an address whose number of queries grows is named.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.organising import CHUNK, ROOT, fill, set_up
from benchmarks.reading_rows import a_reading

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User
    from annotation.projects.models import Project
    from tests.annotation.api.world import World

FEW, REACH_MS, DAYS = 200, 300.0, 250
WATCHED = "events"  # streams that stay open


def read(project: "Project", readers: list["User"], each: int) -> int:
    """Write readings of every case that waits, each by some of the readers; gives how many."""
    from django.db import transaction

    random, done = np.random.default_rng(0), 0
    cases = list(project.cases.filter(readings=None).order_by("number").values_list("pk", flat=True))
    for start in range(0, len(cases), CHUNK):
        with transaction.atomic():
            for one in cases[start : start + CHUNK]:
                chosen = random.choice(len(readers), size=min(each, len(readers)), replace=False).tolist()
                answers = np.where(random.random(len(chosen)) < 0.1, "pneumonia", "normal").tolist()
                Batch.of(project).add(one, [readers[place] for place in chosen], answers)
                done += len(chosen)
            Batch.of(project).write()
    settle(project)
    return done


def settle(project: "Project") -> None:
    """Make what was read labelled and done; one case of twenty waits for more."""
    from django.db.models import F
    from django.utils import timezone

    from annotation.queue.models import Entry
    from annotation.readings.models import ReferenceStandard

    now = timezone.now()
    unlabelled = project.cases.filter(reference=None).exclude(readings=None).values_list("pk", flat=True)
    ReferenceStandard.objects.bulk_create(
        [
            ReferenceStandard(case_id=case, answers={"finding": "normal"}, readings=10, updated_at=now)
            for case in unlabelled
        ],
        batch_size=1000,
    )
    numbered = Entry.objects.filter(project=project).annotate(twentieth=F("case__number") % 20)
    read = numbered.exclude(twentieth=0).values("pk")
    Entry.objects.filter(pk__in=read).update(state=Entry.State.DONE)


class Batch:
    """Rows that are written together: readings, revisions, leases, picks, audit events."""

    known: "Batch | None" = None

    def __init__(self, project: "Project") -> None:
        from django.utils import timezone

        from annotation.projects.models import Protocol
        from audit.models import Head

        self.project, self.now = project, timezone.now()
        self.protocol = Protocol.objects.filter(project=project).latest("version")
        self.sequence = Head.objects.get().sequence
        self.rows: dict[str, list[Any]] = {}

    @classmethod
    def of(cls, project: "Project") -> "Batch":
        """Give the one there is."""
        cls.known = cls.known or cls(project)
        return cls.known

    def add(self, case: uuid.UUID, readers: list["User"], answers: list[str]) -> None:
        """Have some readers read a case."""
        from annotation.queue.models import Lease, Pick
        from audit.models import Event

        for reader, answer in zip(readers, answers, strict=True):
            at = self.now - timedelta(minutes=self.sequence % (DAYS * 1440))
            one, revision = a_reading(case, reader, self.protocol, {"finding": answer}, at)
            lease = Lease(
                case_id=case,
                project=self.project,
                reader=reader,
                position=1,
                created_at=at,
                expires_at=at,
                ended_at=at,
                ending="submitted",
            )
            pick = Pick(lease=lease, stream="pool", reason="unranked", rank=1)
            self.sequence += 1
            event = Event(
                sequence=self.sequence,
                at=at,
                actor=str(reader.pk),
                action="reading.submit",
                object_type="reading",
                object_id=str(one.pk),
                outcome="ok",
                remote_address="",
                previous_hash="0" * 64,
                hash="0" * 64,
            )
            for row in (one, revision, lease, pick, event):
                self.rows.setdefault(type(row).__name__, []).append(row)

    def write(self) -> None:
        """Write them, each kind before what names it."""
        for rows in self.rows.values():
            type(rows[0]).objects.bulk_create(rows, batch_size=1000)
        self.rows.clear()

    def end(self) -> None:
        """Let the audit chain go on behind what was written."""
        from audit.models import Head

        Head.objects.update(sequence=self.sequence)


def days(project: "Project", readers: list["User"]) -> None:
    """Write each reader's days."""
    from django.utils import timezone

    from annotation.readings.effort_models import Effort

    now = timezone.now()
    Effort.objects.bulk_create(
        [
            Effort(
                project=project,
                reader=reader,
                day=(now - timedelta(days=day)).date(),
                readings=80,
                seconds=400.0,
                times={"5": 80},
                last_at=now - timedelta(days=day),
            )
            for reader in readers
            for day in range(1, DAYS)
        ],
        ignore_conflicts=True,
    )


def addresses(world: "World") -> Iterator[tuple[str, str, str]]:
    """Give each GET that somebody may open: its route, who opens it, and its path."""
    from tests.annotation.api.matrix import COLUMNS, MATRIX

    for (verb, route), row in sorted(MATRIX.items()):
        statuses = row.split()
        allowed = [kind for kind, status in zip(COLUMNS, statuses, strict=True) if status == "200"]
        if verb == "GET" and allowed and not route.endswith(WATCHED):
            path = "/" + re.sub(r"<(\w+)>", lambda name: str(world.ids[name[1]]), route)
            yield route, max(allowed, key=COLUMNS.index), path


def measured(world: "World", rounds: int) -> dict[str, dict[str, Any]]:
    """Ask for each address so often; the first time is not counted."""
    from django.db import connection

    from tests import factories

    clients = {kind: factories.a_client(person) for kind, person in world.people.items()}
    found: dict[str, dict[str, Any]] = {}
    for route, kind, path in addresses(world):
        asked(clients[kind], path)
        counter = Counter()
        with connection.execute_wrapper(counter):
            status = asked(clients[kind], path)
        spent = []
        for _ in range(rounds if status == 200 else 0):
            started = time.perf_counter()
            asked(clients[kind], path)
            spent.append(1000 * (time.perf_counter() - started))
        spent.sort()
        print(f"{path}: {max(spent, default=0.0):.0f} ms", file=sys.stderr)
        found[route] = {"status": status, "by": kind, "queries": counter.count} | (
            {
                "median_ms": round(statistics.median(spent), 1),
                "p95_ms": round(spent[min(len(spent) - 1, int(0.95 * len(spent)))], 1),
            }
            if spent
            else {}
        )
    return found


class Counter:
    """Counts queries."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Callable[..., object], *arguments: object) -> object:
        """Let one through."""
        self.count += 1
        return execute(*arguments)


def asked(client: "Client", path: str) -> int:
    """Ask once, and take all of the answer."""
    answer = client.get(path, headers={"host": "localhost"})
    b"".join(answer)  # also of what is streamed
    return int(answer.status_code)


def filled(given: argparse.Namespace, kept: Path | None) -> "World":
    """Make one of everything, and much of what there is much of; note its ids where it is kept."""
    from django.db import connection

    from annotation.projects.models import Project
    from tests import factories
    from tests.annotation.api.world import a_world

    world = a_world()
    project = Project.objects.get(pk=world.ids["project_id"])
    fill(given.cases, into=project)
    readers = [factories.a_reader(project) for _ in range(given.readers)]
    read(project, readers, given.each)
    Batch.of(project).end()
    days(project, readers)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    if kept is not None:
        people = {kind: str(person.pk) if person else None for kind, person in world.people.items()}
        ids = {name: str(value) for name, value in world.ids.items()}
        kept.write_text(json.dumps({"people": people, "ids": ids}))
    return world


def world_in(kept: Path) -> "World":
    """Read what was filled before."""
    from accounts.models import User
    from tests.annotation.api.world import World

    told = json.loads(kept.read_text())
    people = {kind: User.objects.get(pk=pk) if pk else None for kind, pk in told["people"].items()}
    return World(people, told["ids"])


def report_of(given: argparse.Namespace) -> dict[str, Any]:
    """Fill, or open what is filled, and measure."""
    set_up(given.keep)
    kept = given.keep / "world.json" if given.keep else None
    world = world_in(kept) if kept and kept.exists() else filled(given, kept)
    from annotation.readings.models import Reading

    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "cases": given.cases,
        "readings": Reading.objects.count(),
        "addresses": measured(world, given.rounds),
    }


def compared(large: dict[str, Any], small: dict[str, Any]) -> dict[str, Any]:
    """Name what is slow, and where the number of queries grows."""
    there = large["addresses"]
    slow = {route: one for route, one in there.items() if one.get("p95_ms", 0.0) > REACH_MS}
    grows = {
        route: [small["addresses"][route]["queries"], one["queries"]]
        for route, one in there.items()
        if route in small["addresses"] and one["queries"] > small["addresses"][route]["queries"]
    }
    kept = [one["p95_ms"] for one in there.values() if "p95_ms" in one]
    return {
        "addresses": len(kept),
        "p95_of_all": round(float(np.percentile(kept, 95)), 1),
        "slowest_ms": max(kept),
        f"slower than {REACH_MS:.0f} ms": slow,
        "queries grow": grows,
        "not 200": {route: one["status"] for route, one in there.items() if one["status"] != 200},
    }


def main() -> None:
    """Measure at scale, and the same on a few cases."""
    asks = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asks.add_argument("--cases", type=int, default=100_000)
    asks.add_argument("--readers", type=int, default=50)
    asks.add_argument("--each", type=int, default=10, help="readings of a case")
    asks.add_argument("--rounds", type=int, default=20)
    asks.add_argument("--json", type=Path, help="where all figures are written to")
    asks.add_argument("--keep", type=Path, help="folder where what is filled is kept for the next time")
    asks.add_argument("--alone", action="store_true", help="print all figures, compare with nothing")
    given = asks.parse_args()
    if given.alone:
        print(json.dumps(report_of(given)))
        return
    command = [sys.executable, "-m", "benchmarks.consoles", "--alone", "--rounds", "1"]
    few = [*command, "--cases", str(FEW), "--readers", str(given.readers), "--each", str(given.each)]
    answer = subprocess.run(few, cwd=ROOT, capture_output=True, text=True, check=True)
    small = json.loads(answer.stdout.splitlines()[-1])
    large = report_of(given)
    if given.json:
        given.json.write_text(json.dumps({"large": large, "small": small}, indent=1))
    print(json.dumps({key: large[key] for key in ("machine", "cases", "readings")}))
    print(json.dumps(compared(large, small), indent=1))


if __name__ == "__main__":
    main()
