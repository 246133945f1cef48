"""Second readings where a label is most likely wrong: chest X-rays read by two readers, one of them poor."""

import csv
import json
import uuid
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from django.utils import timezone

from accounts.models import User
from annotation.learning import services
from annotation.projects.models import Case, Project
from annotation.projects.selectors import protocol_in_force
from annotation.queue.models import Entry, Lease, Pick
from annotation.queue.second_reads import (
    FEWEST_TOGETHER,
    Doubt,
    ask_where_doubted,
    due,
    due_in,
    place_second_reads,
)
from annotation.queue.services import lease_next
from annotation.queue.submissions import submit
from annotation.readings.models import Reading
from annotation.readings.services import Answered, add_reading, examine
from annotation.readings.standards import refresh_reference
from jobs.models import Job, State
from mlworker.doubting import doubts_in
from mlworker.replay.folders import encoded_images, read_images
from mlworker.runtime import run
from mlworker.vectors import store_of
from tests import factories

pytestmark = pytest.mark.django_db
CLASSES = [("covid19", "COVID-19"), ("no_finding", "No finding")]
EACH = 60


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def some_rows(real_data: Path, target: Path) -> list[str]:
    """Lay out a table of as many X-rays of each class, one a patient; returns the labels in its order."""
    with (real_data / "chest_xray" / "labels.csv").open(newline="") as lines:
        rows = {row["patient_id"]: row for row in csv.DictReader(lines)}
    chosen = [
        row
        for value, _ in CLASSES
        for row in [one for one in rows.values() if (one["label"], one["split"]) == (value, "train")][:EACH]
    ]
    with (target / "labels.csv").open("w", newline="") as table:
        writer = csv.writer(table)
        writer.writerow(["path", "label", "split"])
        writer.writerows(
            [real_data / "chest_xray" / row["path"], row["label"], row["split"]] for row in chosen
        )
    return [row["label"] for row in chosen]


class Stage:
    """Read X-rays, with vectors: who read what, and which labels are wrong."""

    def __init__(self, real_data: Path, target: Path, now: datetime) -> None:
        self.truth = some_rows(real_data, target)
        self.project = factories.a_project(choices=CLASSES)
        self.cases = factories.some_cases(self.project, len(self.truth))
        vectors = encoded_images(read_images(target), None)
        encoder = services.register_encoder(
            dataset=self.project.dataset,
            new=services.NewEncoder("shipped", uuid.uuid4().hex * 2, vectors.shape[1], {}, "", {}),
            now=now,
        )
        services.choose_encoder(project=self.project, encoder=encoder)
        store_of(encoder).append([one.series.content_digest for one in self.cases], vectors)
        self.good, self.poor = (factories.a_reader(self.project) for _ in range(2))
        self.wrong: set[uuid.UUID] = set()
        random = np.random.default_rng(3)
        for at, (case, label) in enumerate(zip(self.cases, self.truth, strict=True)):
            reader, share = ((self.good, 0.02), (self.poor, 0.25))[at % 2]
            is_wrong = bool(random.random() < share)
            self.read(case, reader, other(label) if is_wrong else label, now)
            if is_wrong:
                self.wrong.add(case.pk)
            if at % 6 == 0:  # what chance has read twice
                self.read(case, self.poor if reader == self.good else self.good, label, now)
        Entry.objects.filter(project=self.project).update(state=Entry.State.DONE)

    def read(self, case: Case, reader: User, value: str, now: datetime) -> None:
        said = Answered({"finding": value}, 10.0, 1, uuid.uuid4())
        examined = examine(case=case, protocol=protocol_in_force(self.project.pk), answered=said)
        add_reading(reader=reader, case=case, examined=examined, answered=said, now=now)


def other(label: str) -> str:
    return next(value for value, _ in CLASSES if value != label)


def share_doubted(project: Project, share: float) -> None:
    project.protocols.update(settings={"doubted_share": share, "suggestions": "from_start"})


def placed(project: Project) -> list[Entry]:
    return list(Entry.objects.filter(project=project, state=Entry.State.WAITING).order_by("-score"))


@pytest.fixture
def stage(real_data: Path, tmp_path: Path, now: datetime) -> Stage:
    return Stage(real_data, tmp_path, now)


def test_labels_that_are_wrong_are_read_again_first(stage: Stage) -> None:
    share_doubted(stage.project, 0.1)
    ask_where_doubted(stage.project.pk)
    job = Job.objects.get(name="place_second_reads")
    run(job.pk)
    entries = placed(stage.project)
    readings = Reading.objects.filter(case__project=stage.project).count()
    assert len(entries) == due(readings, 0, 0.1)
    usual = len(stage.wrong) / len(stage.cases)
    found = [entry.case_id in stage.wrong for entry in entries]
    assert np.mean(found) > 3 * usual
    assert all(found[:3])
    Job.objects.filter(pk=job.pk).update(state=State.QUEUED)
    run(job.pk)
    assert [(one.case_id, one.score) for one in placed(stage.project)] == [
        (one.case_id, one.score) for one in entries
    ]


def test_the_second_reader_is_another_and_is_told_nothing_of_the_doubt(stage: Stage, now: datetime) -> None:
    share_doubted(stage.project, 0.1)
    place_second_reads(project=stage.project, doubts=doubts_in(stage.project))
    waiting = {one.case_id: one.score for one in placed(stage.project)}
    lease_next(reader=stage.good, project_id=stage.project.pk, now=now)
    held = Lease.objects.filter(reader=stage.good).select_related("pick")
    assert held
    for lease in held:
        assert not Reading.objects.filter(case=lease.case_id, reader=stage.good).exists()
        assert (lease.pick.reason, lease.pick.score) == ("second_reading", waiting[lease.case_id])
    client = factories.a_client(stage.good)
    answer = client.post(f"/api/v1/projects/{stage.project.pk}/leases", content_type="application/json")
    for given in answer.json()["cases"]:
        assert given["why"]["score"] is None
        assert given["why"]["reason"] == "second_reading"
        assert given["why"]["text"] == "Colleagues read this case too, each without the others' answers."
        assert given["suggestion"] is None or given["suggestion"]["probabilities"] is None
        assert stage.poor.username not in json.dumps(given)


def test_a_doubted_case_is_done_after_its_second_reading_and_counts_against_the_share(
    stage: Stage, now: datetime
) -> None:
    share_doubted(stage.project, 0.1)
    before = due_in(stage.project.pk)
    place_second_reads(project=stage.project, doubts=doubts_in(stage.project))
    assert due_in(stage.project.pk) == 0
    held = lease_next(reader=stage.good, project_id=stage.project.pk, now=now).cases[0]
    said = Answered({"finding": "covid19"}, 5.0, 1, uuid.uuid4())
    submit(reader=stage.good, lease_id=held.lease.pk, case_id=held.case.pk, answered=said, now=now)
    assert Entry.objects.get(case=held.case).state == Entry.State.DONE
    assert due_in(stage.project.pk) == 0
    assert Pick.objects.filter(reason="second_reading", score__isnull=False).exists()
    place_second_reads(project=stage.project, doubts=[Doubt(held.case.pk, 1.0)])
    assert Entry.objects.get(case=held.case).state == Entry.State.DONE
    assert before >= FEWEST_TOGETHER


def test_who_does_not_count_yet_raises_no_doubt(stage: Stage, now: datetime) -> None:
    before = doubts_in(stage.project)
    newcomer = factories.a_reader(stage.project)
    for case, label in zip(stage.cases, stage.truth, strict=True):
        stage.read(case, newcomer, other(label), now)
    factories.an_untested(newcomer, stage.project)
    for case in stage.cases:
        refresh_reference(case_id=case.pk, now=now)
    assert doubts_in(stage.project) == before


def test_without_a_share_or_a_second_reader_nothing_is_asked(stage: Stage) -> None:
    ask_where_doubted(stage.project.pk)
    assert not Job.objects.filter(name="place_second_reads").exists()
    share_doubted(stage.project, 0.2)
    User.objects.filter(pk=stage.good.pk).update(is_active=False)
    place_second_reads(project=stage.project, doubts=doubts_in(stage.project))
    read_by_poor = set(Reading.objects.filter(reader=stage.poor).values_list("case_id", flat=True))
    assert placed(stage.project)
    assert not {one.case_id for one in placed(stage.project)} & read_by_poor


def test_the_audit_stream_and_what_is_held_by_a_batch_stay_as_they_are(stage: Stage) -> None:
    share_doubted(stage.project, 0.5)
    audited = stage.cases[: len(stage.cases) // 2]
    Case.objects.filter(pk__in=[one.pk for one in audited]).update(stream=Case.Stream.AUDIT)
    place_second_reads(project=stage.project, doubts=doubts_in(stage.project))
    assert not {one.case_id for one in placed(stage.project)} & {one.pk for one in audited}


@pytest.mark.parametrize(
    ("readings", "second", "share", "expected"),
    [(90, 0, 0.1, 10), (100, 10, 0.1, 0), (0, 0, 0.1, 0), (9, 0, 0.1, 1), (8, 0, 0.1, 0), (10, 0, 0.5, 10)],
)
def test_second_readings_are_at_most_their_share(
    readings: int, second: int, share: float, expected: int
) -> None:
    assert due(readings, second, share) == expected
    assert second + expected <= share * (readings + expected) + 1e-9
