"""Labels saved → new ranking of 100,000 stored embeddings, all steps; beside it the same by MC dropout.

    python -m benchmarks.rerank [--pool 100000] [--repeats 5] [--images 256] [--json FILE]

Ours: the refit job as the worker runs it (claim, labels and vectors read, heads, calibration, ranking, places
written, one commit) on SQLite, from the moment that ten labels are saved. Beside it in the same run, in
alternation: baal's MC dropout (T = 20, ModelWrapper.predict_on_dataset as documented, then its BALD) with the
product's encoder and a dropout head; a sample of images is timed, and the time an image extrapolated to the
pool. The peers' packages are needed for it (`make bench-learning` installs them); --no-peer leaves it out.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from annotation.projects.models import Case, Project

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]
CLASSES = [("a", "A"), ("b", "B"), ("c", "C")]
WIDTH, LABELS, SAVED, BLOCK = 768, 200, 10, 5_000


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pool", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--images", type=int, default=256, help="images that MC dropout is timed on")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def set_up(home: str) -> None:
    """Make an empty system on a data directory of its own."""
    os.environ |= {"FOVEA_HOME": home, "DJANGO_SETTINGS_MODULE": "config.settings.embedded"}
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def a_pool(size: int) -> "tuple[Project, list[Case]]":
    """Make a project with a vector for every case; nothing is read yet."""
    from annotation.learning.services import choose_encoder, register_encoder
    from tests.factories import a_project

    project = a_project("rerank", choices=CLASSES)
    encoder = register_encoder(dataset=project.dataset, new=an_encoder(), now=now())
    choose_encoder(project=project, encoder=encoder)
    for start in range(0, size, BLOCK):
        add_block(project, encoder.digest, start, min(BLOCK, size - start))
    return project, list(project.cases.order_by("number"))


def an_encoder() -> Any:  # noqa: ANN401  a NewEncoder
    """Name the encoder that the vectors are said to come from."""
    from annotation.learning.services import NewEncoder

    return NewEncoder("made", "0123456789abcdef" * 4, WIDTH, {}, "", {})


def now() -> Any:  # noqa: ANN401  a datetime
    """Read Django's clock."""
    from django.utils import timezone

    return timezone.now()


def add_block(project: "Project", digest: str, start: int, count: int) -> None:
    """Add cases in bulk, one patient each, with three overlapping classes of vectors."""
    from django.conf import settings

    from annotation.projects.services import NewCase, add_cases
    from annotation.queue.rankings import add_entries
    from annotation.studies.models import Patient, Series, Study
    from mlworker.embeddings import EmbeddingStore
    from tests.factories import a_uid

    names = [f"{start + number}" for number in range(count)]
    dataset = project.dataset
    patients = Patient.objects.bulk_create(Patient(dataset=dataset, pseudonym=name) for name in names)
    studies = Study.objects.bulk_create(
        Study(dataset=dataset, patient=patient, study_instance_uid=a_uid()) for patient in patients
    )
    digests = [hashlib.sha256(name.encode()).hexdigest() for name in names]
    series = Series.objects.bulk_create(
        Series(study=study, series_instance_uid=a_uid(), modality="CR", content_digest=content)
        for study, content in zip(studies, digests, strict=True)
    )
    items = [
        NewCase(series_id=one.pk, patient_id=patient.pk, split="")
        for one, patient in zip(series, patients, strict=True)
    ]
    cases = add_cases(project=project, items=items, now=now(), audit_share=0.125)
    add_entries(project=project, cases=cases)
    truth = np.array([case.number % len(CLASSES) for case in cases])
    vectors = np.random.default_rng(start).normal(size=(count, WIDTH)) + 4.0 * np.eye(3, WIDTH)[truth]
    EmbeddingStore(settings.HOME.embeddings, digest, WIDTH).append(digests, vectors)


def save_labels(cases: "list[Case]") -> None:
    """Label cases as if they had been read."""
    from annotation.queue.models import Entry
    from annotation.readings.models import ReferenceStandard

    ReferenceStandard.objects.bulk_create(
        ReferenceStandard(
            case=case,
            answers={"finding": CLASSES[case.number % len(CLASSES)][0]},
            readings=1,
            updated_at=now(),
        )
        for case in cases
    )
    Entry.objects.filter(case__in=[case.pk for case in cases]).update(state=Entry.State.DONE)


def reranked(project: "Project") -> float:
    """Ask for a refit and do it as the light worker does; seconds from asking to the committed ranking."""
    from annotation.learning.services import ask_refit
    from annotation.queue.models import Ranking
    from jobs.models import Job, State
    from mlworker import runtime

    before, started = Ranking.objects.filter(project=project).count(), time.perf_counter()
    job = ask_refit(project_id=project.pk)
    runtime.run(job.pk)
    seconds = time.perf_counter() - started
    done = Job.objects.get(pk=job.pk)
    assert done.state == State.DONE, done.error
    assert Ranking.objects.filter(project=project).count() == before + 1
    return seconds


def dropped_out(images: int, folder: str) -> float:
    """Seconds an image that baal's MC dropout takes, with the peers' packages."""
    from benchmarks.peers import environment

    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "peer_dropout.py"), str(images), f"{folder}/encoder.pt"],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )
    if done.returncode:
        raise RuntimeError(f"the peers' environment failed: {done.stderr[-2000:]}")
    return float(json.loads(done.stdout.splitlines()[-1])["seconds_an_image"])


def export_encoder(folder: str) -> None:
    """Write the product's encoder as a program that torch alone can run."""
    import torch

    from mlworker.encoders import networks

    preprocessing = networks.Preprocessing()
    network = networks.random_network(preprocessing, seed=0).eval()
    size = preprocessing.size
    example = torch.zeros(2, preprocessing.channels, size, size)
    torch.jit.trace(network, example).save(f"{folder}/encoder.pt")  # type: ignore[no-untyped-call]


def measured(given: argparse.Namespace, home: str) -> dict[str, Any]:
    """Alternate ours and the peer."""
    project, cases = a_pool(given.pool)
    save_labels(cases[:LABELS])
    cold = reranked(project)
    ours, theirs = [], []
    if not given.no_peer:
        export_encoder(home)
    for turn in range(given.repeats):
        first = LABELS + SAVED * turn
        save_labels(cases[first : first + SAVED])
        ours.append(reranked(project))
        if not given.no_peer:
            theirs.append(dropped_out(given.images, home) * given.pool)
    result = {
        "pool": given.pool,
        "labels": LABELS + SAVED * given.repeats,
        "features": WIDTH,
        "cold_seconds": round(cold, 2),
        **spread("seconds", ours),
    }
    if theirs:
        result |= spread("mc_dropout_seconds_extrapolated", theirs)
        result["mc_dropout_images_timed"] = given.images
        result["times_faster"] = round(statistics.median(theirs) / statistics.median(ours), 1)
    return result


def spread(name: str, values: list[float]) -> dict[str, Any]:
    """Median and quartiles."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    return {name: round(float(middle), 3), f"{name}_quartiles": [round(float(low), 3), round(float(high), 3)]}


def main() -> None:
    """Measure and print."""
    given = arguments()
    with tempfile.TemporaryDirectory(prefix="fovea-rerank-") as home:
        set_up(home)
        result = measured(given, home)
    print(json.dumps(result, indent=1))
    if given.json:
        given.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
