"""Files a second of an import: sandbox, de-identification, durable storage and database included.

    python benchmarks/import_rate.py [--pictures 1000] [--slices 200] [--json]

Pictures are those of FOVEA_DATA/chest_xray as PNG where that folder is there, else phantoms. Slices are
phantoms of 512 × 512, 16 bit. All is written under a data directory of its own, deleted at the end.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]


@dataclass(frozen=True)
class Figure:
    """One measured import.

    load:         the machine's load average when it began: other work slows the import down.
    cpu_ms_a_file: processor time of all its processes, which other work changes little.
    """

    what: str
    files: int
    seconds: float
    files_a_second: float
    cpu_ms_a_file: float
    reach: float
    load: float
    stored: int
    machine: str


def main() -> None:
    """Measure both kinds in a fresh data directory and print the figures."""
    options = arguments()
    home = tempfile.mkdtemp(prefix="fovea-import-rate-")
    os.environ |= {"FOVEA_HOME": home, "DJANGO_SETTINGS_MODULE": "config.settings.embedded"}
    try:
        figures = list(measured(options, Path(home) / "sources"))
    finally:
        shutil.rmtree(home)
    if options.json:
        print(json.dumps([asdict(figure) for figure in figures]))
    for figure in [] if options.json else figures:
        print(
            f"{figure.what}: {figure.files} files in {figure.seconds:.1f} s ="
            f" {figure.files_a_second:.0f} a second (reach {figure.reach:.0f}), {figure.cpu_ms_a_file:.1f} ms"
            f" processor time each; load {figure.load:.1f}, {figure.machine}"
        )


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--slices", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def measured(options: argparse.Namespace, sources: Path) -> Iterator[Figure]:
    """Make the sources, then import each kind once."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    kinds = [("small PNGs", pictures, options.pictures, 100.0), ("CT slices", slices, options.slices, 40.0)]
    for what, make, count, reach in kinds:
        folder = sources / what
        folder.mkdir(parents=True)
        make(folder, count)
        yield figure_of(what, folder, reach)


def figure_of(what: str, folder: Path, reach: float) -> Figure:
    """Import a folder and take the time."""
    from django.utils import timezone

    from annotation.exchange.imports import open_delivery, project_named, run_delivery

    load = os.getloadavg()[0]
    project = project_named(name=what, source=folder, choices=(), created_by=None, now=timezone.now())
    begun, used = time.perf_counter(), processor_seconds()
    delivery = open_delivery(project=project, source_name=what, requested_by=None, now=timezone.now())
    report = run_delivery(delivery.pk, source=folder, progress=lambda _fraction, _message: None)
    seconds = time.perf_counter() - begun
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    return Figure(
        what=what,
        files=report.total,
        seconds=round(seconds, 2),
        files_a_second=round(report.total / seconds, 1),
        cpu_ms_a_file=round(1000 * (processor_seconds() - used) / report.total, 1),
        reach=reach,
        load=round(load, 1),
        stored=report.stored,
        machine=machine,
    )


def processor_seconds() -> float:
    """Processor time of this process and of its children that have ended, in user mode and in the kernel."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(kind)[:2]) for kind in kinds)


def pictures(folder: Path, count: int) -> None:
    """Write small grey PNGs, each another one."""
    from tests import phantoms
    from tests.real import real_images

    known = sorted((real_images() / "chest_xray" / "images").glob("*/*"))[:count]
    for number in range(count):
        target = folder / f"{number:05d}.png"
        if number < len(known):
            Image.open(known[number]).convert("L").save(target)
        else:
            target.write_bytes(phantoms.png(phantoms.chest(number, rows=224, columns=200)))


def slices(folder: Path, count: int) -> None:
    """Write one series of 512 × 512, signed 16 bit."""
    from tests import phantoms

    noise = np.random.default_rng(0).integers(-50, 50, (512, 512), dtype=np.int16)
    trunk = phantoms.chest(0, rows=512, columns=512, bits=16).astype(np.int16) // 64
    for number in range(1, count + 1):
        made = phantoms.a_slice(number)
        phantoms.fill(made, trunk + np.roll(noise, number, axis=1))
        (folder / f"{number:05d}.dcm").write_bytes(phantoms.dicom(made))


if __name__ == "__main__":
    main()
