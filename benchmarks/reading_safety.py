"""Whether anything that a reader did is ever lost: killed browsers, no connection, no server, no session.

python -m benchmarks.reading_safety [--kills 50] [--minutes 600] [--away 180] [--seed 1]
Real X-rays and micrographs (FOVEA_DATA) through the real import, a real server, and a real Chromium with a
profile on disk. A reader answers, writes, draws and paints. Chromium's whole process tree is killed
(SIGKILL) at random moments, three in ten of them the moment an answer is confirmed: a third with a
connection, a third offline for a while, a third with the session gone. It is started again with the same
profile, and the reader signs in where asked. A confirmed answer is one after which the next case came on
screen. Seconds lost: from the beginning of the oldest act that is not there again to the kill. Then the
reader reads on offline, with the server's process stopped, and after the session has ended.
"""

import argparse
import contextlib
import json
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks.killed_reader import READER, Bench, Kill
from benchmarks.working_reader import ASKED, Work
from tests.browser.desk import ask
from tests.browser.reading import Room, small_delivery
from tests.browser.serving import Fovea, build_front_end, free_port, running, system_in
from tests.real import real_images
from tests.servers import ROOT

TROUBLES = ("none", "offline", "signed_out")
SIGN_OUT = "from django.contrib.sessions.models import Session; Session.objects.all().delete(); print(0)"


def import_projects(fovea: Fovea, folder: Path, cases: int) -> list[str]:
    """X-rays, and micrographs in a folder of their own."""
    chest = small_delivery(real_images() / "chest_xray", folder / "chest", cases)
    nuclei = folder / "nuclei"
    nuclei.mkdir()
    for path in sorted((real_images() / "nuclei" / "images").glob("*.png"))[:cases]:
        shutil.copy(path, nuclei)
    return [
        ask(fovea, chest, "Safety, chest", [READER], ASKED, modality="DX"),
        ask(fovea, nuclei, "Safety, nuclei", [READER], ASKED, modality="GM", choices="a,b"),
    ]


def web_command(fovea: Fovea) -> list[str]:
    """Run the web process alone."""
    port = fovea.url.rpartition(":")[2]
    return ["-m", "uvicorn", "config.asgi:application", "--port", port, "--log-level", "error"]


def without_server(bench: Bench, web: contextlib.ExitStack, seconds: float) -> list[Work]:
    """Stop the web process while the reader reads, and start it again."""

    def back(_: Room) -> None:
        time.sleep(seconds)
        web.enter_context(running(bench.fovea, web_command(bench.fovea)))

    return bench.away(bench.projects[0], lambda _: web.close(), back)


def without_connection(bench: Bench, seconds: float) -> list[Work]:
    """Take the browser offline while the reader reads."""

    def back(room: Room) -> None:
        time.sleep(seconds)
        room.page.context.set_offline(False)

    return bench.away(bench.projects[1], lambda room: room.page.context.set_offline(True), back)


def without_session(bench: Bench) -> list[Work]:
    """End every session while the reader reads; the reader signs in again in another tab."""

    def back(room: Room) -> None:
        again = Room.of(room.page.context, room.url, room.project_id)
        again.sign_in(READER)
        again.page.close()

    return bench.away(bench.projects[0], lambda _: print(end="", flush=bool(bench.fovea.run(SIGN_OUT))), back)


def report(bench: Bench, kills: list[Kill], away: dict[str, list[Work]]) -> dict[str, Any]:
    """Say what was done and what was lost of it."""
    seconds = [kill.lost_seconds for kill in kills] or [0.0]
    lost = bench.confirmed_lost()
    works = [work for kill in kills for work in kill.works] + [
        work for all_ in away.values() for work in all_
    ]
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "kills": {trouble: sum(kill.trouble == trouble for kill in kills) for trouble in TROUBLES},
        "acts": sum(len(work.acts) for work in works),
        "strokes_and_boxes": sum(len(work.of("stroke") + work.of("box")) for work in works),
        "confirmed_answers": len(bench.confirmed),
        "confirmed_answers_lost": len(lost),
        "choices_changed_by_the_page": bench.changed_by_the_page(),
        "lost": lost + [words for kill in kills for words in kill.words],
        "kills_that_lost_an_act": sum(kill.lost_acts > 0 for kill in kills),
        "seconds_lost_max": round(max(seconds), 2),
        "seconds_lost_median": round(statistics.median(seconds), 2),
        "read_while_away": {name: sum(work.confirmed for work in works) for name, works in away.items()},
    }


def measure(bench: Bench, web: contextlib.ExitStack, options: argparse.Namespace) -> dict[str, Any]:
    kills: list[Kill] = []
    start = time.monotonic()
    for number in range(options.kills):
        trouble, project_id = TROUBLES[number % len(TROUBLES)], bench.projects[number // len(TROUBLES) % 2]
        kills.append(bench.kill_once(project_id, trouble, kills[-1] if kills else None))
        print(f"{number + 1} of {options.kills}", file=sys.stderr, flush=True)
        if time.monotonic() > start + 60 * options.minutes:
            break
    bench.look_after(kills)
    away = {
        "offline": without_connection(bench, options.away),
        "server_stopped": without_server(bench, web, options.away),
        "session_ended": without_session(bench),
    }
    return report(bench, kills, away)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--cases", type=int, default=110, help="of each kind")
    parser.add_argument("--minutes", type=float, default=600, help="no more kills after")
    parser.add_argument("--away", type=float, default=180)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    build_front_end()
    with (
        tempfile.TemporaryDirectory() as name,
        contextlib.ExitStack() as web,
        sync_playwright() as playwright,
    ):
        folder = Path(name)
        path = f"{ROOT / 'platform'}{os.pathsep}{ROOT}"
        fovea = system_in(folder / "home", free_port(), PYTHONPATH=path, FOVEA_LOG_LEVEL="ERROR")
        fovea.manage("migrate", "--verbosity", "0")
        projects = import_projects(fovea, folder, options.cases)
        web.enter_context(running(fovea, web_command(fovea)))
        bench = Bench(fovea, projects, playwright, folder / "profile", random.Random(options.seed))
        print(json.dumps(measure(bench, web, options), indent=2))


if __name__ == "__main__":
    main()
