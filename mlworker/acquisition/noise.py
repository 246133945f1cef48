"""Random numbers that belong to a case, not to its place in an array: the same case draws the same number.

So a ranking depends on the seed and on which cases there are, never on the order in which they were read.
"""

import numpy as np

from mlworker.acquisition.arrays import Floats, Keys

# Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014), the finaliser of SplitMix64.
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST = np.uint64(0xBF58476D1CE4E5B9)
SECOND = np.uint64(0x94D049BB133111EB)


def _mixed(values: Keys) -> Keys:
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * FIRST
        values = (values ^ (values >> np.uint64(27))) * SECOND
    return values ^ (values >> np.uint64(31))


def uniforms(keys: Keys, seed: int) -> Floats:
    """One number in (0, 1) a key.

    keys: (case,) identities. returns: (case,), never 0 and never 1.
    """
    start = _mixed(np.full(1, seed % 2**64, dtype=np.uint64) + GOLDEN)
    with np.errstate(over="ignore"):
        mixed = _mixed(_mixed(keys.astype(np.uint64)) + start)
    return ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53


def gumbels(keys: Keys, seed: int) -> Floats:
    """One standard Gumbel number a key. keys, returns: (case,)."""
    return -np.log(-np.log(uniforms(keys, seed)))
