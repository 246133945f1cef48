"""What was made of one element, for the equal elements of a child's other files: slices differ little."""

from functools import cache
from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset


class SharedElement(DataElement):
    """An element of several data sets: its value is never another.

    is_cleaned: whether it is what was made of an element of the file, not one that was written for it.
    encoded:    its bytes as they are stored, once they were asked for; as_json and deeds likewise.
    deeds:      what de-identification did to it and to what lies in it (see comparison.py).
    """

    def __init__(self, element: DataElement, *, is_cleaned: bool = False) -> None:
        super().__init__(element.tag, element.VR, element.value, already_converted=True)
        self.is_cleaned = is_cleaned
        self.encoded: bytes | None = None
        self.as_json: object = NOT_ASKED
        self.deeds: tuple[str, ...] | None = None

    @property
    def value(self) -> Any:  # noqa: ANN401  as pydicom types it
        """Give its value."""
        return self._value

    @value.setter
    def value(self, _: object) -> None:
        raise AttributeError("a shared element has one value: put another element in its place")


NOT_ASKED = object()


@cache
def is_ambiguous(tag: int) -> bool:
    """Whether the representation of a value hangs on the elements beside."""
    return len(dictionary_VR(tag)) > 2


def stands_alone(element: DataElement | None) -> bool:
    """Whether nothing in an element hangs on the elements beside it."""
    if element is None or isinstance(element, SharedElement):
        return True
    if element.VR != "SQ":
        return not is_ambiguous(int(element.tag))
    return all(stands_alone(inner) for item in element.value for inner in item.values())


def written(keyword: str, value: object) -> SharedElement:
    """Make an element that says something of its own."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return SharedElement(DataElement(tag, dictionary_VR(tag), value))


def put(described: Dataset, keyword: str, value: object) -> None:
    """Say something in place of what is there."""
    described.add(written(keyword, value))
