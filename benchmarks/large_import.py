"""An import of very many small images, killed in the middle and taken up again: rate, memory, each file once.

    python -m benchmarks.large_import [--files 100000] [--side 64]

The images are grey noise, each another one. The importing process is killed (SIGKILL) when half of them are
counted, and started again as a worker would. All is written under a data directory of its own, deleted at the
end. Memory is what the importing process has for itself, in MiB, its two fork servers apart; SQLite's
cache (64 MiB) fills with the first 15,000 files or so.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from tests.browser.serving import Fovea, free_port, system_in
from tests.servers import ROOT

FOLDER_FILES, SAMPLES, WARM = 1000, 25, 0.4
OPEN = """
from pathlib import Path
from django.utils import timezone
from annotation.exchange.imports import open_delivery, project_named
now = timezone.now()
choices = [("a", "A"), ("b", "B")]
project = project_named(name="many", source=Path({folder!r}), choices=choices, created_by=None, now=now)
print(open_delivery(project=project, source_name="many", requested_by=None, now=now).pk)
"""
RUN = """
from pathlib import Path
from annotation.exchange.imports import run_delivery
report = run_delivery({delivery!r}, source=Path({folder!r}), progress=lambda _, told: print(told, flush=True))
"""
COUNT = """
import json
from annotation.studies.models import Import, ImportedFile, Instance
found = Import.objects.values("total", "stored", "duplicate", "quarantined", "state").get(pk={delivery!r})
lines = ImportedFile.objects.filter(delivery={delivery!r})
print(json.dumps(found | {{"lines": lines.count(), "instances": Instance.objects.count()}}))
"""


@dataclass
class Run:
    """One process' part of the import. resident, servers: files counted → MiB."""

    begun_at: int = 0
    ended_at: int = 0
    seconds: float = 0.0
    resident: dict[int, float] = field(default_factory=dict)
    servers: dict[int, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Files a second."""
        return round((self.ended_at - self.begun_at) / self.seconds, 1)

    @property
    def growth(self) -> float:
        """MiB that 10,000 files add, once a first part has gone by."""
        warm = self.begun_at + WARM * (self.ended_at - self.begun_at)
        kept = {done: size for done, size in self.resident.items() if done >= warm}
        if len(kept) < 2:
            return 0.0
        return round(float(np.polyfit(list(kept), list(kept.values()), 1)[0]) * 10_000, 2)


def main() -> None:
    """Import, kill, go on, and print what came of it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--side", type=int, default=64)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fovea-large-import-") as home:
        folder = Path(home, "images")
        make(folder, options.files, options.side)
        path = f"{ROOT / 'platform'}{os.pathsep}{ROOT}"
        system = system_in(Path(home, "fovea"), free_port(), PYTHONPATH=path, FOVEA_LOG_LEVEL="ERROR")
        system.manage("migrate", "--verbosity", "0")
        delivery = system.run(OPEN.format(folder=str(folder)))
        code = RUN.format(delivery=delivery, folder=str(folder))
        half = options.files // 2
        runs = [run(system, code, half, killed=True), run(system, code, half)]
        counted = json.loads(system.run(COUNT.format(delivery=delivery)))
    print(json.dumps(figures(runs, counted), indent=1))


def make(folder: Path, files: int, side: int) -> None:
    """Write the images, some to a folder."""
    for number in range(files):
        where = folder / f"{number // FOLDER_FILES:04d}"
        where.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (side, side), dtype=np.uint8)
        Image.fromarray(pixels).save(where / f"{number:06d}.png", compress_level=1)


def run(system: Fovea, code: str, half: int, *, killed: bool = False) -> Run:
    """Import in a process of its own, to the end, or until half of the files are counted and it is killed."""
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    done = Run()
    begun = time.monotonic()
    with subprocess.Popen(
        command, cwd=ROOT, env=system.environment, stdout=subprocess.PIPE, text=True
    ) as one:
        for line in one.stdout or ():
            count = int(line.split(" ")[0])
            done.begun_at, done.ended_at = done.begun_at or count, count
            if count >= max(done.resident, default=-half) + half // SAMPLES:
                done.resident[count] = resident(one.pid)
                done.servers[count] = max(map(resident, children(one.pid)), default=0.0)
            if killed and count >= half:
                one.kill()
                break
    if not killed and one.returncode != 0:
        raise RuntimeError(f"the import ended with {one.returncode}")
    done.seconds = time.monotonic() - begun
    return done


def children(process: int) -> list[int]:
    """Process ids of a process' children, of whichever of its threads."""
    found = [path.read_text().split() for path in Path(f"/proc/{process}/task").glob("*/children")]
    return [int(child) for listed in found for child in listed]


def resident(process: int) -> float:
    """MiB that a process has in memory for itself; files that it maps are the system's to drop."""
    told = Path(f"/proc/{process}/status").read_text().split("RssAnon:")[1]
    return round(int(told.split()[0]) / 1024, 1)


def figures(runs: list[Run], counted: dict[str, object]) -> dict[str, object]:
    """Put together what is told."""
    told = [
        {
            "files": [one.begun_at, one.ended_at],
            "files a second": one.rate,
            "MiB more for 10,000 files": one.growth,
            "resident MiB": one.resident,
            "a fork server's MiB": one.servers,
        }
        for one in runs
    ]
    return {
        "until it was killed": told[0],
        "taken up again": told[1],
        "counted": counted,
        "load": round(os.getloadavg()[0], 1),
        "cores": os.cpu_count(),
    }


if __name__ == "__main__":
    main()
