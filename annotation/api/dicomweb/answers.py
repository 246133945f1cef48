"""Answers in bytes: one body or many parts, streamed with constant memory, named, and in ranges."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from annotation.api.dicomweb.accept import EXPLICIT_LITTLE_ENDIAN, JSON, RELATED
from annotation.exchange.dicomweb_json import DataSet
from annotation.studies.files import Span

WITH_SYNTAX = frozenset({"application/dicom", "application/octet-stream"})
SMALL_BYTES = 4 * 1024 * 1024
WARNING_AGENT = "fovea"


@dataclass(frozen=True)
class Part:
    """One part of an answer; length in bytes, None where it is known only when it is made."""

    media_type: str
    blocks: Callable[[], Iterable[bytes]]
    length: int | None
    location: str = ""

    def head(self) -> bytes:
        """Give the part's own header."""
        location = f"Content-Location: {self.location}\r\n" if self.location else ""
        length = f"Content-Length: {self.length}\r\n" if self.length is not None else ""
        return f"Content-Type: {described(self.media_type)}\r\n{location}{length}\r\n".encode("ascii")


def part_of(media_type: str, span: Span | bytes, location: str = "") -> Part:
    """Make a part of stored bytes."""
    if isinstance(span, bytes):
        return Part(media_type, lambda: [span], len(span), location)
    return Part(media_type, span.blocks, span.length, location)


def described(media_type: str) -> str:
    """Name a media type with the transfer syntax that all our files are in."""
    syntax = f"; transfer-syntax={EXPLICIT_LITTLE_ENDIAN}" if media_type in WITH_SYNTAX else ""
    return media_type + syntax


def as_json(found: DataSet | Sequence[DataSet], *, status: int = 200) -> HttpResponse:
    """Answer in the JSON model."""
    return HttpResponse(dumped(found), status=status, content_type=JSON)


def dumped(found: object) -> str:
    """Write JSON as short as it can be."""
    return json.dumps(found, separators=(",", ":"), allow_nan=False)


def json_array(datasets: Iterable[DataSet]) -> StreamingHttpResponse:
    """Answer in the JSON model, one data set after the other."""

    def blocks() -> Iterator[bytes]:
        lead = "["
        for one in datasets:
            yield f"{lead}{dumped(one)}".encode()
            lead = ","
        yield b"[]" if lead == "[" else b"]"

    return StreamingHttpResponse(blocks(), content_type=JSON)


def in_parts(media_type: str, parts: Iterable[Part], *, name: str, length: int | None) -> HttpResponseBase:
    """Answer with many parts; the same content has the same boundary, so that a name stands for each byte."""
    boundary = boundary_of(name)
    content, content_type = joined(parts, boundary), related(media_type, boundary)
    if length is not None and length <= SMALL_BYTES:
        return HttpResponse(b"".join(content), content_type=content_type)
    response = StreamingHttpResponse(content, content_type=content_type)
    if length is not None:
        response["Content-Length"] = str(length)
    return response


def boundary_of(name: str) -> str:
    """Make a boundary of what is sent: not guessable by who wrote the content."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def related(media_type: str, boundary: str) -> str:
    """Name the media type of an answer in parts."""
    return f'{RELATED}; type="{media_type}"; boundary={boundary}'


def joined(parts: Iterable[Part], boundary: str) -> Iterator[bytes]:
    """Write parts as MIME asks (RFC 2046 5.1.1)."""
    for part in parts:
        yield opened(part, boundary)
        yield from part.blocks()
        yield b"\r\n"
    yield closed(boundary)


def opened(part: Part, boundary: str) -> bytes:
    """Write what stands before a part's content."""
    return f"--{boundary}\r\n".encode("ascii") + part.head()


def closed(boundary: str) -> bytes:
    """Write what stands after the last part."""
    return f"--{boundary}--\r\n".encode("ascii")


def length_of(parts: Sequence[Part], name: str) -> int | None:
    """Count the bytes of an answer in parts; None where a part's length is not known."""
    dashes = len(boundary_of(name)) + 2
    lengths = [None if one.length is None else dashes + 2 + len(one.head()) + one.length + 2 for one in parts]
    known = [one for one in lengths if one is not None]
    return sum(known) + dashes + 4 if len(known) == len(lengths) else None


def alone(request: HttpRequest, part: Part, *, name: str) -> HttpResponseBase:
    """Answer with one body, or the range of it that is asked for (RFC 9110 14)."""
    content = b"".join(part.blocks()) if part.length is None or part.length <= SMALL_BYTES else None
    length = part.length if part.length is not None else len(content or b"")
    wanted = range_of(request.headers.get("Range", ""), length)
    if wanted is None:
        return whole(part, content, length, name)
    if wanted.start >= length:
        response = HttpResponse(status=416)
        response["Content-Range"] = f"bytes */{length}"
        return response
    blocks = cut([content] if content is not None else part.blocks(), wanted)
    partial = StreamingHttpResponse(blocks, status=206, content_type=described(part.media_type))
    partial["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{length}"
    partial["Content-Length"] = str(len(wanted))
    return partial


def whole(part: Part, content: bytes | None, length: int, name: str) -> HttpResponseBase:
    """Answer with all of a body."""
    response: HttpResponseBase
    if content is not None:
        response = HttpResponse(content, content_type=described(part.media_type))
    else:
        response = StreamingHttpResponse(part.blocks(), content_type=described(part.media_type))
        response["Content-Length"] = str(length)
    response["ETag"] = f'"{name}"'
    response["Accept-Ranges"] = "bytes"
    return response


def range_of(header: str, length: int) -> range | None:
    """Read a Range header; None where there is none, or one that need not be followed."""
    found = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", header.strip())
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        return range(max(0, length - int(found[2])), length)
    first = int(found[1])
    if found[2] and int(found[2]) < first:
        return None
    return range(first, min(int(found[2]) + 1, length) if found[2] else length)


def cut(blocks: Iterable[bytes], wanted: range) -> Iterator[bytes]:
    """Pass on the bytes of a range."""
    place = 0
    for block in blocks:
        found = block[max(0, wanted.start - place) : max(0, wanted.stop - place)]
        place += len(block)
        if found:
            yield found
        if place >= wanted.stop:
            return


def is_known(request: HttpRequest, name: str) -> bool:
    """Whether the request's sender has this content already."""
    header = request.headers.get("If-None-Match", "")
    return f'"{name}"' in [one.strip().removeprefix("W/") for one in header.split(",")] or header == "*"


def unchanged(name: str) -> HttpResponse:
    """Answer that the content is the one that the sender has."""
    response = HttpResponse(status=304)
    response["ETag"] = f'"{name}"'
    return response
