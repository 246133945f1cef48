"""What can go wrong, in words."""


class FoveaError(Exception):
    """A data set cannot be loaded; the message says why and what to do."""
