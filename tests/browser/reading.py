"""What tests of the reading room share: a project of real X-rays, its readers, and a driver for the page."""

import base64
import csv
import io
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize
from scipy.ndimage import map_coordinates

from tests.browser.serving import PASSWORD, Fovea

VIEWPORT = ViewportSize(width=700, height=500)
PREPARE = """
from django.core.management import call_command
from accounts.models import Role, User
from annotation.projects.models import Project
from annotation.projects.services import set_membership
call_command("import", {source!r}, project={project!r}, **{options!r})
made = Project.objects.get(name={project!r})
for name in {names!r}:
    known = User.objects.filter(username=name).first()
    reader = known or User.objects.create_user(name, password={password!r})
    set_membership(project=made, user=reader, role=Role.READER)
print(made.pk)
"""


def prepare(
    fovea: Fovea, source: Path, project: str, names: list[str], then: str = "", **options: str
) -> str:
    """Import images into a project and make its readers; returns the project's id.

    then: Python that is run after it in the same process, which takes seconds to start.
    """
    filled = {"source": str(source), "project": project, "names": names, "options": options}
    return fovea.run(PREPARE.format(password=PASSWORD, **filled) + then)


def small_delivery(source: Path, target: Path, count: int) -> Path:
    """Copy every so many-th training image, with its row of labels.csv: all classes, few files."""
    with (source / "labels.csv").open() as table:
        rows = [row for row in csv.DictReader(table) if row["split"] == "train"]
    chosen = rows[:: len(rows) // count][:count]
    for row in chosen:
        copy = target / row["path"]
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / row["path"], copy)
    with (target / "labels.csv").open("w") as table:
        writer = csv.DictWriter(table, list(rows[0]))
        writer.writeheader()
        writer.writerows(chosen)
    return target


@dataclass
class Room:
    """One window of the reading room, driven by keys."""

    page: Page
    url: str
    project_id: str
    errors: list[str] = field(default_factory=list)
    reader_id: str = ""

    @classmethod
    def of(cls, context: BrowserContext, url: str, project_id: str) -> "Room":
        page = context.new_page()
        room = cls(page, url, project_id)
        page.on("pageerror", lambda error: room.errors.append(str(error)))
        page.on("console", lambda message: room.note(message.text))
        return room

    def note(self, message: str) -> None:
        self.errors += [message] if "Content Security Policy" in message else []

    def sign_in(self, name: str) -> None:
        self.page.goto(f"{self.url}/sign-in")
        sign_in_here(self.page, name)

    def enter(self) -> int:
        self.page.goto(f"{self.url}/projects/{self.project_id}/read")
        return self.shown()

    def leave(self) -> None:
        """Close all windows; nothing may have gone wrong in them."""
        self.page.context.set_offline(False)
        for page in self.page.context.pages:
            page.close()
        assert self.errors == []

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def shown(self, other_than: int | None = None) -> int:
        """Wait until the image of a case is on screen; returns the case's number."""
        wait = "was => { const n = document.querySelector('.stage')?.dataset.shown; return n && n !== was }"
        self.page.wait_for_function(wait, arg=str(other_than))
        return int(self.page.get_attribute(".stage", "data-shown") or 0)

    def answer(self, digit: int) -> int:
        """Answer, submit, and wait for the next image."""
        here = self.shown()
        self.press(str(digit), "Enter")
        return self.shown(other_than=here)

    def wait_for(self, text: str) -> None:
        self.page.get_by_text(text).first.wait_for()

    def saving(self, text: str) -> None:
        self.page.locator(".saving", has_text=text).wait_for()

    def chosen(self) -> str:
        return self.page.locator(".answer:has(:checked) .answer-label").inner_text()

    def choices(self) -> list[str]:
        return self.page.locator(".answer-label").all_inner_texts()

    def api(self, path: str) -> Any:
        response = self.page.request.get(f"{self.url}/api/v1/{path}")
        assert response.ok, response.text()
        return response.json()

    def post(self, path: str, method: str = "POST") -> Any:
        token = self.api("session")["csrf_token"]
        headers = {"X-CSRFToken": token, "Referer": self.url}
        response = self.page.request.fetch(f"{self.url}/api/v1/{path}", method=method, headers=headers)
        assert response.ok, response.text()
        return json.loads(response.text() or "null")

    def mine(self) -> dict[str, Any]:
        """What this reader holds, without asking for more than it holds."""
        return dict(self.post(f"projects/{self.project_id}/leases"))

    def read_by_me(self) -> int:
        (project,) = [one for one in self.api("projects") if one["id"] == self.project_id]
        return int(project["read_by_me"])

    def canvas(self) -> NDArray[np.float64]:
        """The grey values that are drawn."""
        drawn = self.page.evaluate("document.querySelector('.canvas canvas').toDataURL('image/png')")
        with urlopen_data(drawn) as picture:
            return np.asarray(Image.open(picture).convert("L"), dtype=np.float64)

    def frame(self, case: dict[str, Any], index: int) -> NDArray[np.float64]:
        """The stored values of one instance's first frame, as modality values."""
        instance = case["instances"][index]
        uid, attributes = instance["sop_instance_uid"], instance["attributes"]
        body = self.page.request.get(f"{self.url}/api/v1/cases/{case['id']}/instances/{uid}/frames/1").body()
        sign = "i" if attributes["PixelRepresentation"] else "u"
        kind = np.dtype(f"<{sign}{attributes['BitsAllocated'] // 8}")
        stored = np.frombuffer(body, kind).reshape(attributes["Rows"], attributes["Columns"])
        slope, intercept = attributes.get("RescaleSlope", 1.0), attributes.get("RescaleIntercept", 0.0)
        return stored.astype(np.float64) * float(slope) + float(intercept)


def urlopen_data(url: str) -> io.BytesIO:

    return io.BytesIO(base64.b64decode(url.partition(",")[2]))


def sign_in_here(page: Page, name: str) -> None:
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "sign-in" not in url)


def new_context(chromium: Browser) -> BrowserContext:
    """Open a browser profile: small, since software rendering is slow."""
    context = chromium.new_context(viewport=VIEWPORT)
    context.set_default_timeout(30_000)
    return context


def open_room(context: BrowserContext, fovea: Fovea, project_id: str, name: str) -> Room:
    """Sign a reader in, in place of the one before."""
    context.clear_cookies()
    room = Room.of(context, fovea.url, project_id)
    room.sign_in(name)
    return room


def expected_picture(
    values: NDArray[np.float64], window: tuple[float, float], size: tuple[int, int]
) -> NDArray[np.float64]:
    """What a screen must show: PS3.3 C.11.2.1.2.1 LINEAR, the whole image fitted into (height, width)."""
    center, width = window
    grey = np.clip(((values - (center - 0.5)) / (width - 1) + 0.5) * 255, 0, 255)
    scale = min(drawn / stored for drawn, stored in zip(size, values.shape, strict=True))
    places = [
        (np.arange(drawn) + 0.5 - drawn / 2) / scale + stored / 2 - 0.5
        for drawn, stored in zip(size, values.shape, strict=True)
    ]
    inside = [(at >= -0.5) & (at <= stored - 0.5) for at, stored in zip(places, values.shape, strict=True)]
    between = map_coordinates(grey, np.meshgrid(*places, indexing="ij"), order=1, mode="nearest")
    return np.asarray(np.where(np.logical_and.outer(*inside), between, 0.0), dtype=np.float64)
