"""What may be said of a peer: pure. Addresses come from administrators alone, and nothing else is called."""

import re
from urllib.parse import urlsplit

# PS3.5 6.2: the default repertoire without backslash and control characters.
AE_TITLE = re.compile(r"[ -\[\]-~]{1,16}")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,45}")
UID = re.compile(r"[0-9]+(\.[0-9]+)*")
UID_LENGTH = 64


class PeerRefusedError(ValueError):
    """A peer cannot be described so; the message says what to change."""


def checked_url(url: str) -> str:
    """Take the root of a DICOMweb service, without a slash at its end; "" where there is none.

    raises: PeerRefusedError.
    """
    text = url.strip().rstrip("/")
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        raise PeerRefusedError("The DICOMweb address cannot be read.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not has_port:
        raise PeerRefusedError("The DICOMweb address begins with http:// or https:// and names a host.")
    if parts.username is not None or parts.query or parts.fragment:
        raise PeerRefusedError("Give the DICOMweb address without a name, a password, ? and #.")
    return text


def checked_title(title: str) -> str:
    """Take an AE title; leading and trailing spaces do not count (PS3.5 6.2).

    raises: PeerRefusedError.
    """
    text = title.strip()
    if text and not AE_TITLE.fullmatch(text):
        raise PeerRefusedError("An AE title has up to 16 letters, digits and signs, no backslash.")
    return text


def checked_host(host: str) -> str:
    """Take a host's name or address.

    raises: PeerRefusedError.
    """
    text = host.strip()
    if text and not HOST.fullmatch(text):
        raise PeerRefusedError("The host is a name such as pacs.example.org, or an address.")
    return text


def is_uid(text: str) -> bool:
    """Whether a text is a UID (PS3.5 9.1), which may stand in an address."""
    return len(text) <= UID_LENGTH and UID.fullmatch(text) is not None
