"""Agreement at scale: seconds of the job over a million readings, and milliseconds of its page.

python -m benchmarks.agreement [--cases 100000] [--readers 50] [--each 10] [--rounds 40]

The cases are rows alone (no image is read), each read by so many of the readers; the measurement runs as the
worker runs it, and its page is asked for through Django's whole stack, signed in as ML staff.
"""

import argparse
import json
import os
import platform
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.organising import CHUNK, fill, measured, set_up
from benchmarks.reading_rows import a_reading

if TYPE_CHECKING:
    from accounts.models import User
    from annotation.projects.models import Project

GRADES = [{"value": str(value), "label": f"Grade {value}"} for value in range(5)]
QUESTIONS = [
    {"key": "grade", "prompt": "Which grade?", "kind": "ordinal", "choices": GRADES},
    {"key": "size", "prompt": "Largest diameter", "kind": "number", "unit": "mm"},
]


def read(project: "Project", readers: list["User"], each: int) -> int:
    """Write readings of every case by some of the readers, each right with a chance of their own."""
    from django.utils import timezone

    from annotation.projects.models import Protocol
    from annotation.readings.models import Reading, Revision

    Protocol.objects.filter(project=project).update(questions=QUESTIONS)
    protocol, now = Protocol.objects.get(project=project), timezone.now()
    random, done = np.random.default_rng(0), 0
    skills = random.uniform(0.5, 0.95, size=len(readers))
    cases = list(project.cases.order_by("number").values_list("pk", flat=True))
    for start in range(0, len(cases), CHUNK):
        readings, revisions = [], []
        for case in cases[start : start + CHUNK]:
            truth, size = int(random.integers(5)), float(random.uniform(5, 50))
            for place in random.choice(len(readers), size=each, replace=False).tolist():
                grade = truth if random.random() < skills[place] else int(random.integers(5))
                answers = {"grade": str(grade), "size": round(size + float(random.normal()), 1)}
                reading, revision = a_reading(case, readers[place], protocol, answers, now)
                readings.append(reading)
                revisions.append(revision)
        Reading.objects.bulk_create(readings)
        Revision.objects.bulk_create(revisions)
        done += len(readings)
    return done


def main() -> None:
    """Fill, measure, report."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("--cases", type=int, default=100_000)
    asked.add_argument("--readers", type=int, default=50)
    asked.add_argument("--each", type=int, default=10, help="readings of a case")
    asked.add_argument("--rounds", type=int, default=40)
    given = asked.parse_args()
    set_up()
    from django.urls import reverse

    from accounts.models import Role
    from annotation.queue.agreement import ask_agreement
    from annotation.readings.models import Agreement
    from mlworker.runtime import run
    from tests import factories

    project = fill(given.cases)
    readings = read(project, [factories.a_reader(project) for _ in range(given.readers)], given.each)
    client = factories.a_client(factories.a_member(project, Role.ML_STAFF))
    page = {"page": reverse("agreement", kwargs={"project_id": project.pk})}
    before = dict(measured(client, page, given.rounds))
    run(ask_agreement(project.pk).pk)
    kept = Agreement.objects.get(project=project)
    report = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "readings": readings,
        "job_seconds": kept.seconds,
        "figures_kb": round(len(json.dumps(kept.figures)) / 1000),
        "before": before["page"],
        "after": dict(measured(client, page, given.rounds))["page"],
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
