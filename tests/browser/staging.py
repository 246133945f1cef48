"""The stage alone in a real browser, on a running system's pixels, for tests and benchmarks of the viewer."""

import io
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, Route

from tests.browser.reading import Room
from tests.servers import ROOT

FRONT_END = ROOT / "frontend"
HTML = """<!doctype html><html lang="en" data-theme="dark"><head><meta charset="utf-8"><title>Stage</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/bench/fovea.css"><link rel="stylesheet" href="/bench/read.css">
<link rel="stylesheet" href="/bench/viewer.css"><style>html, body { margin: 0; height: 100% }</style></head>
<body><div class="canvas"></div><script type="module" src="/bench/stage.js"></script></body></html>"""
KINDS = {".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm"}
Picture = NDArray[np.uint8]


def build_stage(folder: Path) -> Path:
    """Build the page's script into a folder."""
    npx = shutil.which("npx")
    assert npx, "there is no npx: run `make run` once"
    command = [npx, "vite", "build", "--config", "bench/vite.config.ts", "--outDir", str(folder)]
    subprocess.run([*command, "--logLevel", "error"], cwd=FRONT_END, check=True, capture_output=True)
    return folder


@dataclass
class Staged:
    """A stage that shows one case of a signed-in reader."""

    room: Room
    built: Path

    @property
    def page(self) -> Page:
        return self.room.page

    def load(self, *, webgl: bool = True) -> None:
        """Open the page; without WebGL2 where a browser is to have none."""
        self.page.route("**/bench/**", self.answer)
        if not webgl:
            self.page.add_init_script(
                "const get = HTMLCanvasElement.prototype.getContext;"
                "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {"
                " return kind.startsWith('webgl') ? null : get.call(this, kind, ...rest) }"
            )
        self.page.goto(f"{self.room.url}/bench/page")
        self.page.wait_for_function("window.bench !== undefined")

    def answer(self, route: Route) -> None:
        name = route.request.url.partition("/bench/")[2]
        if name == "page":
            route.fulfill(body=HTML, content_type="text/html")
            return
        kind = KINDS[Path(name).suffix]
        path = (FRONT_END / "static" / "css" if kind == "text/css" else self.built) / name
        route.fulfill(body=path.read_bytes(), content_type=kind)

    def run(self, code: str, value: Any = None) -> Any:
        """Run code with the stage as `stage`; returns its value."""
        return self.page.evaluate(
            f"async value => {{ const {{ stage, frames, open }} = bench; {code} }}", value
        )

    def open(self, case: dict[str, Any], index: int | None = None) -> None:
        """Show a case from its middle on, and wait for all of its frames."""
        count = sum(instance["frames"] for instance in case["instances"])
        at = (count - 1) // 2 if index is None else index
        self.page.evaluate("([view, at]) => bench.open(view, at)", [case, at])
        self.page.wait_for_function("n => bench.stage.view().loaded === n", arg=count)

    def view(self) -> dict[str, Any]:
        return dict(self.run("return stage.view()"))

    def settle(self) -> None:
        """Let two animation frames pass: what was asked is drawn."""
        self.page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")

    def drag(self, *places: tuple[float, float], button: Any = "left") -> None:
        mouse = self.page.mouse
        mouse.move(*places[0])
        mouse.down(button=button)
        for place in places[1:]:
            mouse.move(*place, steps=4)
        mouse.up(button=button)
        self.settle()

    def click(self, *places: tuple[float, float]) -> None:
        for place in places:
            self.page.mouse.move(*place)
            self.page.mouse.down()
            self.page.mouse.up()
        self.settle()

    def screen(self) -> Picture:
        """What is on the screen: (row, column, 3)."""
        self.settle()
        shot = self.page.screenshot()
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"))

    def on_screen(self, pane: int, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        """Screen places of a frame's pixels (SCOORD), as the mask's matrix lays them."""
        found = self.page.evaluate(
            "([pane, points]) => { const element = document.querySelectorAll('.pane')[pane];"
            " const m = new DOMMatrix(element.querySelector('.mask').style.transform);"
            " const at = element.getBoundingClientRect();"
            " return points.map(([x, y]) => { const p = m.transformPoint({ x, y });"
            " return [p.x + at.left, p.y + at.top] }) }",
            [pane, points],
        )
        return [(x, y) for x, y in found]
