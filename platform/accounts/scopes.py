"""What a token may be made for; a person's role decides as well, at every request."""

from django.db.models import TextChoices


class Scope(TextChoices):
    """One thing that a token's holder may do in their owner's name."""

    DICOMWEB_READ = "dicomweb:read", "Search and retrieve images over DICOMweb"
    DICOMWEB_WRITE = "dicomweb:write", "Store images over DICOMweb"
    EXPORT = "export", "Freeze, export and download labels and images"
