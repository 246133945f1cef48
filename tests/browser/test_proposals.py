"""What is proposed of masks and boxes on real images is taken, edited and left out by keys."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.desk import ask
from tests.browser.reading import Room, new_context, open_room, small_delivery
from tests.browser.serving import Fovea

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

NUCLEI: dict[str, Any] = {
    "questions": [
        {
            "key": "drawn",
            "prompt": "Paint the nuclei",
            "kind": "segmentation",
            "required": False,
            "classes": [{"value": "nucleus", "label": "Nucleus"}],
        }
    ],
    "settings": {"suggestions": "from_start", "control_share": 0.0},
}
CELLS: dict[str, Any] = {
    "questions": [
        {
            "key": "drawn",
            "prompt": "Box each cell",
            "kind": "box",
            "required": False,
            "labels": [{"value": one, "label": one} for one in ("RBC", "WBC", "Platelets")],
        }
    ],
    "settings": {"suggestions": "on_demand", "control_share": 0.0},
}
# Somebody draws four cases as the set's own table says; a head learns from them, in a process of its own.
LEARN = """
import uuid
from pathlib import Path
import numpy as np
from PIL import Image
from django.utils import timezone
from accounts.models import User
from annotation.learning.drawn import ask_regions
from annotation.projects.masks import written
from annotation.projects.models import Case, Project
from annotation.queue.models import Entry
from annotation.queue.services import lease_next
from annotation.queue.submissions import submit
from annotation.readings.services import Answered
from annotation.studies.models import ImportedFile
from jobs.models import Job
from mlworker.runtime import run
source, project = Path({source!r}), Project.objects.get(name={project!r})
project.cases.update(stream="pool")
reader = User.objects.get(username={reader!r})
paths = dict(
    ImportedFile.objects.filter(instance__series__cases__project=project)
    .values_list("instance__series_id", "path")
)

def mask(path, image):
    values = np.asarray(Image.open(source / "masks" / Path(path).with_suffix(".png").name)) > 0
    return written((1, *values.shape), [image], {{"nucleus": values[None]}})

for _ in range(4):
    held = lease_next(reader=reader, project_id=project.pk, now=timezone.now()).cases[0]
    image = held.case.series.instances.get().sop_instance_uid
    answer = mask(paths[held.case.series_id], image)
    answered = Answered({{"drawn": answer}}, 30.0, held.protocol.version, uuid.uuid4())
    submit(reader=reader, lease_id=held.lease.pk, case_id=held.case.pk, answered=answered, now=timezone.now())
from annotation.queue.models import Lease
from annotation.queue.services import give_back
for lease in Lease.objects.filter(reader=reader, ended_at=None):
    give_back(reader=reader, lease_id=lease.pk, now=timezone.now())
job = ask_regions(project_id=project.pk)
run(job.pk)
print(Job.objects.get(pk=job.pk).state, Job.objects.get(pk=job.pk).error)
"""
# A head that finds what the set's own table says.
PROPOSE = """
import csv, uuid
from pathlib import Path
from django.utils import timezone
from annotation.learning.drawn_models import PixelHead, RegionSuggestion
from annotation.projects.models import Project
from annotation.studies.models import ImportedFile
source, project, now = Path({source!r}), Project.objects.get(name={project!r}), timezone.now()
project.cases.update(stream="pool")
head = PixelHead.objects.create(
    project=project, question="drawn", kind="box", number=1, classes=["RBC", "WBC", "Platelets"],
    artefact_name="none", artefact_digest="0" * 64, case_count=3, job_id=uuid.uuid4(), seconds=1.0,
    created_at=now,
)
for case in project.cases.all():
    (path,) = ImportedFile.objects.filter(instance__series=case.series_id).values_list("path", flat=True)
    image = case.series.instances.get().sop_instance_uid
    answer = [
        {{"id": str(uuid.uuid4()), "label": row["label"], "image": image, "frame": 1, "attributes": {{}},
          "origin": "suggestion",
          "points": [[float(row["xmin"]), float(row["ymin"])], [float(row["xmax"]), float(row["ymax"])]]}}
        for row in csv.DictReader((source / "boxes.csv").open())
        if row["path"].endswith(Path(path).name) and row["xmin"] != row["xmax"] and row["ymin"] != row["ymax"]
    ]
    scores = {{one["id"]: 0.8 for one in answer}}
    RegionSuggestion.objects.create(
        case=case, question="drawn", head=head, answer=answer, scores=scores, score=0.8, created_at=now
    )
print(len(answer))
"""
KEPT = """
import json
from annotation.readings.models import Revision
revision = Revision.objects.filter(reader__username={reader!r}).latest("pk")
print(json.dumps({{"answers": revision.answers, "suggestion": revision.suggestion}}))
"""


def some_cells(source: Path, target: Path) -> Path:
    (target / "images").mkdir(parents=True)
    for path in sorted((source / "images").glob("*.jpg"))[:3]:
        (target / "images" / path.name).write_bytes(path.read_bytes())
    return target


@pytest.fixture(scope="module")
def painted(fovea: Fovea, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    source = real_data / "nuclei"
    folder = small_delivery(source, tmp_path_factory.mktemp("nuclei"), 10)
    project_id = ask(fovea, folder, "nuclei", ["nuclei teacher", "nuclei reader"], NUCLEI)
    said = fovea.run(LEARN.format(source=str(source), project="nuclei", reader="nuclei teacher"))
    assert said.strip() == "done"
    return project_id


@pytest.fixture(scope="module")
def boxed(fovea: Fovea, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    source = real_data / "blood_cells"
    folder = some_cells(source, tmp_path_factory.mktemp("cells") / "delivery")
    project_id = ask(fovea, folder, "cells", ["cells reader"], CELLS)
    assert int(fovea.run(PROPOSE.format(source=str(source), project="cells"))) > 0
    return project_id


def opened(chromium: Browser, fovea: Fovea, project_id: str, name: str) -> Iterator[Room]:
    context = new_context(chromium)
    context.set_default_timeout(60_000)
    room = open_room(context, fovea, project_id, name)
    room.page.set_viewport_size({"width": 1200, "height": 800})
    room.enter()
    yield room
    room.leave()
    context.close()


@pytest.fixture
def painting(chromium: Browser, fovea: Fovea, painted: str) -> Iterator[Room]:
    yield from opened(chromium, fovea, painted, "nuclei reader")


@pytest.fixture
def boxing(chromium: Browser, fovea: Fovea, boxed: str) -> Iterator[Room]:
    yield from opened(chromium, fovea, boxed, "cells reader")


def kept(fovea: Fovea, room: Room, reader: str) -> dict[str, Any]:
    room.saving("Saved")
    found: dict[str, Any] = json.loads(fovea.run(KEPT.format(reader=reader)))
    return found


TINTED = (
    "least => { const c = document.querySelector('.pane .mask');"
    " const pixels = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
    " return pixels.filter((v, i) => i % 4 === 3 && v > 0).length LESS least }"
)


def test_a_suggested_mask_is_an_outline_until_one_key_takes_it_and_one_step_undoes_it(
    painting: Room, fovea: Fovea
) -> None:
    page = painting.page
    proposed = page.locator("[data-proposed]")
    expect(proposed).to_contain_text("A mask is suggested")
    page.wait_for_timeout(600)  # what was on screen for less was not seen
    is_painted, is_outline = TINTED.replace("LESS", ">"), TINTED.replace("LESS", "<=")
    outline = page.evaluate(TINTED.replace("LESS", "-"), 0)
    assert outline > 0
    painting.press("t")
    expect(proposed).to_contain_text("Every suggestion is taken or left out")
    page.wait_for_function(is_painted, arg=outline)
    painting.press("Control+z")
    page.wait_for_function(is_outline, arg=outline)
    painting.press("Control+y")
    page.wait_for_function(is_painted, arg=outline)
    page.wait_for_timeout(600)  # the mask becomes the answer after a pause
    here = painting.shown()
    painting.press("Enter")
    painting.shown(other_than=here)
    found = kept(fovea, painting, "nuclei reader")
    drawn = found["suggestion"]["drawn"]["drawn"]
    assert (drawn["shown"], drawn["taken"], drawn["withheld"]) == ("before_answer", True, "")
    assert drawn["agreement"] == 1.0
    assert found["answers"]["drawn"] == drawn["suggested"]


def test_boxes_come_when_asked_for_and_each_is_taken_edited_or_left_by_keys(
    boxing: Room, fovea: Fovea
) -> None:
    page = boxing.page
    proposed = page.locator("[data-proposed]")
    expect(proposed).to_have_count(0)
    boxing.press("a")
    expect(proposed).to_contain_text("Suggested 1 of")
    page.wait_for_timeout(600)
    dashed = page.locator(".pane svg g.suggestion")
    before = dashed.count()
    assert before >= 3
    boxing.press("t")
    expect(dashed).to_have_count(before - 1)
    boxing.press("j")
    expect(dashed).to_have_count(before - 2)
    boxing.press(".")
    expect(dashed).to_have_count(0)
    rows = page.locator(".regions .region")
    boxing.press("Control+z")
    expect(rows).to_have_count(1)
    boxing.press("Control+y")
    boxing.press("n", "3")  # another label: the reader's own work now
    here = boxing.shown()
    boxing.press("Enter")
    boxing.shown(other_than=here)
    drawn = kept(fovea, boxing, "cells reader")["suggestion"]["drawn"]["drawn"]
    assert (drawn["shown"], drawn["left"]) == ("before_answer", 1)
    assert (drawn["edited"], drawn["accepted"], drawn["own"]) == (1, before - 2, 0)
    assert 0.5 < drawn["agreement"] < 1.0
