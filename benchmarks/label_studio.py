"""The same classification work here and in Label Studio: counted actions, seconds per case, no time to think.

python -m benchmarks.label_studio --label-studio VENV/bin/label-studio [--home FOLDER] [--cases 40]
The peer in an environment of its own: python3 -m venv VENV && VENV/bin/pip install label-studio==1.23.0
Both by their own documented means. Label Studio: its server, a project of Image and Choices (a hotkey each,
as https://labelstud.io/tags/choices tells), files imported by its API, the label stream ("Label All
Tasks"), submitted by Ctrl+Enter. Here: one question; a digit and Enter; and a digit alone, where the
project allows it. The same real X-rays (FOVEA_DATA), the same labels, one Chromium. Seconds run from one
case on screen (its image decoded, and the frame after that begun) to the next; a key is pressed as soon as
the one before it has acted. An action is a click, a key, or several keys at once.
"""

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.desk import ask, one_key
from tests.browser.reading import open_room, small_delivery
from tests.browser.serving import build_front_end, free_port, running_chromium, serving
from tests.real import real_images

READER, SETTLING_CASES, START_SECONDS = "reader", 4, 600
EMAIL, PASSWORD = "bench@example.org", "bench-only-here"
LABELS = ("Normal", "Abnormal")
CONFIG = """<View><Image name="image" value="$image"/>
<Choices name="finding" toName="image" choice="single" required="true">{}</Choices></View>"""
CHOICE = '<Choice value="{}" hotkey="{}"/>'
FRAME = """await new Promise(frame => requestAnimationFrame(frame));
  return performance.timeOrigin + performance.now()"""
OURS_SHOWN = f"""async was => {{
  const stage = document.querySelector(".stage");
  while (!stage.dataset.shown || stage.dataset.shown === was) await new Promise(turn => setTimeout(turn));
  {FRAME};
}}"""
THEIRS_SHOWN = f"""async was => {{
  const image = () => document.querySelector("img[alt=image]");
  const isShown = () => image()?.complete && image().naturalWidth > 0 && image().src !== was;
  while (!isShown()) await new Promise(turn => setTimeout(turn));
  {FRAME};
}}"""
CHOSEN = (
    "() => document.querySelectorAll('.ant-checkbox-input:checked, .ant-radio-input:checked').length === 1"
)


class System(Protocol):
    """What both are driven by."""

    page: Page
    actions: int

    def shown(self, other_than: str) -> float:
        """Wait for another case on screen; returns when it was, in ms."""

    def which(self) -> str:
        """Name the case on screen."""

    def label(self, digit: int) -> None:
        """Answer and submit."""


@dataclass
class Ours:
    """The reading room."""

    page: Page
    is_one_key: bool
    actions: int = 0

    def shown(self, other_than: str) -> float:
        """Wait for another number beside the picture."""
        return float(self.page.evaluate(OURS_SHOWN, other_than))

    def which(self) -> str:
        """Read the number of the case."""
        return self.page.get_attribute(".stage", "data-shown") or ""

    def label(self, digit: int) -> None:
        """Press what is needed."""
        keys = [str(digit)] if self.is_one_key else [str(digit), "Enter"]
        for key in keys:
            self.page.keyboard.press(key)
        self.actions += len(keys)


@dataclass
class LabelStudio:
    """Its label stream."""

    page: Page
    actions: int = 0

    def shown(self, other_than: str) -> float:
        """Wait for another picture."""
        return float(self.page.evaluate(THEIRS_SHOWN, other_than))

    def which(self) -> str:
        """Read the picture's address."""
        return self.page.get_attribute("img[alt=image]", "src") or ""

    def label(self, digit: int) -> None:
        """Choose, and submit once it is chosen."""
        self.page.keyboard.press(str(digit))
        self.page.wait_for_function(CHOSEN)
        self.page.keyboard.press("Control+Enter")
        self.actions += 2


def seconds_per_case(system: System, cases: int) -> dict[str, Any]:
    """Label one case after the other, as fast as the system lets one."""
    moment, waits = system.shown(""), []
    for nth in range(cases + SETTLING_CASES):
        here = system.which()
        system.label(1 + nth % len(LABELS))
        before, moment = moment, system.shown(here)
        waits.append((moment - before) / 1000)
    counted = sorted(waits[SETTLING_CASES:])
    return {
        "cases": len(counted),
        "actions_per_case": round(system.actions / len(waits), 2),
        "seconds_per_case_median": round(statistics.median(counted), 3),
        "seconds_per_case_mean": round(statistics.mean(counted), 3),
        "seconds_per_case_p95": round(counted[int(0.95 * (len(counted) - 1))], 3),
    }


@contextlib.contextmanager
def label_studio(program: Path, folder: Path) -> Iterator[str]:
    """Start the peer on a data directory of its own; yields its address."""
    port = free_port()
    own = {
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
    }
    command = [str(program), "start", "--port", str(port), "--no-browser", "--username", EMAIL]
    process = subprocess.Popen(
        [*command, "--password", PASSWORD],
        env=os.environ | own,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_page(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def wait_for_page(url: str, process: subprocess.Popen[bytes]) -> None:
    """Its first start makes its database, which takes minutes."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, "Label Studio ended"
        assert time.monotonic() < deadline, "Label Studio does not answer"
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{url}/user/login/", timeout=5).close()
            return
        time.sleep(0.5)


def stream_of(page: Page, url: str, images: list[Path]) -> LabelStudio:
    """Sign in, make a project, import the images, open the label stream."""
    page.goto(f"{url}/user/login/")
    page.fill("[name=email]", EMAIL)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda there: "login" not in there)
    token = next(one["value"] for one in page.context.cookies() if one["name"] == "csrftoken")
    headers = {"X-CSRFToken": token, "Referer": url}
    config = CONFIG.format("".join(CHOICE.format(label, 1 + nth) for nth, label in enumerate(LABELS)))
    made = page.request.post(
        f"{url}/api/projects", headers=headers, data={"title": "Chest", "label_config": config}
    )
    project = made.json()["id"]
    files: Any = {
        path.name: {"name": path.name, "mimeType": "image/jpeg", "buffer": path.read_bytes()}
        for path in images
    }
    sent = page.request.post(f"{url}/api/projects/{project}/import", headers=headers, multipart=files)
    assert sent.json()["task_count"] == len(images), sent.text()
    page.goto(f"{url}/projects/{project}/data")
    page.get_by_role("button", name="Label All Tasks").first.click()
    return LabelStudio(page)


def measure_ours(chromium: Browser, delivery: Path, size: ViewportSize, cases: int) -> dict[str, Any]:
    """Read with a digit and Enter, then with a digit alone, each in a project of its own."""
    found = {}
    with tempfile.TemporaryDirectory() as home, serving(Path(home)) as fovea:
        for name, is_one_key in (("digit_and_enter", False), ("digit_alone", True)):
            project_id = ask(fovea, delivery, name, [READER], one_key(auto_advance=is_one_key), modality="DX")
            room = open_room(chromium.new_context(viewport=size), fovea, project_id, READER)
            room.enter()
            found[name] = seconds_per_case(Ours(room.page, is_one_key), cases)
            room.saving("All saved")
            assert room.read_by_me() == cases + SETTLING_CASES
            room.page.context.close()
    return found


def measure_theirs(
    chromium: Browser, options: argparse.Namespace, delivery: Path, size: ViewportSize
) -> dict[str, Any]:
    """Label the same images in the label stream, in a project of this run's own."""
    images = sorted(delivery.rglob("*.jpg"))
    with tempfile.TemporaryDirectory() as folder:
        home = options.home or Path(folder)
        with label_studio(options.label_studio, home) as url:
            page = chromium.new_page(viewport=size)
            page.set_default_timeout(120_000)
            return seconds_per_case(stream_of(page, url, images), options.cases)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--label-studio", type=Path, required=True)
    parser.add_argument("--home", type=Path, help="Label Studio's data: made at the first start, in minutes")
    parser.add_argument("--cases", type=int, default=40)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=800)
    options = parser.parse_args()
    build_front_end()
    size = ViewportSize(width=options.width, height=options.height)
    with tempfile.TemporaryDirectory() as folder, running_chromium() as chromium:
        wanted = options.cases + SETTLING_CASES + 3
        delivery = small_delivery(real_images() / "chest_xray", Path(folder) / "chest", wanted)
        theirs = measure_theirs(chromium, options, delivery, size)
        ours = measure_ours(chromium, delivery, size, options.cases)
    ratios = {
        name: {
            "actions": round(one["actions_per_case"] / theirs["actions_per_case"], 2),
            "seconds": round(one["seconds_per_case_median"] / theirs["seconds_per_case_median"], 2),
        }
        for name, one in ours.items()
    }
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    report = {"machine": machine, "ours": ours, "label_studio": theirs, "ours_to_label_studio": ratios}
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
