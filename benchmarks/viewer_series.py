"""How long a large CT takes to open: a first slice, all of them, planes; and what 100 openings leave behind.

python -m benchmarks.viewer_series [--slices 300] [--openings 100] [--width 700 --height 500]
A phantom of 512 × 512 slices through the real import and a real server, shown by the stage alone in headless
Chromium. Times are taken in the page: from the call that opens the case to the pixels on screen.
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, ViewportSize

from benchmarks.viewer import heap_mb
from tests.browser.reading import open_room, prepare
from tests.browser.serving import Fovea, build_front_end, running_chromium, serving
from tests.browser.staging import Staged, build_stage
from tests.phantoms import a_slice, dicom, fill

PROJECT, READER, SIDE = "Series benchmark", "reader", 512
SETTLING_OPENINGS = 5
SCROLLS = 40
OPEN = """async ([view, at]) => {
  const start = performance.now();
  await bench.open(view, at);
  const first = performance.now() - start;
  while (bench.stage.view().loaded < bench.frames().length) await new Promise(r => setTimeout(r, 20));
  return [first, performance.now() - start];
}"""
PLANES = """async () => {
  const start = performance.now();
  await bench.stage.setLayout("mpr");
  await new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)));
  return performance.now() - start;
}"""
SCROLL = """async count => {
  const waits = [];
  for (let turn = 0; turn < count; turn += 1) {
    const start = performance.now();
    await bench.stage.goTo(bench.stage.view().index + 1);
    waits.push(performance.now() - start);
  }
  return waits;
}"""
CYCLE = """async ([view, count]) => {
  for (let turn = 0; turn < count; turn += 1) {
    await bench.open({ ...view, instances: view.instances.slice(turn, turn + 3) }, 1);
    await bench.close([]);
  }
}"""


def phantom(folder: Path, slices: int) -> Path:
    """Write a round trunk with two lungs and noise, a slice a file."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    trunk = np.where(x**2 / 0.8 + y**2 / 0.5 < 1, 40, -1000)
    lungs = (x**2 - 0.8 * np.abs(x) + 0.16) / 0.07 + y**2 / 0.25 < 1
    folder.mkdir()
    for number in range(1, slices + 1):
        noise = np.random.default_rng(number).normal(0, 15, (SIDE, SIDE))
        made = a_slice(number)
        fill(made, (np.where(lungs, -850, trunk) + noise + 1024).astype(np.int16))
        (folder / f"{number:04}.dcm").write_bytes(dicom(made))
    return folder


def measure(
    chromium: Browser, fovea: Fovea, project_id: str, built: Path, options: argparse.Namespace
) -> dict[str, Any]:
    """Open the series cold, look at its planes, scroll; then open and close small cases many times."""
    context = chromium.new_context(viewport=ViewportSize(width=options.width, height=options.height))
    context.set_default_timeout(120_000)
    room = open_room(context, fovea, project_id, READER)
    (held,) = room.mine()["cases"]
    stage = Staged(room, built)
    stage.load()
    page, case = stage.page, held["case"]
    first, usable = page.evaluate(OPEN, [case, options.slices // 2])
    waits = sorted(page.evaluate(SCROLL, min(SCROLLS, options.slices // 2 - 1)))
    planes = page.evaluate(PLANES)
    plane_waits = sorted(page.evaluate(SCROLL, min(SCROLLS, options.slices // 4)))
    page.evaluate(CYCLE, [case, SETTLING_OPENINGS])
    before = heap_mb(page)
    page.evaluate(CYCLE, [case, options.openings])
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "browser": f"Chromium {chromium.version}",
        "viewport": f"{options.width}×{options.height}",
        "slices": options.slices,
        "first_slice_s": round(first / 1000, 2),
        "all_slices_s": round(usable / 1000, 2),
        "next_slice_ms_median": round(statistics.median(waits)),
        "planes_ms": round(planes),
        "next_slice_in_planes_ms_median": round(statistics.median(plane_waits)),
        "openings": options.openings,
        "heap_growth_mb": round(heap_mb(page) - before, 1),
    }


def main() -> None:
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--openings", type=int, default=100)
    parser.add_argument("--width", type=int, default=700)
    parser.add_argument("--height", type=int, default=500)
    options = parser.parse_args()
    build_front_end()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built = build_stage(folder / "stage")
        with serving(folder / "home") as fovea, running_chromium() as chromium:
            project_id = prepare(
                fovea, phantom(folder / "ct", options.slices), PROJECT, [READER], choices="yes,no"
            )
            found = measure(chromium, fovea, project_id, built, options)
            print(json.dumps(found, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
