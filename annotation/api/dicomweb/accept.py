"""Which of the media types that we offer a request accepts (PS3.18 8.7)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest

EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
SYNTAXES = frozenset({"", "*", EXPLICIT_LITTLE_ENDIAN})
JSON, DICOM, OCTETS = "application/dicom+json", "application/dicom", "application/octet-stream"
PNG, JPEG = "image/png", "image/jpeg"
RELATED = "multipart/related"
HEADER_CHARACTERS = 4096


class NotAcceptableError(Exception):
    """Nothing that we offer is accepted; the message says what is offered."""


@dataclass(frozen=True)
class Offer:
    """A media type that we can send, alone or in parts."""

    media_type: str
    in_parts: bool = False

    def __str__(self) -> str:
        return f'{RELATED}; type="{self.media_type}"' if self.in_parts else self.media_type


@dataclass(frozen=True)
class MediaRange:
    """One range of an Accept header; inner: the type of the parts that it asks for."""

    media_type: str
    inner: str = ""
    syntax: str = ""
    quality: float = 1.0

    def takes(self, offer: Offer) -> bool:
        """Whether an offer is within the range."""
        if offer.media_type in (DICOM, OCTETS) and self.syntax not in SYNTAXES:
            return False
        if self.media_type == "*/*":
            return True
        if self.media_type.startswith("multipart/"):
            return offer.in_parts and within(self.inner or "*/*", offer.media_type)
        return not offer.in_parts and within(self.media_type, offer.media_type)


def within(wanted: str, media_type: str) -> bool:
    """Whether a media type is within a range such as image/*."""
    kind, _, detail = wanted.partition("/")
    own_kind, _, own_detail = media_type.partition("/")
    return kind in ("*", own_kind) and detail in ("*", "", own_detail)


def ranges_of(header: str) -> list[MediaRange]:
    """Read an Accept header; what cannot be read is left out."""
    found = []
    for text in split(header, ","):
        kind, *parameters = split(text, ";")
        values = dict(one.split("=", 1) for one in parameters if "=" in one)
        named = {name.strip().lower(): value.strip().strip('"') for name, value in values.items()}
        found.append(
            MediaRange(
                kind.strip().lower(),
                named.get("type", "").lower(),
                named.get("transfer-syntax", ""),
                quality_of(named.get("q", "1")),
            )
        )
    return found


def split(text: str, at: str) -> list[str]:
    """Split where the separator stands outside of quotes."""
    parts, quoted, begin = [], False, 0
    for place, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character == at and not quoted:
            parts.append(text[begin:place])
            begin = place + 1
    return [*parts, text[begin:]]


def quality_of(text: str) -> float:
    """Read a weight, 0 – 1; 0 where it is none."""
    return min(1.0, float(text)) if re.fullmatch(r"\d(\.\d{1,3})?", text) else 0.0


def choose(request: HttpRequest, offers: Sequence[Offer]) -> Offer:
    """Choose the offer that is wanted most, the first where several are.

    The query parameter `accept` says the same as the header, for what cannot write one (PS3.18 8.3.3.1).
    raises: NotAcceptableError.
    """
    header = request.GET.get("accept", "") or request.headers.get("Accept", "") or "*/*"
    ranges = ranges_of(header[:HEADER_CHARACTERS])
    weights = [max((one.quality for one in ranges if one.takes(offer)), default=0.0) for offer in offers]
    best = max(weights)
    if best <= 0.0:
        raise NotAcceptableError(f"offered here: {', '.join(map(str, offers))}")
    return offers[weights.index(best)]
