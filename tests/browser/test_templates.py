"""Each ready-made protocol is read with keys and drags on a real image, and stored as it was answered."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from annotation.projects.templates import templates
from tests.browser.desk import drag, question
from tests.browser.reading import Room, open_room
from tests.browser.serving import PASSWORD, Fovea

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
READER = "templates"
START = """
import json
from pathlib import Path
from django.core.management import call_command
from accounts.models import Role, User
from annotation.projects.models import Project
from annotation.projects.services import set_membership
reader = User.objects.create_user({reader!r}, password={password!r})
made = {{}}
for name, (source, modality) in {sources!r}.items():
    call_command("import", Path(source), project="Template " + name, template=name, modality=modality)
    project = Project.objects.get(name="Template " + name)
    set_membership(project=project, user=reader, role=Role.READER)
    made[name] = str(project.pk)
print(json.dumps(made))
"""


@dataclass(frozen=True)
class Draw:
    """Draw for a question; keys: what the drawing's attributes get.

    places: shares of the image's width and height; two are dragged, more are clicked and closed by Enter.
    """

    key: str
    places: tuple[tuple[float, float], ...]
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shape:
    """A region as it is to be stored."""

    label: str
    points: int
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Script:
    """What a reader of a template does with one image, and what is then stored.

    source: within the real data; computed: keys of values that the server is to compute.
    """

    source: str
    modality: str
    acts: list[str | Draw]
    answers: dict[str, Any]
    computed: tuple[str, ...] = ()


BOX = ((0.4, 0.4), (0.55, 0.5))
DISC, CUP = ((0.3, 0.2), (0.6, 0.6)), ((0.4, 0.3), (0.5, 0.5))
OUTLINE = ((0.4, 0.4), (0.55, 0.4), (0.55, 0.55), (0.4, 0.55))
FUNDUS, CELLS = "fundus_vessels/images/Image_01L.jpg", "blood_cells/images/BloodImage_00000.jpg"
TISSUE = "nuclei/images/00ae65c1c6631ae6.png"
FILM = "chest_xray/images/covid19/01E392EE-69F9-4E33-BFCE-E5C968654078.jpg"
SCRIPTS = {
    "lung_nodule": Script(
        "chest_ct/Lung_Dx-A0001/dicom",
        "CT",
        ["2", "4", Draw("nodules", BOX, ("1", "4", "ArrowRight", "2"))],
        {
            "nodule": "yes",
            "nodules": [
                Shape(
                    "left_upper_lobe",
                    4,
                    {"texture": "solid", "malignancy": "4", "margin": "lobulated"},
                )
            ],
        },
        ("largest_mm",),
    ),
    "chest_xray": Script(
        FILM,
        "DX",
        ["2", "3", Draw("places", BOX)],
        {"findings": ["cardiomegaly", "lung_opacity"], "places": [Shape("enlarged_cardiomediastinum", 2)]},
    ),
    "diabetic_retinopathy": Script(
        FUNDUS,
        "OP",
        ["3", "ArrowRight", "1", Draw("lesions", BOX)],
        {"grade": "2", "macular_oedema": "none", "lesions": [Shape("microaneurysm", 2)]},
    ),
    "glaucoma": Script(
        FUNDUS,
        "OP",
        [Draw("disc", DISC), "ArrowRight", Draw("cup", CUP), "ArrowRight", "1"],
        {"disc": [Shape("optic_disc", 4)], "cup": [Shape("cup", 4)], "glaucoma": "no"},
        ("vertical_ratio",),
    ),
    "amd": Script(
        FUNDUS,
        "OP",
        ["4", "2", "ArrowRight", "1"],
        {"category": "4", "advanced": ["neovascular"], "signs": ["soft_drusen"]},
    ),
    "breast_birads": Script(
        FILM,
        "MG",
        ["6", "2", "2", Draw("lesions", BOX)],
        {"assessment": "4b", "composition": "b", "lesions": [Shape("calcifications", 2)]},
    ),
    "colorectal_polyp": Script(
        CELLS,
        "ES",
        ["2", Draw("polyps", BOX, ("3",))],
        {"polyp": "yes", "polyps": [Shape("polyp", 2, {"paris": "0_is"})]},
    ),
    "cervical_lesion": Script(
        TISSUE,
        "XC",
        ["2", "3", Draw("lesions", OUTLINE, ("1",))],
        {"impression": "grade_1", "lesions": [Shape("mosaic", 4, {"inside": "inside"})]},
    ),
    "oesophageal_lesion": Script(
        CELLS,
        "ES",
        ["4", Draw("lesions", BOX)],
        {"finding": "squamous_neoplasia", "lesions": [Shape("lesion", 2)]},
    ),
    "brain_tumour": Script(
        "brain_mri/images/glioma/testing_image_1_.jpg",
        "MR",
        ["2", Draw("diameters", BOX)],
        {"tumour": "glioma", "diameters": [Shape("enhancing_lesion", 4)]},
    ),
}


def test_every_template_has_its_script() -> None:
    assert set(SCRIPTS) == {one.name for one in templates()}


@pytest.fixture(scope="module")
def projects(fovea: Fovea, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Start a project of each template with one case; ids by template."""
    folder = tmp_path_factory.mktemp("templates")
    sources = {
        name: (str(alone(real_data / script.source, folder / name)), script.modality)
        for name, script in SCRIPTS.items()
    }
    made: dict[str, str] = json.loads(
        fovea.run(START.format(sources=sources, reader=READER, password=PASSWORD))
    )
    return made


def alone(source: Path, folder: Path) -> Path:
    """Put an image into a folder without its set's labels; a folder stays where it is."""
    if source.is_dir():
        return source
    folder.mkdir()
    shutil.copy(source, folder)
    return folder


@pytest.fixture(scope="module")
def signed_in(context: BrowserContext, fovea: Fovea, projects: dict[str, str]) -> Room:
    """Sign the reader of all templates in, once."""
    context.set_default_timeout(90_000)
    return open_room(context, fovea, next(iter(projects.values())), READER)


@pytest.fixture
def opened(signed_in: Room, projects: dict[str, str]) -> Iterator[Any]:
    """Open a template's room; at the end no error and no breach of the policy."""

    def enter(name: str) -> Room:
        signed_in.project_id = projects[name]
        signed_in.enter()
        return signed_in

    yield enter
    assert signed_in.errors == []


def perform(room: Room, act: str | Draw) -> None:
    """Press a key, or draw and answer what is asked of the drawing."""
    if isinstance(act, str):
        room.press(act)
        return
    room.page.evaluate("document.activeElement.blur()")
    room.press("d")
    if len(act.places) == 2:
        drag(room, *act.places)
    else:
        for place in act.places:
            drag(room, place, place)
        room.press("Enter")
    question(room, act.key).locator(".region").wait_for()
    room.press(*act.keys)


def plain(answer: Any) -> Any:
    """An answer as scripts write it: regions as shapes."""
    if not (isinstance(answer, list) and answer and isinstance(answer[0], dict)):
        return answer
    return [Shape(one["label"], len(one["points"]), one["attributes"]) for one in answer]


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_a_template_is_read_and_stored(opened: Any, projects: dict[str, str], name: str) -> None:
    script, room = SCRIPTS[name], opened(name)
    for act in script.acts:
        perform(room, act)
    room.page.evaluate("document.activeElement.blur()")
    room.press("Enter")
    room.wait_for("All read")
    room.saving("All saved")

    stored = room.api(f"projects/{projects[name]}/readings/last")
    assert (stored["revision"], stored["protocol"]["version"]) == (1, 1)
    assert {key: plain(answer) for key, answer in stored["answers"].items()} == script.answers
    assert all(stored["measurements"][key] > 0 for key in script.computed)
