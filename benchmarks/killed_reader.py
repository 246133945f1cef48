"""A reader's browser on one profile: opened, killed at random moments, opened again, and what it has kept."""

import contextlib
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Error, Playwright

from benchmarks.killing import kill_all, tree_of
from benchmarks.working_reader import Reader, Work
from tests.browser.reading import VIEWPORT, Room, sign_in_here
from tests.browser.serving import Fovea

READER = "reader"
KILL_AFTER_SECONDS = (0.5, 14.0)
# The share of kills that come the moment an answer is confirmed, not at any.
KILLED_AT_ENTER = 0.3
DYING_SECONDS = 1.0
SETTLED = """() => {
  const { saving } = document.querySelector(".saving").dataset;
  return document.querySelector(".stage").dataset.phase !== "loading" && ["ok", "none"].includes(saving);
}"""
SUBMITTED = """
import json
from annotation.readings.models import Reading
made = Reading.objects.filter(case__project={project!r})
print(json.dumps({{one.case.number: one.revisions.latest("number").answers for one in made}}))
"""


@dataclass
class Kill:
    """One browser that was killed while a reader worked."""

    project_id: str
    trouble: str
    works: list[Work]
    at: float
    drafts: dict[int, Any] = field(default_factory=dict)
    lost_seconds: float = 0.0
    lost_acts: int = 0
    words: list[str] = field(default_factory=list)

    def find(self, read: dict[int, Any]) -> None:
        """Look for what was not confirmed among the drafts after the kill, and what was submitted since."""
        for work in self.works:
            found = self.drafts.get(work.number, read.get(work.number, {}))
            lost = [] if work.confirmed else work.lost(found)
            self.lost_acts += len(lost)
            self.words += [f"{self.trouble}: {in_words(work, found)}"] if lost else []
            self.lost_seconds = max([self.lost_seconds, *(self.at - act.begun for act in lost)])


@dataclass
class Bench:
    """The system, its two projects, and what the reader did in them."""

    fovea: Fovea
    projects: list[str]
    playwright: Playwright
    profile: Path
    draw: random.Random
    confirmed: list[tuple[str, Work]] = field(default_factory=list)

    @contextlib.contextmanager
    def browser(self) -> Iterator[BrowserContext]:
        """Start Chromium on the one profile; it may be dead at the end."""
        debian = Path("/usr/bin/chromium")
        context = self.playwright.chromium.launch_persistent_context(
            self.profile,
            executable_path=debian if debian.exists() else None,
            args=["--no-sandbox"],
            viewport=VIEWPORT,
        )
        context.set_default_timeout(60_000)
        yield context
        with contextlib.suppress(Error):
            context.close()

    def room(self, context: BrowserContext, project_id: str) -> Room:
        """Open a project's room, signing in where asked, and wait until all that was kept is sent."""
        room = Room.of(context, self.fovea.url, project_id)
        room.page.goto(f"{room.url}/projects/{project_id}/read")
        if "sign-in" in room.page.url:
            sign_in_here(room.page, READER)
            room.page.goto(f"{room.url}/projects/{project_id}/read")
        room.shown()
        room.page.wait_for_function(SETTLED)
        return room

    def drafts(self, room: Room) -> dict[int, Any]:
        """Ask for drafts of the cases that the reader holds."""
        return {
            one["case"]["number"]: (one["draft"] or {}).get("answers", {}) for one in room.mine()["cases"]
        }

    def submitted(self, project_id: str) -> dict[int, Any]:
        """All readings, by the case's number."""
        found: dict[str, Any] = json.loads(self.fovea.run(SUBMITTED.format(project=project_id)))
        return {int(number): answers for number, answers in found.items()}

    def note(self, project_id: str, works: list[Work]) -> None:
        """Remember what was confirmed."""
        self.confirmed += [(project_id, work) for work in works if work.confirmed]

    def kill_once(self, project_id: str, trouble: str, before: Kill | None) -> Kill:
        """See what the kill before has left, let the reader work on, kill the browser at a random moment."""
        with self.browser() as context:
            room = self.room(context, before.project_id if before else project_id)
            if before:
                before.drafts = self.drafts(room)
            if room.project_id != project_id:
                room.page.close()
                room = self.room(context, project_id)
            kill = self.killed(room, trouble)
        self.note(project_id, kill.works)
        return kill

    def look_after(self, kills: list[Kill]) -> None:
        """Find what every kill has cost."""
        with self.browser() as context:
            kills[-1].drafts = self.drafts(self.room(context, kills[-1].project_id))
        read = {project_id: self.submitted(project_id) for project_id in self.projects}
        for kill in kills:
            kill.find(read[kill.project_id])

    def killed(self, room: Room, trouble: str) -> Kill:
        """Work until the browser dies: under the reader's hands, or as the next case is there."""
        reader = Reader(room, self.draw, self.drafts(room))
        delay = self.draw.uniform(*KILL_AFTER_SECONDS)
        trouble_at = time.monotonic() + delay * self.draw.random()
        between = once_after(trouble_at, lambda: trouble_begins(room, trouble))
        if self.draw.random() < KILLED_AT_ENTER:
            moment = self.at_enter(reader, between, time.monotonic() + delay)
        else:
            moment = self.at_any_moment(reader, between, delay)
        return Kill(room.project_id, trouble, reader.done, moment)

    def at_any_moment(self, reader: Reader, between: Callable[[], None], delay: float) -> float:
        """Kill the browser after a delay, whatever the reader does then."""
        moments: list[float] = []
        timer = threading.Timer(delay, lambda: moments.append(kill_all(tree_of(self.profile))))
        timer.start()
        try:
            while timer.is_alive():
                reader.read(between=between)
        except (Error, AssertionError):
            time.sleep(DYING_SECONDS)
            if not moments:
                raise
        timer.join()
        return moments[-1]

    def at_enter(self, reader: Reader, between: Callable[[], None], earliest: float) -> float:
        """Kill the browser at once when an answer is confirmed: nothing may be only in its memory."""
        while True:
            dying = tree_of(self.profile)
            reader.read(between=between)
            is_out_of_cases = reader.room.page.get_attribute(".stage", "data-phase") == "waiting"
            if time.monotonic() >= earliest or is_out_of_cases:
                return kill_all(dying)

    def away(
        self, project_id: str, leave: Callable[[Room], None], back: Callable[[Room], None]
    ) -> list[Work]:
        """Read on while something is away until nothing more is at hand; then look for the work."""
        with self.browser() as context:
            room = self.room(context, project_id)
            reader = Reader(room, self.draw, self.drafts(room))
            leave(room)
            for confirms in (True, True, False):
                reader.read(between=lambda: None, confirms=confirms)
            back(room)
            room.page.bring_to_front()
            room.page.wait_for_function(SETTLED)
            drafts = self.drafts(room)
        self.note(project_id, reader.done)
        last = reader.done[-1]
        assert not last.lost(drafts[last.number]), (
            f"lost of case {last.number}: {last.lost(drafts[last.number])}"
        )
        return reader.done

    def confirmed_lost(self) -> list[str]:
        """Say which confirmed answers the server does not hold whole, and which were confirmed twice."""
        read = {project_id: self.submitted(project_id) for project_id in self.projects}
        compared = [(project, work, read[project].get(work.number, {})) for project, work in self.confirmed]
        seen = [(project, work.number) for project, work in self.confirmed]
        return [
            in_words(work, found) + f"; confirmed {seen.count((project, work.number))} times"
            for project, work, found in compared
            if work.lost(found)
        ]

    def changed_by_the_page(self) -> list[int]:
        """Cases whose choice on screen at Enter was not the one that was clicked."""
        return [work.number for _, work in self.confirmed if work.shown != work.finding]


def in_words(work: Work, found: dict[str, Any]) -> str:
    """Say which acts on a case are not in what was found of it."""
    kinds = [act.kind for act in work.acts]
    return (
        f"case {work.number}: of {kinds} {[act.kind for act in work.lost(found)]} are not in {sorted(found)}"
    )


def once_after(moment: float, act: Callable[[], None]) -> Callable[[], None]:
    """Make something that acts at its first call after a moment."""
    waiting = [act]

    def between() -> None:
        if waiting and time.monotonic() >= moment:
            waiting.pop()()

    return between


def trouble_begins(room: Room, trouble: str) -> None:
    """Cut the connection, or forget who is signed in."""
    if trouble == "offline":
        room.page.context.set_offline(True)
    if trouble == "signed_out":
        room.page.context.clear_cookies()
