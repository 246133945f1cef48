"""Where a data set's files lie: a folder, or a zip that is not unpacked."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fovea.errors import FoveaError

LIST = "dataset.json"
Read = Callable[[str], bytes]


def opened(path: Path) -> tuple[dict[str, Any], Read]:
    """Open an exported folder or zip: its dataset.json, and how its files are read.

    raises: FoveaError where it is no MONAI folder of Fovea's.
    """
    if not path.exists():
        raise FoveaError(f"{path} is not there")
    names, read = of_folder(path) if path.is_dir() else of_zip(path)
    lists = sorted((name for name in names if name.rpartition("/")[2] == LIST), key=len)
    if not lists:
        raise FoveaError(f"{path} has no {LIST}: export the format “MONAI and nnU-Net folder”")
    root = lists[0].removesuffix(LIST)
    described: dict[str, Any] = json.loads(read(lists[0]))
    return described, lambda name: read(root + name)


def of_folder(path: Path) -> tuple[list[str], Read]:
    """List and read the files of a folder; nothing outside of it."""
    base = path.resolve()
    names = [one.relative_to(base).as_posix() for one in base.rglob(LIST)]

    def read(name: str) -> bytes:
        found = (base / name).resolve()
        if not found.is_relative_to(base):
            raise FoveaError(f"{name} leads out of the folder")
        return found.read_bytes()

    return names, read


def of_zip(path: Path) -> tuple[list[str], Read]:
    """List and read the members of a zip; opened anew for each, so that worker processes can share it."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        raise FoveaError(f"{path} is no zip file") from None

    def read(name: str) -> bytes:
        with zipfile.ZipFile(path) as archive:
            return archive.read(name)

    return names, read
