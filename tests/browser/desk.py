"""What tests of the desk share: protocols that ask every kind of question, of real images."""

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator

from tests.browser.reading import Room, prepare
from tests.browser.serving import Fovea

ASK = """
import json
from django.utils import timezone
from annotation.projects.models import Project
from annotation.projects.protocols import document_of
from annotation.projects.services import save_protocol
made = Project.objects.get(name={project!r})
save_protocol(
    project=made, document=document_of(json.loads({document!r})), base_version=1, now=timezone.now(), by=None
)
print(made.pk)
"""
PREDICT = """
from annotation.projects.models import Project
from annotation.queue.models import Entry
made = Project.objects.get(name={project!r})
made.cases.update(stream="pool")  # who reads the audit stream is shown nothing
Entry.objects.filter(project=made).update(probabilities={probabilities!r}, reason="uncertain", rank=3)
print(made.pk)
"""
YES_NO = [{"value": "normal", "label": "Normal"}, {"value": "abnormal", "label": "Abnormal"}]
ABNORMAL = {"question": "finding", "is": "abnormal"}
FINDING = {"key": "finding", "prompt": "What does the image show?", "kind": "single", "choices": YES_NO}
CHEST: dict[str, Any] = {
    "questions": [
        FINDING,
        {
            "key": "signs",
            "prompt": "Which signs?",
            "kind": "multi",
            "max": 2,
            "when": ABNORMAL,
            "choices": [
                {"value": "opacity", "label": "Opacity"},
                {"value": "effusion", "label": "Pleural effusion"},
                {"value": "device", "label": "Tube or line"},
            ],
        },
        {
            "key": "severity",
            "prompt": "How severe?",
            "kind": "ordinal",
            "when": ABNORMAL,
            "choices": [{"value": str(grade), "label": f"Grade {grade}"} for grade in (1, 2, 3)],
        },
        {
            "key": "width",
            "prompt": "Width of the heart",
            "help": "At its widest, as a share of the thorax.",
            "kind": "number",
            "unit": "%",
            "min": 20,
            "max": 90,
            "step": 1,
            "required": False,
        },
        {"key": "note", "prompt": "Anything else?", "kind": "text", "max_length": 40, "required": False},
        {
            "key": "lesions",
            "prompt": "Mark each lesion",
            "kind": "box",
            "when": ABNORMAL,
            "required": False,
            "max": 3,
            "labels": [
                {"value": "opacity", "label": "Opacity"},
                {"value": "device", "label": "Device"},
            ],
            "attributes": [
                {
                    "key": "certainty",
                    "prompt": "How certain?",
                    "kind": "single",
                    "choices": [
                        {"value": "low", "label": "Not very"},
                        {"value": "high", "label": "Very"},
                    ],
                }
            ],
        },
    ],
    "settings": {"daily_goal": 40},
}
NODULES: dict[str, Any] = {
    "questions": [
        {
            "key": "nodules",
            "prompt": "Measure each nodule",
            "kind": "bidirectional",
            "required": False,
            "labels": [{"value": "nodule", "label": "Nodule"}],
        },
        {
            "key": "parts",
            "prompt": "Paint the tumour",
            "kind": "segmentation",
            "required": False,
            "classes": [{"value": "core", "label": "Core"}, {"value": "rim", "label": "Rim"}],
        },
        {
            "key": "longest",
            "prompt": "Longest diameter, mm",
            "kind": "computed",
            "formula": {"op": "largest", "of": "nodules", "measure": "long_axis_mm"},
        },
        {
            "key": "quality",
            "prompt": "Is this slice sharp?",
            "kind": "single",
            "scope": "image",
            "required": False,
            "choices": [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}],
        },
    ]
}
DISC_AND_CUP: dict[str, Any] = {
    "questions": [
        {
            "key": key,
            "prompt": prompt,
            "kind": "ellipse",
            "max": 1,
            "labels": [{"value": key, "label": prompt}],
        }
        for key, prompt in (("disc", "Outline the disc"), ("cup", "Outline the cup"))
    ]
    + [
        {
            "key": "ratio",
            "prompt": "Vertical cup-to-disc ratio",
            "kind": "computed",
            "formula": {"op": "vertical_ratio", "of": ["cup", "disc"]},
        }
    ]
}


def one_key(**settings: Any) -> dict[str, Any]:
    """Ask one question, with settings."""
    return {"questions": [FINDING], "settings": settings}


def ask(
    fovea: Fovea, source: Path, project: str, names: list[str], document: dict[str, Any], **options: str
) -> str:
    """Import images into a project that asks by a document; returns the project's id."""
    asking = ASK.format(project=project, document=json.dumps(document))
    return prepare(fovea, source, project, names, asking, **options)


def predict(fovea: Fovea, project: str, probabilities: dict[str, float]) -> None:
    """Let a model have seen every case of a project."""
    fovea.run(PREDICT.format(project=project, probabilities=probabilities))


def question(room: Room, key: str) -> Locator:
    """One question's field set."""
    return room.page.locator(f'[data-path="{key}"]')


def drag(room: Room, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag over the image; places are shares of its width and height."""
    box = room.page.locator(".canvas").bounding_box()
    assert box is not None
    places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in (start, end)]
    room.page.mouse.move(*places[0])
    room.page.mouse.down()
    room.page.mouse.move((places[0][0] + places[1][0]) / 2, (places[0][1] + places[1][1]) / 2)
    room.page.mouse.move(*places[1])
    room.page.mouse.up()


def mark_a_lesion(room: Room) -> None:
    """Answer all that an abnormal image asks, and draw one box."""
    room.press("2", "1", "ArrowRight", "1")
    room.page.evaluate("document.activeElement.blur()")
    room.press("d")
    drag(room, (0.3, 0.3), (0.5, 0.5))
    question(room, "lesions").locator(".region").wait_for()


JOURNAL = """async mine => {
  const done = request => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const database = await done(indexedDB.open("fovea-journal"));
  const store = database.transaction("entries").objectStore("entries");
  const [names, entries] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
  database.close();
  const text = new TextDecoder("latin1");
  const bodies = names.map((name, nth) => [name, text.decode(entries[nth].body)]);
  return Object.fromEntries(bodies.filter(([name]) => name.startsWith(mine)));
}"""


def journal(room: Room, reader_id: str) -> dict[str, str]:
    """What the browser keeps of a reader's unsent work: names, and what is written there."""
    kept: dict[str, str] = room.page.evaluate(JOURNAL, f"fovea-journal/{reader_id}/")
    return kept
