"""One file, from its bytes to a verdict: parse, check, de-identify, normalise. Runs in a throw-away child."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from pydicom.dataset import Dataset

from annotation.studies.door.comparison import counted
from annotation.studies.door.deidentify import deidentified, mark
from annotation.studies.door.facts import attributes_of
from annotation.studies.door.formats import kind_of, read_dicom
from annotation.studies.door.image import claim_of, suspicion
from annotation.studies.door.looking import likeness_of, preview, write_changes
from annotation.studies.door.masks import masked
from annotation.studies.door.pictures import describe_pages, described_picture, open_pages
from annotation.studies.door.pixels import Frame, frames
from annotation.studies.door.preview import write_thumbnail
from annotation.studies.door.pseudonyms import Identity, new_uid, patient_pseudonym
from annotation.studies.door.registry import registered
from annotation.studies.door.shared import put
from annotation.studies.door.values import element_of, words
from annotation.studies.door.verdict import (
    LOOK,
    Facts,
    Order,
    Reference,
    RejectedFileError,
    Verdict,
    rejected,
)
from annotation.studies.door.volume_formats import READERS
from annotation.studies.door.volumes import Volume, coded, described_volume, frames_of, in_order
from annotation.studies.door.writing import describe_pixels, write_frames, write_header

IDENTIFIERS = (("StudyInstanceUID", "study"), ("SeriesInstanceUID", "series"), ("SOPInstanceUID", "instance"))

SOP_CLASS_UID, SOP_INSTANCE_UID = 0x00080016, 0x00080018


@dataclass(frozen=True)
class Opened:
    """A file that was understood: its de-identified header and its frames, not decoded yet."""

    described: Dataset
    decoded: Iterator[Frame]
    frames: int
    suspicion: str
    pseudonym: str
    parsed: Dataset
    likeness: str = ""


@dataclass
class Named:
    """What is known of a file's name as soon as it is parsed, whatever becomes of it."""

    reference: Reference = field(default_factory=Reference)
    patient: str = ""


def admit(order: Order, source: BinaryIO, stored: BinaryIO, picture: BinaryIO) -> Verdict:
    """Write the stored file and its thumbnail, or a preview for the human who must clear it.

    Where a comparison is asked for, it is written in the stored file's place.

    Errors of parsers and decoders become reasons that name the step and the kind of error: their messages may
    quote a patient's values, so they are never passed on.
    """
    step, named = "reading", Named()
    try:
        opened = _opened(order, source, named)
        if order.compare:
            write_changes(stored, opened.parsed, opened.described)
            return Verdict("compared", opened.suspicion, patient=named.patient)
        deeds = counted(opened.parsed, opened.described)
        step = "decoding"
        first = next(opened.decoded, None)
        if first is None:
            raise RejectedFileError("no pixels: there is no frame to decode")
        if opened.suspicion:
            shown = preview(picture, first, opened.decoded, opened.frames, opened.likeness)
            return Verdict(
                "pixels", opened.suspicion, reference=named.reference, shown=shown, patient=named.patient
            )
        facts = _write(opened, first, stored, picture)
        return Verdict("admitted", facts=facts, deeds=deeds, patient=named.patient)
    except RejectedFileError as error:
        return rejected(str(error), named.reference, named.patient)
    except RecursionError:
        return rejected("sequences are nested too deep", named.reference, named.patient)
    except MemoryError:
        raise  # the child decides: it may have been a neighbour's
    except Exception as error:  # noqa: BLE001 - decoders raise anything; this process is thrown away after it
        reason = f"{step} failed: damaged or not conformant ({type(error).__name__})"
        return rejected(reason, named.reference, named.patient)


def _opened(order: Order, source: BinaryIO, named: Named) -> Opened:
    size = source.seek(0, 2)
    source.seek(0)
    kind = kind_of(source, size)
    if kind == "dicom":
        return _opened_dicom(order, source, named)
    key = bytes.fromhex(order.key)
    identity = Identity(key, order.patient or patient_pseudonym(key, f"file {order.source_digest}"))
    named.patient = identity.pseudonym
    if kind == "picture":
        return _opened_plain(order, identity, _picture(order, source, identity))
    return _opened_plain(order, identity, _volume(order, READERS[kind](source), identity))


@dataclass(frozen=True)
class Plain:
    """An image that says nothing of its patient: a header of ours, and its frames."""

    described: Dataset
    decoded: Iterator[Frame]
    frames: int


def _picture(order: Order, source: BinaryIO, identity: Identity) -> Plain:
    pages = open_pages(source)
    described = described_picture(identity, order.source_digest, order.modality)
    first = next(pages.frames)
    describe_pages(described, first.layout, pages.count)
    return Plain(described, itertools.chain([first], pages.frames), pages.count)


def _volume(order: Order, found: Volume, identity: Identity) -> Plain:
    volume = in_order(found)
    code = coded(volume)
    described = described_volume(volume, code, identity, order.source_digest, order.modality)
    return Plain(described, frames_of(volume, code), len(volume.voxels))


def _opened_plain(order: Order, identity: Identity, plain: Plain) -> Opened:
    described = mark(plain.described, identity, order.options, masked=bool(order.masks))
    clear = order.pixels_cleared or order.pictures_cleared
    doubt = "" if clear else "a plain picture may show names, and its sender has not vouched for it"
    decoded = _cleaned(order, plain.decoded)
    return Opened(described, decoded, plain.frames, doubt or _searched(order), identity.pseudonym, Dataset())


def _opened_dicom(order: Order, source: BinaryIO, named: Named) -> Opened:
    parsed = read_dicom(source)
    named.reference = _reference(order, parsed)
    identity = _identity(order, parsed)
    named.patient = identity.pseudonym
    claim = claim_of(parsed)
    described = deidentified(parsed, identity, order.options, masked=bool(order.masks))
    for keyword, what in IDENTIFIERS:
        if keyword not in described:
            setattr(described, keyword, identity.uid(f"{what} of {order.source_digest}"))
        elif described[keyword].VM > 1:
            raise RejectedFileError(f"{keyword} has more than one value: which {what} it is cannot be told")
    if order.study and described.StudyInstanceUID not in (order.study, identity.uid(order.study)):
        raise RejectedFileError("(0020,000D) Study Instance UID is not the one that the address names")
    doubt = "" if order.pixels_cleared else suspicion(parsed) or _searched(order)
    if order.pixels_cleared:
        put(described, "BurnedInAnnotation", "NO")  # a human has looked
    return Opened(
        described,
        _cleaned(order, frames(parsed, claim)),
        claim.frames,
        doubt,
        identity.pseudonym,
        parsed,
        likeness_of(parsed, claim, identity) if doubt else "",
    )


def _searched(order: Order) -> str:
    return LOOK if order.look and not order.pixels_cleared else ""


def _cleaned(order: Order, decoded: Iterator[Frame]) -> Iterator[Frame]:
    return masked(decoded, order.masks) if order.masks else decoded


def _reference(order: Order, parsed: Dataset) -> Reference:
    """Name a file by its class, where the standard knows that, and its de-identified UID."""
    found = [element_of(parsed, tag) if tag in parsed else None for tag in (SOP_CLASS_UID, SOP_INSTANCE_UID)]
    sop_class, own = (" ".join(words(one.value)) if one is not None else "" for one in found)
    return Reference(
        sop_class if registered(sop_class) else "", new_uid(bytes.fromhex(order.key), own) if own else ""
    )


def _identity(order: Order, parsed: Dataset) -> Identity:
    """Say whose image it is: by the delivery's table, else by Patient ID, else a study is its own patient."""
    key = bytes.fromhex(order.key)
    own = " ".join(words(parsed.get("PatientID")))
    fallback = f"study {parsed.get('StudyInstanceUID') or order.source_digest}"
    return Identity(key, order.patient or patient_pseudonym(key, own or fallback))


def _first_of(described: Dataset, keyword: str) -> str:
    """Read an attribute that may have several values: the first; "" where it is absent."""
    told = words(described.get(keyword))
    return told[0] if told else ""


def _kernel(described: Dataset) -> str:
    """Read the reconstruction kernel: of the image, else of all frames, else of the first (enhanced CT)."""
    groups = [*(described.get("SharedFunctionalGroupsSequence") or ())[:1]]
    groups += (described.get("PerFrameFunctionalGroupsSequence") or ())[:1]
    told = [described, *(item for group in groups for item in group.get("CTReconstructionSequence") or ())]
    return next(filter(None, (_first_of(one, "ConvolutionKernel") for one in told)), "")


def _tesla(described: Dataset) -> str:
    """Write the field strength in one way: 3, 3.0 and 3.00 T are the same."""
    told = _first_of(described, "MagneticFieldStrength")
    return f"{float(told):g}" if told else ""


def _write(opened: Opened, first: Frame, stored: BinaryIO, picture: BinaryIO) -> Facts:
    described, layout = opened.described, first.layout
    describe_pixels(described, layout, opened.frames)
    offset = write_header(stored, described, layout, opened.frames)
    shown = write_frames(stored, itertools.chain([first], opened.decoded), layout, opened.frames)
    write_thumbnail(picture, shown.pixels, described)
    attributes = attributes_of(described)
    if layout.keyword != "PixelData":
        attributes["PixelKeyword"] = layout.keyword
    return Facts(
        patient=opened.pseudonym,
        study_instance_uid=described.StudyInstanceUID,
        series_instance_uid=described.SeriesInstanceUID,
        sop_instance_uid=described.SOPInstanceUID,
        sop_class_uid=described.SOPClassUID,
        modality=str(described.get("Modality") or ""),
        body_part_examined=str(described.get("BodyPartExamined") or ""),
        manufacturer=str(described.get("Manufacturer") or ""),
        manufacturer_model_name=str(described.get("ManufacturerModelName") or ""),
        magnetic_field_strength=_tesla(described),
        convolution_kernel=_kernel(described),
        instance_number=int(described.get("InstanceNumber") or 0),
        frames=opened.frames,
        pixel_offset=offset,
        frame_bytes=layout.frame_bytes,
        attributes=attributes,
    )
