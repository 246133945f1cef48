"""Files through the door and into the file store; no row is written here.

Reading, judging and storing overlap: while one batch is being written, the next is with the fork servers.
"""

import errno
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO, Protocol

from django.conf import settings

from annotation.studies import files
from annotation.studies.door.limits import BATCH_BYTES, BATCH_FILES
from annotation.studies.door.options import known_options
from annotation.studies.door.sandbox import Admission, Sandbox
from annotation.studies.door.text import TextFinder
from annotation.studies.door.verdict import LOOK, Order, Verdict, rejected
from annotation.studies.forms import packed_into
from annotation.studies.keys import dataset_key, source_digest
from annotation.studies.models import Dataset, Instance, QuarantinedFile
from annotation.studies.originals import sealed_into

PROCESSES = 2
THREADS = 4  # two wait for the fork servers while two store what came back

# What is wrong with the machine says nothing about a file: the delivery breaks off, and comes in again later.
MACHINE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOMEM})


class Deliverable(Protocol):
    """One file of a delivery."""

    @property
    def path(self) -> str:
        """Where it lies in the delivery."""

    @property
    def size(self) -> int:
        """Bytes, as announced."""

    def open(self) -> BinaryIO:
        """Give the file's bytes, in a real file.

        raises: UnreadableFileError, OSError.
        """


class UnreadableFileError(Exception):
    """A file of a delivery cannot be opened; the message says why, without its name."""


@dataclass(frozen=True)
class Arrival:
    """A file and what its delivery's table says about it.

    patient: a pseudonym, or "" to ask the file. note: what the report says of it even where it is stored.
    """

    file: Deliverable
    patient: str = ""
    split: str = ""
    note: str = ""


@dataclass(frozen=True)
class Treatment:
    """How a delivery's files are taken (see Order), and whether a human has cleared the pixels.

    options: of de-identification; None = those of the data set now. proposes: whether boxes are proposed over
    the text of what waits, about a second an image; where every image is searched, it is done all the same.
    """

    modality: str = "OT"
    pictures_cleared: bool = False
    pixels_cleared: bool = False
    study: str = ""
    options: Sequence[str] | None = None
    masks: Sequence[Sequence[int]] = ()
    proposes: bool = True


@dataclass(frozen=True)
class Judged:
    """What the door said of one file. Its bytes are in the store already; its rows are not.

    verdict: None for a file that the data set knows already.
    digest:  SHA-256 of the stored file, "" where it was not admitted.
    original_bytes: of the file as it came, sealed; None where it is not kept.
    """

    arrival: Arrival
    source_digest: str
    verdict: Verdict | None
    digest: str = ""
    has_preview: bool = False
    text_boxes: list[list[int]] | None = None
    original_bytes: int | None = None


class Intake:
    """A data set's door, open for one delivery."""

    def __init__(self, dataset: Dataset, treatment: Treatment, door: Sandbox) -> None:
        self._dataset, self._treatment, self._door = dataset, treatment, door
        self._key = dataset_key(dataset.pk)
        chosen = dataset.deidentification if treatment.options is None else treatment.options
        self._options = known_options(chosen)
        searches = treatment.proposes or "pixels" in self._options
        self._finder = TextFinder(wanted=settings.FIND_TEXT and searches)

    def judged(self, batches: Iterable[Sequence[Arrival]]) -> Iterator[list[Judged]]:
        """Judge batch after batch, in order, one ahead of the caller."""
        with self._finder, ThreadPoolExecutor(THREADS) as threads:
            ahead: list[Future[list[Judged]]] = []
            for batch in batches:
                started = self._start(batch, threads)
                if ahead:
                    yield _collected(ahead)
                ahead = started
            if ahead:
                yield _collected(ahead)

    def _start(self, batch: Sequence[Arrival], threads: ThreadPoolExecutor) -> list[Future[list[Judged]]]:
        digests = list(threads.map(self._digest, batch))
        known = known_digests(self._dataset, digests, held_too=not self._treatment.pixels_cleared)
        pairs = list(zip(batch, digests, strict=True))
        return [threads.submit(self._judge, group, known) for group in _groups(pairs)]

    def _digest(self, arrival: Arrival) -> str:
        """Keyed digest, or "" for a file that cannot be read."""
        try:
            with readable(), arrival.file.open() as stream:
                return source_digest(self._key, stream)
        except UnreadableFileError:
            return ""

    def _judge(self, group: Sequence[tuple[Arrival, str]], known: set[str]) -> list[Judged]:
        with ExitStack() as opened:
            streams: dict[int, BinaryIO] = {}
            answers: dict[int, Judged] = {}
            for place, (arrival, digest) in enumerate(group):
                if digest in known:
                    answers[place] = Judged(arrival, digest, None)
                    continue
                try:
                    with readable():
                        streams[place] = opened.enter_context(arrival.file.open())
                except UnreadableFileError as error:
                    answers[place] = Judged(arrival, "", rejected(str(error)))
            orders = [(self._order(*group[place]), stream) for place, stream in streams.items()]
            admissions = opened.enter_context(self._door.judge(orders)) if orders else []
            contents: dict[str, BinaryIO] = {}
            for (place, stream), admission in zip(streams.items(), admissions, strict=True):
                answers[place], found = self._kept(*group[place], stream, admission)
                contents |= in_chosen_form(opened, answers[place], found)
                if self._dataset.keeps_originals and answers[place].digest:
                    sealed, size = sealed_into(opened, stream)
                    answers[place] = replace(answers[place], original_bytes=size)
                    contents[files.original_name(answers[place].source_digest)] = sealed
            files.put_all(contents)
        return [answers[place] for place in range(len(group))]

    def _kept(
        self, arrival: Arrival, digest: str, stream: BinaryIO, admission: Admission
    ) -> tuple[Judged, dict[str, BinaryIO]]:
        """Say what is to be stored, by name; an image that waits is searched for text first."""
        verdict = admission.verdict
        if verdict.shown is None:
            return kept(arrival, digest, stream, admission)
        found = self._finder.boxes(admission.picture, verdict.shown)
        if verdict.reason == LOOK and found == []:
            order = replace(self._order(arrival, digest), look=False)
            with ExitStack() as opened:
                [again] = opened.enter_context(self._door.judge([(order, stream)]))
                judged, contents = kept(arrival, digest, stream, again)
                files.put_all(in_chosen_form(opened, judged, contents))
                return judged, {}
        boxes = [box.edges for box in found] if found is not None else None
        judged, contents = kept(arrival, digest, stream, admission)
        return replace(judged, text_boxes=boxes), contents

    def _order(self, arrival: Arrival, digest: str) -> Order:
        return Order(
            key=self._key.hex(),
            source_digest=digest,
            patient=arrival.patient,
            modality=self._treatment.modality,
            pixels_cleared=self._treatment.pixels_cleared,
            pictures_cleared=self._treatment.pictures_cleared,
            study=self._treatment.study,
            options=self._options,
            masks=self._treatment.masks,
            look="pixels" in self._options,
        )


def in_chosen_form(
    stack: ExitStack, judged: Judged, contents: Mapping[str, BinaryIO]
) -> Mapping[str, BinaryIO]:
    """Pack an admitted image where that is how images are stored, and saves anything.

    contents: what is to be stored, by name.
    """
    name = files.instance_name(judged.digest)
    facts = judged.verdict.facts if judged.verdict else None
    if not settings.PACKED_FRAMES or facts is None or name not in contents:
        return contents
    packed = packed_into(stack, contents[name], facts)
    others = {one: stream for one, stream in contents.items() if one != name}
    return others | {files.other_form(name): packed} if packed else contents


@contextmanager
def readable() -> Iterator[None]:
    """Read a file of a delivery.

    raises: UnreadableFileError where the file is at fault; OSError where the machine is.
    """
    try:
        yield
    except OSError as error:
        if error.errno in MACHINE:
            raise
        raise UnreadableFileError("the file cannot be opened") from error


def kept(
    arrival: Arrival, source: str, stream: BinaryIO, admission: Admission
) -> tuple[Judged, dict[str, BinaryIO]]:
    """Choose what is stored, by name: what the child wrote, or a file as it came that was not let in."""
    verdict = admission.verdict
    has_picture = admission.picture.seek(0, 2) > 0
    if verdict.outcome == "admitted":
        admission.stored.seek(0)
        digest = files.digest_of(admission.stored)
        contents = {
            files.instance_name(digest): admission.stored,
            files.thumbnail_name(digest): admission.picture,
        }
        return Judged(arrival, source, verdict, digest=digest), contents
    contents = {files.quarantine_name(source): stream}
    if verdict.outcome == "pixels" and has_picture:
        contents[files.preview_name(source)] = admission.picture
        return Judged(arrival, source, verdict, has_preview=True), contents
    return Judged(arrival, source, verdict), contents


def known_digests(dataset: Dataset, digests: Sequence[str], *, held_too: bool) -> set[str]:
    """Which of these files the data set has already: stored and, where asked for, held or decided."""
    stored = Instance.objects.filter(dataset=dataset, source_digest__in=digests)
    known = set(stored.values_list("source_digest", flat=True))
    if held_too:
        held = QuarantinedFile.objects.filter(dataset=dataset, source_digest__in=digests)
        known |= set(held.values_list("source_digest", flat=True))
    return known


def _groups(pairs: Sequence[tuple[Arrival, str]]) -> Iterator[list[tuple[Arrival, str]]]:
    """Neighbours that may share a child: few and small, and about as many in each."""
    most = -(-len(pairs) // max(1, -(-len(pairs) // BATCH_FILES)))
    group: list[tuple[Arrival, str]] = []
    size = 0
    for pair in pairs:
        size += pair[0].file.size
        if group and (len(group) == most or size > BATCH_BYTES):
            yield group
            group, size = [], pair[0].file.size
        group.append(pair)
    if group:
        yield group


def _collected(futures: Sequence[Future[list[Judged]]]) -> list[Judged]:
    return [judged for future in futures for judged in future.result()]
