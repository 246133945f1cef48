"""DICOM objects that carry labels: which reader takes which class of them."""

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from pydicom import dcmread
from pydicom.dataset import Dataset

from annotation.exchange.labels.parsing.report import read_report
from annotation.exchange.labels.parsing.segmentation import read_segmentation
from annotation.exchange.labels.parsing.structures import read_structures
from annotation.exchange.labels.statements import LabelFileError, Order, Statement
from annotation.studies.door.registry import name_of

Reader = Callable[[Dataset, Order], Iterator[Statement]]
READERS: Final[Mapping[str, Reader]] = {
    "1.2.840.10008.5.1.4.1.1.66.4": read_segmentation,
    "1.2.840.10008.5.1.4.1.1.66.7": read_segmentation,
    "1.2.840.10008.5.1.4.1.1.481.3": read_structures,
    "1.2.840.10008.5.1.4.1.1.88.22": read_report,
    "1.2.840.10008.5.1.4.1.1.88.33": read_report,
    "1.2.840.10008.5.1.4.1.1.88.34": read_report,
}


def read_object(content: bytes, order: Order) -> Iterator[Statement]:
    """Give an object's statements.

    raises: LabelFileError.
    """
    try:
        found = dcmread(io.BytesIO(content), force=content[128:132] == b"DICM")
        kind = str(found.get("SOPClassUID", ""))
    except Exception as error:  # noqa: BLE001 - a damaged file may raise anything
        raise LabelFileError(f"{order.path} is no DICOM file ({type(error).__name__})") from None
    if kind not in READERS:
        raise LabelFileError(
            f"{order.path} is {name_of(kind)}: labels come as segmentations, reports or structure sets"
        )
    yield from READERS[kind](found, order)
