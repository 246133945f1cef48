"""Whose the held files are: those that came before this was noted are opened once more, in the sandbox."""

from dataclasses import dataclass

from annotation.exchange.lifecycle.belongings import unattributed
from annotation.exchange.quarantine import HeldFile
from annotation.studies import files
from annotation.studies.door.sandbox import Sandbox
from annotation.studies.door.verdict import Order
from annotation.studies.keys import dataset_key
from annotation.studies.models import Dataset, QuarantinedFile


@dataclass(frozen=True)
class Attributed:
    """How many held files were told apart, and how many nobody can tell."""

    known: int
    unknown: int


def attribute_held(dataset: Dataset) -> Attributed:
    """Note whose the data set's held files are, where the files themselves say so; nothing else is kept."""
    waiting = list(unattributed(dataset))
    if not waiting:
        return Attributed(0, 0)
    key = dataset_key(dataset.pk).hex()
    with Sandbox(1) as door:
        for held in waiting:
            held.patient = patient_in(held, key, door)
    QuarantinedFile.objects.bulk_update(waiting, ["patient"], batch_size=200)
    known = sum(1 for held in waiting if held.patient)
    return Attributed(known, len(waiting) - known)


def patient_in(held: QuarantinedFile, key: str, door: Sandbox) -> str:
    """Pseudonym that a held file gives; "" where it cannot be read or is gone."""
    name = files.quarantine_name(held.source_digest)
    try:
        with HeldFile(name, 0).open() as stream:
            order = Order(key=key, source_digest=held.source_digest, compare=True)
            with door.judge([(order, stream)]) as [admission]:
                return admission.verdict.patient
    except FileNotFoundError:
        return ""
