"""How long a reader waits: Enter → the next image (prefetched), opening the room (warm); and memory.

python -m benchmarks.viewer [--cases 100] [--side 512] [--width 700 --height 500]
Real chest X-rays (FOVEA_DATA), enlarged to side × side, through the real import, a real server and headless
Chromium. The time to the next image is taken in the page, from the key event to the animation frame after the
pixels were drawn. The heap is what JavaScript holds after a collection.
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.reading import Room, open_room, prepare, small_delivery
from tests.browser.serving import Fovea, build_front_end, running_chromium, serving
from tests.real import real_images

PROJECT, READER = "Viewer benchmark", "reader"
WARM_OPENINGS = 5
THINKING_SECONDS = 0.7
SETTLING_CASES = 5
STOPWATCH = """() => {
  const stage = document.querySelector(".stage");
  window.waits = [];
  let pressed = 0;
  addEventListener("keydown", (event) => { if (event.key === "Enter") pressed = event.timeStamp; }, true);
  new MutationObserver(() => {
    if (!pressed || !stage.dataset.shown) return;
    const start = pressed;
    pressed = 0;
    requestAnimationFrame((now) => window.waits.push(now - start));
  }).observe(stage, { attributes: true, attributeFilter: ["data-shown"] });
}"""


def import_cases(fovea: Fovea, folder: Path, cases: int, side: int) -> str:
    """Enlarge X-rays and import them; one more than are read, so that there is always a next one."""
    delivery = small_delivery(real_images() / "chest_xray", folder, cases + SETTLING_CASES + 3)
    for path in delivery.rglob("*.png"):
        Image.open(path).resize((side, side), Image.Resampling.BICUBIC).save(path)
    return prepare(fovea, delivery, PROJECT, [READER], modality="DX")


def heap_mb(page: Page) -> float:
    """Collect garbage and say what JavaScript still holds."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return float(used) / 2**20


def opening_seconds(room: Room) -> float:
    """Time from asking for the page to the first image on screen."""
    start = time.perf_counter()
    room.enter()
    return time.perf_counter() - start


def read_on(room: Room, cases: int) -> None:
    """Read cases as a reader does: with a moment to look at each."""
    for digit in range(cases):
        time.sleep(THINKING_SECONDS)
        room.answer(1 + digit % 3)


def next_image_ms(room: Room, cases: int) -> tuple[list[float], float]:
    """Wait for each next image; returns the waits, and how much the heap grew meanwhile, in MB."""
    read_on(room, SETTLING_CASES)
    before = heap_mb(room.page)
    room.page.evaluate(STOPWATCH)
    read_on(room, cases)
    grown = heap_mb(room.page) - before
    room.saving("All saved")
    return sorted(float(wait) for wait in room.page.evaluate("window.waits")), grown


def measure(
    chromium: Browser, fovea: Fovea, project_id: str, options: argparse.Namespace
) -> dict[str, object]:
    context = chromium.new_context(viewport=ViewportSize(width=options.width, height=options.height))
    room = open_room(context, fovea, project_id, READER)
    cold = opening_seconds(room)
    warm = [opening_seconds(room) for _ in range(WARM_OPENINGS)]
    waits, grown = next_image_ms(room, options.cases)
    renderer = room.page.evaluate(
        "(() => { const gl = document.createElement('canvas').getContext('webgl2');"
        " const names = gl.getExtension('WEBGL_debug_renderer_info');"
        " return gl.getParameter(names.UNMASKED_RENDERER_WEBGL) })()"
    )
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "browser": f"Chromium {chromium.version}, {renderer}",
        "viewport": f"{options.width}×{options.height}",
        "cases": len(waits),
        "next_image_ms_median": round(statistics.median(waits)),
        "next_image_ms_p95": round(waits[int(0.95 * (len(waits) - 1))]),
        "heap_growth_mb": round(grown, 1),
        "first_image_s_cold": round(cold, 2),
        "first_image_s_warm_median": round(statistics.median(warm), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--width", type=int, default=700)
    parser.add_argument("--height", type=int, default=500)
    options = parser.parse_args()
    build_front_end()
    with tempfile.TemporaryDirectory() as folder:
        home, delivery = Path(folder) / "home", Path(folder) / "delivery"
        with serving(home) as fovea, running_chromium() as chromium:
            project_id = import_cases(fovea, delivery, options.cases, options.side)
            print(json.dumps(measure(chromium, fovea, project_id, options), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
