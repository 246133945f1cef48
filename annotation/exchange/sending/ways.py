"""What every way of sending does: take the bytes of an object, and say why it was not taken."""

from collections.abc import Callable

# The bytes of a DICOM file → "" where the peer took it, else why not.
Send = Callable[[bytes], str]
