"""Labelled images from Fovea: from a server's snapshot, or from an exported folder or zip."""

from fovea.dataset import Dataset, Item, Part, load
from fovea.errors import FoveaError

__all__ = ["Dataset", "FoveaError", "Item", "Part", "load"]
