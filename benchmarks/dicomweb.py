"""DICOMweb against Orthanc (Debian's package) on the same machine, with the same client, in one run.

    python -m benchmarks.dicomweb [store] [frames] [search] [--slices N] [--seconds S] [--instances N]
                                [--database sqlite|postgresql]

store:  STOW-RS of CT slices (FOVEA_DATA/chest_ct, 512 × 512, 16 bit, each under a UID of its own); ours are
        de-identified in the sandbox and normalised, Orthanc stores them as they are. Then what sandbox and
        de-identification cost, a slice.
frames: WADO-RS frames a second, 25 clients that each ask for one random frame after the other. Then ours
        while searches are made, whose audit events are writes, and with a header that differs each time:
        then Django is asked for every frame.
search: QIDO-RS on so many instances, the requests of a viewer and of scripts.
"""

import argparse
import io
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from pydicom import dcmread, dcmwrite
from pydicom.uid import UID

from benchmarks.dicomweb_frames import CLIENTS, SEARCHES_A_SECOND, frame_rate, searching
from benchmarks.dicomweb_peers import JSON, Peer, peers, together
from tests.browser.serving import Fovea
from tests.real import real_images

PARTS = ("store", "frames", "search")
CONNECTIONS, AT_ONCE, REQUESTS_A_TURN = 2, 50, 20
FILL = "from benchmarks.dicomweb_fill import fill; print(fill({project!r}, {instances}))"


def main() -> None:
    """Measure what is named, or all."""
    options = arguments()
    with peers(options.database) as (ours, theirs, system):
        if {"store", "frames"} & set(options.parts):
            store(options, ours, theirs)
        if "store" in options.parts:
            costs()
        if "frames" in options.parts:
            compare_frames(options.seconds, ours, theirs)
        if "search" in options.parts:
            search(ours, system, options.instances)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=PARTS)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--slices", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--instances", type=int, default=100_000)
    options = parser.parse_args()
    if set(options.parts) - set(PARTS):
        parser.error(f"parts are {', '.join(PARTS)}")
    return options


def report(what: str, figures: object) -> None:
    """Print one line of JSON."""
    print(
        json.dumps({what: figures, "load": round(os.getloadavg()[0], 1), "cores": os.cpu_count()}), flush=True
    )


def slices(count: int) -> Iterator[bytes]:
    """Real slices, each under a SOP Instance UID of its own, in series of 200."""
    read = [dcmread(path) for path in sorted((real_images() / "chest_ct").rglob("*.dcm"))]
    for number in range(count):
        one = read[number % len(read)]
        one.SOPInstanceUID = UID(f"1.2.826.0.1.3680043.10.995.{number + 1}")
        one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
        one.SeriesInstanceUID = UID(f"1.2.826.0.1.3680043.10.994.{number // 200 + 1}")
        one.InstanceNumber = number + 1
        stream = io.BytesIO()
        dcmwrite(stream, one)
        yield stream.getvalue()


def store(options: argparse.Namespace, ours: Peer, theirs: Peer) -> None:
    """Store the same slices in both, in requests of AT_ONCE over CONNECTIONS connections, by turns.

    By turns, since what else the machine does changes from minute to minute.
    """
    files = list(slices(options.slices))
    bodies = [multipart(files[place : place + AT_ONCE]) for place in range(0, len(files), AT_ONCE)]
    for one in (ours, theirs):  # starts what starts with the first files, and is not counted
        stored(one, [multipart([other]) for other in strangers()])
    seconds = dict.fromkeys((ours.name, theirs.name), 0.0)
    for place in range(0, len(bodies), REQUESTS_A_TURN):
        for one in (ours, theirs):
            seconds[one.name] += stored(one, bodies[place : place + REQUESTS_A_TURN])
    rates = {name: round(len(files) / spent, 1) for name, spent in seconds.items()}
    report("slices stored a second", compared(rates, ours, theirs))


def compared(rates: dict[str, float], ours: Peer, theirs: Peer) -> dict[str, float]:
    """Add our share of Orthanc's rate."""
    return rates | {"share": round(rates[ours.name] / rates[theirs.name], 2)}


def strangers() -> list[bytes]:
    """One more slice for each connection, of no series of the others."""
    from tests import phantoms

    return [phantoms.dicom(phantoms.a_slice(number + 1)) for number in range(CONNECTIONS)]


def multipart(files: Sequence[bytes]) -> bytes:
    """Write the body of a request to store."""
    head = b"--bench\r\nContent-Type: application/dicom\r\n\r\n"
    return b"".join(head + one + b"\r\n" for one in files) + b"--bench--\r\n"


def stored(peer: Peer, bodies: Sequence[bytes]) -> float:
    """Seconds until all is answered."""
    waiting = list(bodies)

    def send() -> None:
        connection = peer.connection()
        while waiting:
            peer.request(connection, "/studies", JSON, waiting.pop())

    begun = time.perf_counter()
    together([send] * CONNECTIONS)
    return time.perf_counter() - begun


def costs(count: int = 192) -> None:
    """Measure what a slice costs at the door, in ms: in a process like the child's, and in the sandbox."""
    from annotation.studies.door.admission import admit
    from annotation.studies.door.child import prepare
    from annotation.studies.door.deidentify import deidentified
    from annotation.studies.door.pseudonyms import Identity
    from annotation.studies.door.verdict import Order

    prepare()
    files = [io.BytesIO(one) for one in slices(count)]
    order = Order(key="00" * 32, source_digest="00" * 32)
    begun = time.perf_counter()
    for one in files:
        admit(order, one, io.BytesIO(), io.BytesIO())
    alone = time.perf_counter() - begun
    parsed = [dcmread(io.BytesIO(one.getvalue())) for one in files]
    begun = time.perf_counter()
    for header in parsed:
        deidentified(header, Identity(bytes(32), "P0"))
    cleaned = time.perf_counter() - begun
    sandboxed = sandbox_seconds([one.getvalue() for one in files])
    told = {"admitted": alone, "of it de-identified": cleaned, "through the sandbox": sandboxed}
    report(
        "ms a slice at the door, one process",
        {name: round(1000 * one / count, 2) for name, one in told.items()},
    )


def sandbox_seconds(files: Sequence[bytes]) -> float:
    """Have files judged by one fork server, as many a child as it takes, and tell the time."""
    from annotation.studies.door.limits import BATCH_FILES
    from annotation.studies.door.sandbox import Sandbox
    from annotation.studies.door.verdict import Order

    order = Order(key="00" * 32, source_digest="00" * 32)
    with Sandbox(1) as door, tempfile.TemporaryDirectory() as folder, ExitStack() as streams:
        opened = []
        for number, one in enumerate(files):
            path = Path(folder, str(number))
            path.write_bytes(one)
            opened.append(streams.enter_context(path.open("rb")))
        with door.judge([(order, opened[0])]):
            pass
        begun = time.perf_counter()
        for place in range(0, len(files), BATCH_FILES):
            with door.judge([(order, one) for one in opened[place : place + BATCH_FILES]]):
                pass
        return time.perf_counter() - begun


def compare_frames(seconds: float, ours: Peer, theirs: Peer) -> None:
    """Compare frames a second, then give ours where it is harder."""
    rates = {one.name: frame_rate(one, seconds) for one in (ours, theirs)}
    report(f"frames a second, {CLIENTS} clients", compared(rates, ours, theirs))
    with searching(ours):
        harder = {f"with {SEARCHES_A_SECOND} searches a second": frame_rate(ours, seconds)}
    harder["where Django is asked for each"] = frame_rate(ours, seconds, is_each_of_its_own=True)
    report("our frames a second", harder)


def search(ours: Peer, system: Fovea, instances: int) -> None:
    """Time of each kind of search on so many instances, in ms."""
    project = urlsplit(ours.root).path.rpartition("/")[2]
    count = int(system.run(FILL.format(project=project, instances=instances)))
    connection = ours.connection()
    rows = json.loads(ours.request(connection, "/studies?limit=500&offset=1000", JSON))
    chosen = random.Random(0)
    times: dict[str, list[float]] = {}
    for _ in range(30):
        one = chosen.choice(rows)
        study, patient, date = (one[tag]["Value"][0] for tag in ("0020000D", "00100020", "00080020"))
        for what, path in requests(study, patient, date, chosen.randrange(1500)).items():
            begun = time.perf_counter()
            ours.request(connection, path, JSON)
            times.setdefault(what, []).append(1000 * (time.perf_counter() - begun))
    every = [one for listed in times.values() for one in listed]
    report(
        f"ms a search of {count} instances",
        {"p95 of all": p95(every)} | {f"p95 {what}": p95(listed) for what, listed in times.items()},
    )


def requests(study: str, patient: str, date: str, offset: int) -> dict[str, str]:
    """List what viewers and scripts ask."""
    return {
        "first page of studies": "/studies?limit=101&offset=0&includefield=00081030,00080060",
        "another page": f"/studies?limit=101&offset={offset}",
        "by patient": f"/studies?PatientID={patient}",
        "by part of a name": f"/studies?PatientName=*{patient[5:11]}*&limit=101",
        "by days": f"/studies?StudyDate={date}-{date}&limit=101",
        "by modality": "/studies?ModalitiesInStudy=MR&limit=101",
        "series of a study": f"/studies/{study}/series?includefield=all",
        "instances of a study": f"/studies/{study}/instances",
        "series of a modality": "/series?Modality=CT&limit=100",
        "instances, a page": f"/instances?limit=100&offset={offset}",
        "instances of a modality": "/instances?Modality=MR&limit=100",
    }


def p95(times: Sequence[float]) -> float:
    """Give the 95th percentile."""
    return round(statistics.quantiles(times, n=20)[-1], 1)


if __name__ == "__main__":
    main()
