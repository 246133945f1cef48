"""Checks before decoding: is this an image, how large does it claim to be, may its pixels name a person."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.uid import UID

from annotation.studies.door import limits
from annotation.studies.door.formats import TRANSFER_SYNTAXES, transfer_syntax
from annotation.studies.door.registry import name_of, registered
from annotation.studies.door.terms import MODALITIES
from annotation.studies.door.values import element_of, words
from annotation.studies.door.verdict import RejectedFileError

PIXEL_KEYWORDS = {0x7FE00010: "PixelData", 0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData"}
BITS = {"PixelData": (1, 8, 16, 32), "FloatPixelData": (32,), "DoubleFloatPixelData": (64,)}
RLE = "1.2.840.10008.1.2.5"

SUSPICIOUS_MODALITIES = frozenset({"US", "SC", "XC", "OT", "ES"})
# Secondary capture, ultrasound (also retired), endoscopy, slide overviews, photographs.
SUSPICIOUS_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.7",
    "1.2.840.10008.5.1.4.1.1.3",
    "1.2.840.10008.5.1.4.1.1.6",
    "1.2.840.10008.5.1.4.1.1.77.1.1",
    "1.2.840.10008.5.1.4.1.1.77.1.2",
    "1.2.840.10008.5.1.4.1.1.77.1.4",
)
TELLTALE_IMAGE_TYPES = frozenset(
    ("SCREEN SAVE", "SCREENSAVE", "SCREEN CAPTURE", "DOSE_INFO", "LABEL", "OVERVIEW")
)


@dataclass(frozen=True)
class Claim:
    """What the header says about the pixels; believed only as far as the bytes bear it out."""

    keyword: str
    syntax: UID
    rows: int
    columns: int
    samples: int
    frames: int
    bits_allocated: int

    @property
    def decoded_bytes(self) -> int:
        """Bytes of all frames once decoded (one bit becomes one byte)."""
        return self.rows * self.columns * self.samples * self.frames * max(1, self.bits_allocated // 8)


def claim_of(parsed: Dataset) -> Claim:
    """Read and check what the header says about the pixels.

    raises: RejectedFileError naming the rule that was broken.
    """
    keyword = _pixel_keyword(parsed)
    _check_class(parsed)
    syntax = _check_syntax(parsed)
    claim = Claim(
        keyword=keyword,
        syntax=syntax,
        rows=_whole(parsed, 0x00280010, "Rows"),
        columns=_whole(parsed, 0x00280011, "Columns"),
        samples=_whole(parsed, 0x00280002, "Samples per Pixel", default=1),
        frames=_whole(parsed, 0x00280008, "Number of Frames", default=1),
        bits_allocated=_whole(parsed, 0x00280100, "Bits Allocated"),
    )
    _check_size(claim)
    _check_length(claim, parsed)
    return claim


def _pixel_keyword(parsed: Dataset) -> str:
    found = [keyword for tag, keyword in PIXEL_KEYWORDS.items() if tag in parsed]
    if found and parsed.get_item(found[0]) is not None and _length(parsed, found[0]) > 0:
        return found[0]
    sop_class = str(parsed.get("SOPClassUID", ""))
    kind = name_of(sop_class) if sop_class else "the data set names no SOP class"
    raise RejectedFileError(f"no pixels: (7FE0,0010) Pixel Data is absent or empty; {kind}")


def _length(parsed: Dataset, keyword: str) -> int:
    value = parsed[keyword].value
    return len(value) if isinstance(value, bytes) else 0


def _check_class(parsed: Dataset) -> None:
    sop_class = str(parsed.get("SOPClassUID", ""))
    if not registered(sop_class):
        raise RejectedFileError(
            "(0008,0016) SOP Class UID is absent or not one of the standard's: unknown kind of image"
        )


def _check_syntax(parsed: Dataset) -> UID:
    syntax = transfer_syntax(parsed)
    if not syntax:
        raise RejectedFileError(
            "(0002,0010) Transfer Syntax UID is absent: the pixels' encoding is not known"
        )
    if str(syntax) not in TRANSFER_SYNTAXES:
        raise RejectedFileError(f"transfer syntax not supported: {name_of(str(syntax))}")
    return syntax


def _whole(parsed: Dataset, tag: int, name: str, default: int | None = None) -> int:
    """Read a positive whole number of the header."""
    label = f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {name}"
    element = element_of(parsed, tag) if tag in parsed else None
    text = words(element.value) if element is not None else []
    if not text and tag in parsed and default is None:
        raise RejectedFileError(f"{label} cannot be read as a whole number")
    if not text and tag not in parsed and default is not None:
        return default
    if tag not in parsed:
        raise RejectedFileError(f"{label} is absent")
    if not text and default is not None and element is not None:
        return default
    if len(text) != 1 or not text[0].isascii() or not text[0].isdigit() or int(text[0]) < 1:
        raise RejectedFileError(f"{label} is not a positive whole number")
    return int(text[0])


def _check_size(claim: Claim) -> None:
    if claim.bits_allocated not in BITS[claim.keyword]:
        raise RejectedFileError("(0028,0100) Bits Allocated is none of 1, 8, 16, 32 (float: 32, double: 64)")
    if claim.samples not in (1, 3):
        raise RejectedFileError("(0028,0002) Samples per Pixel is neither 1 nor 3")
    if claim.rows * claim.columns > limits.FRAME_PIXELS or claim.frames > limits.FRAMES:
        raise RejectedFileError("Rows × Columns or Number of Frames is beyond what Fovea reads")
    if claim.decoded_bytes > limits.DECODED_BYTES:
        raise RejectedFileError(
            f"the pixels are more than {limits.DECODED_BYTES // limits.MEBIBYTE} MiB once decoded"
        )


def _check_length(claim: Claim, parsed: Dataset) -> None:
    """Refuse more pixels than the bytes can hold (a 900-byte file claimed 65535 × 65535)."""
    present = _length(parsed, claim.keyword)
    if claim.syntax.is_encapsulated:
        gain = limits.RLE_GAIN if claim.syntax == RLE else limits.CODEC_GAIN
        fits = claim.decoded_bytes <= present * gain
    else:
        subsampled = str(parsed.get("PhotometricInterpretation", "")).strip() == "YBR_FULL_422"
        bits = claim.rows * claim.columns * claim.samples * claim.frames * claim.bits_allocated
        fits = (bits * 2 // 3 if subsampled else bits) <= present * 8
    if not fits:
        raise RejectedFileError(
            "(7FE0,0010) Pixel Data holds fewer bytes than Rows × Columns × Frames ask for"
        )


def suspicion(parsed: Dataset) -> str:
    """Why a human must look at the pixels before anyone else does; "" where nothing asks for it.

    Absent (0028,0301) Burned In Annotation is the rule in CT, MR, CR, DX …, whose acquisition writes no text:
    it is not suspicious by itself there. Present and other than NO it is, in every modality.
    """
    sop_class = _text(parsed, "SOPClassUID")
    return next(iter([*_stated(parsed), *_by_modality(_text(parsed, "Modality")), *_by_class(sop_class)]), "")


def _stated(parsed: Dataset) -> Iterator[str]:
    """Say what the header itself gives away."""
    if _text(parsed, "BurnedInAnnotation") not in ("", "NO"):
        yield "(0028,0301) Burned In Annotation is not NO"
    if _text(parsed, "RecognizableVisualFeatures") == "YES":
        yield "(0028,0302) Recognizable Visual Features is YES"
    if TELLTALE_IMAGE_TYPES & {text.upper() for text in words(parsed.get("ImageType"))}:
        yield "(0008,0008) Image Type says screen capture, label or overview"


def _by_modality(modality: str) -> Iterator[str]:
    if modality in SUSPICIOUS_MODALITIES:
        yield f"(0008,0060) Modality {modality} often has text in its pixels"
    elif modality not in MODALITIES:
        yield "(0008,0060) Modality is absent or unknown, so its pixels may hold text"


def _by_class(sop_class: str) -> Iterator[str]:
    if any(sop_class == known or sop_class.startswith(known + ".") for known in SUSPICIOUS_CLASSES):
        yield f"(0008,0016) SOP Class {name_of(sop_class)} often has text in its pixels"


def _text(parsed: Dataset, keyword: str) -> str:
    return " ".join(words(parsed.get(keyword))).upper()
