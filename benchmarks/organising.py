"""A project's data pages at scale: milliseconds of the server for each page, and near-duplicates found.

    python -m benchmarks.organising [--cases 100000] [--rounds 40] [--features 512] --json

The cases are rows alone (no image is read): 24 scanners at 6 sites, one of them with 20 cases, 30 % read and
labelled, a third of the patients placed in a split. Each page is asked for through Django's whole stack,
signed in as ML staff, after one turn that is not counted. Then near-duplicates are looked for among as many
vectors, 1 % of them copies: `duplicates_seconds`, and how many of the copies were found.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from django.test import Client

    from annotation.projects.models import Project

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]
CHUNK, SCANNERS, SITES, SMALL = 2000, 24, 6, 20
READ = 3  # of ten
COPY_EVERY = 100


def set_up(home: Path | None = None) -> None:
    """Make an empty SQLite system in a folder of its own, or open the one in a folder."""
    from tests import servers  # noqa: F401  a data directory of its own

    if home is not None:
        home.mkdir(parents=True, exist_ok=True)
        os.environ["FOVEA_HOME"] = str(home.resolve())
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def fill(count: int, into: "Project | None" = None) -> "Project":
    """Write cases of a project, behind those that it has: the last few are of a small scanner."""
    from annotation.studies.models import Acquisition
    from tests import factories

    project = into or factories.a_project("At scale")
    kinds = [
        Acquisition.objects.create(
            dataset=project.dataset,
            site=f"Site {place % SITES}",
            manufacturer=f"Maker {place % 5}",
            manufacturer_model_name=f"Model {place}",
            magnetic_field_strength="1.5" if place % 2 else "3",
            modality="MR" if place % 3 else "CT",
            body_part_examined="HEAD" if place % 4 else "CHEST",
        )
        for place in range(SCANNERS)
    ]
    first = project.cases.count()
    for start in range(first, count, CHUNK):
        write(project, kinds, range(start, min(start + CHUNK, count)), count)
    return project


def write(project: "Project", kinds: list[Any], numbers: range, count: int) -> None:
    """Write some cases with their patients, entries and labels."""
    from django.db import transaction
    from django.utils import timezone

    from annotation.projects.models import Case
    from annotation.queue.models import Entry
    from annotation.readings.models import ReferenceStandard
    from annotation.studies.models import Patient, Series, Study
    from tests.factories import a_uid

    now, dataset = timezone.now(), project.dataset
    with transaction.atomic():
        patients = Patient.objects.bulk_create(
            Patient(dataset=dataset, pseudonym=uuid.uuid4().hex) for _ in numbers
        )
        studies = Study.objects.bulk_create(
            Study(dataset=dataset, patient=one, study_instance_uid=a_uid()) for one in patients
        )
        series = Series.objects.bulk_create(
            Series(study=one, series_instance_uid=a_uid(), modality="MR") for one in studies
        )
        cases = Case.objects.bulk_create(
            Case(
                project=project,
                series=one,
                patient=patient,
                acquisition=kinds[-1] if number >= count - SMALL else kinds[number % (SCANNERS - 1)],
                number=number + 1,
                stream="audit" if number % 8 == 0 else "pool",
                part=("", "train", "")[number % 3] if number % 30 else "test",
                created_at=now,
            )
            for number, one, patient in zip(numbers, series, patients, strict=True)
        )
        Entry.objects.bulk_create(
            Entry(
                case=one,
                project=project,
                shuffle=one.number,
                state="done" if one.number % 10 < READ else "waiting",
            )
            for one in cases
        )
        ReferenceStandard.objects.bulk_create(
            ReferenceStandard(
                case=one,
                answers={"finding": "pneumonia" if one.number % 500 == 0 else "normal"},
                readings=1,
                updated_at=now,
            )
            for one in cases
            if one.number % 10 < READ
        )


def pages(project: "Project", count: int) -> dict[str, str]:
    """Name the pages that are measured, the first and the worst of each kind."""
    from django.urls import reverse

    data = reverse("data", kwargs={"project_id": project.pk})
    return {
        "cases, first page": data,
        "cases, from the middle": f"{data}?after={count // 2}",
        "cases of the small scanner": f"{data}?scanner=Maker%20{(SCANNERS - 1) % 5}%7CModel%20{SCANNERS - 1}",
        "cases of a modality": f"{data}?modality=CT",
        "cases of a rare class": f"{data}?label=pneumonia",
        "cases read": f"{data}?status=done",
        "cases waiting": f"{data}?status=waiting",
        "cases of the test": f"{data}?part=test",
        "rare class of a scanner, read": f"{data}?label=pneumonia&status=done&scanner=Maker%201%7CModel%201",
        "coverage": reverse("coverage", kwargs={"project_id": project.pk}),
        "split": reverse("split", kwargs={"project_id": project.pk}),
    }


def measured(
    client: "Client", addresses: dict[str, str], rounds: int
) -> Iterator[tuple[str, dict[str, float]]]:
    """Ask for each page so often; the first time is not counted."""
    for name, address in addresses.items():
        spent = []
        for turn in range(rounds + 1):
            started = time.perf_counter()
            answer = client.get(address, headers={"host": "localhost"})
            if turn:
                spent.append(1000 * (time.perf_counter() - started))
            assert answer.status_code == 200, name
        spent.sort()
        yield (
            name,
            {
                "median_ms": round(statistics.median(spent), 1),
                "p95_ms": round(spent[min(len(spent) - 1, int(0.95 * len(spent)))], 1),
            },
        )


def duplicates(count: int, features: int) -> dict[str, float]:
    """Find copies among vectors."""
    from mlworker.duplicates import near_duplicates

    random = np.random.default_rng(0)
    vectors = (random.normal(size=(count, features)) + 3.0).astype(np.float16)
    copies = np.arange(0, count - 1, COPY_EVERY)
    vectors[copies + 1] = vectors[copies] + np.float16(0.02)
    started = time.perf_counter()
    found = near_duplicates(vectors, 0.95)
    seconds = time.perf_counter() - started
    same = (found.of[copies] > 0) & (found.of[copies] == found.of[copies + 1])
    return {
        "duplicates_seconds": round(seconds, 2),
        "copies": len(copies),
        "copies_found": int(same.sum()),
        "groups": found.count,
    }


def main() -> None:
    """Fill, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--features", type=int, default=512)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    set_up()
    from accounts.models import Role
    from tests import factories

    project = fill(options.cases)
    client = factories.a_client(factories.a_member(project, Role.ML_STAFF))
    found = dict(measured(client, pages(project, options.cases), options.rounds))
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    report = {"machine": machine, "cases": options.cases, "pages": found}
    report |= duplicates(options.cases, options.features)
    if options.json:
        print(json.dumps(report, indent=2))
        return
    for name, one in found.items():
        print(f"{name:32} median {one['median_ms']:8.1f} ms  p95 {one['p95_ms']:8.1f} ms")
    print({key: value for key, value in report.items() if key not in ("pages",)})


if __name__ == "__main__":
    main()
