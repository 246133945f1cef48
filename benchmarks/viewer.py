"""How long a reader waits for an image: Enter → the next one (prefetched), and opening the room (warm).

python -m benchmarks.viewer [--cases 30] [--width 700 --height 500]
Real chest X-rays (FOVEA_DATA) through the real import, a real server, headless Chromium. The time to the next
image is taken in the page, from the key event to the animation frame after the pixels were drawn.
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize

from tests.browser.reading import Room, open_room, prepare, small_delivery
from tests.browser.serving import Fovea, build_front_end, running_chromium, serving
from tests.real import real_images

PROJECT, READER = "Viewer benchmark", "reader"
WARM_OPENINGS = 5
THINKING_SECONDS = 0.7
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


def import_cases(fovea: Fovea, folder: Path, cases: int) -> str:
    delivery = small_delivery(real_images() / "chest_xray", folder, 2 * cases)
    return prepare(fovea, delivery, PROJECT, [READER], modality="DX")


def opening_seconds(room: Room) -> float:
    """Time from asking for the page to the first image on screen."""
    start = time.perf_counter()
    room.enter()
    return time.perf_counter() - start


def next_image_ms(room: Room, cases: int) -> list[float]:
    """Read cases as a reader does: with a moment to look at each."""
    room.page.evaluate(STOPWATCH)
    for digit in range(cases):
        time.sleep(THINKING_SECONDS)
        room.answer(1 + digit % 3)
    room.saving("All saved")
    return [float(wait) for wait in room.page.evaluate("window.waits")]


def measure(
    chromium: Browser, fovea: Fovea, project_id: str, options: argparse.Namespace
) -> dict[str, object]:
    context = chromium.new_context(viewport=ViewportSize(width=options.width, height=options.height))
    room = open_room(context, fovea, project_id, READER)
    cold = opening_seconds(room)
    warm = [opening_seconds(room) for _ in range(WARM_OPENINGS)]
    waits = sorted(next_image_ms(room, options.cases))
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
        "first_image_s_cold": round(cold, 2),
        "first_image_s_warm_median": round(statistics.median(warm), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=30)
    parser.add_argument("--width", type=int, default=700)
    parser.add_argument("--height", type=int, default=500)
    options = parser.parse_args()
    build_front_end()
    with tempfile.TemporaryDirectory() as folder:
        home, delivery = Path(folder) / "home", Path(folder) / "delivery"
        with serving(home) as fovea, running_chromium() as chromium:
            project_id = import_cases(fovea, delivery, options.cases)
            print(json.dumps(measure(chromium, fovea, project_id, options), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
