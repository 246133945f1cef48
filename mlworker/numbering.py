"""Numbers for things that have names: patients above all."""

from collections.abc import Hashable, Iterable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Thing = TypeVar("Thing", bound=Hashable)


def numbered(things: Iterable[Thing], numbers: dict[Thing, int] | None = None) -> NDArray[np.intp]:
    """Give things numbers from 0 in their order of appearance: (things,).

    numbers: of those that came before; takes in the new.
    """
    known = {} if numbers is None else numbers
    return np.array([known.setdefault(thing, len(known)) for thing in things], dtype=np.intp)
