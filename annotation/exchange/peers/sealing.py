"""Secrets of other systems, sealed."""

from typing import Final

from accounts.sealing import Seal, SealBrokenError

__all__ = ["SealBrokenError", "seal", "unsealed"]

_SEAL: Final = Seal(b"secrets of peers")
seal, unsealed = _SEAL.seal, _SEAL.unsealed
