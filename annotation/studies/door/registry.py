"""UIDs that the standard gives out: what is not among them could name a site or a device."""

from pydicom.uid import UID_dictionary  # type: ignore[attr-defined]  # pydicom documents it without exporting it

# Newer than pydicom 3.0.2's dictionary (PS3.6, 2024).
NEWER = {
    "1.2.840.10008.5.1.4.1.1.66.7": "Label Map Segmentation Storage",
    "1.2.840.10008.5.1.4.1.1.66.8": "Height Map Segmentation Storage",
}


def registered(uid: str) -> bool:
    """Whether the standard gives this UID out."""
    return uid in UID_dictionary or uid in NEWER


def name_of(uid: str) -> str:
    """Name a registered UID; any other is not repeated."""
    if not registered(uid):
        return "private or unknown"
    return f"{NEWER.get(uid) or UID_dictionary[uid][0]} ({uid})"
