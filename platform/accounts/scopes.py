"""What a token may be made for; a person's role decides as well, at every request."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Scope(TextChoices):
    """One thing that a token's holder may do in their owner's name."""

    DICOMWEB_READ = "dicomweb:read", _("Search and retrieve images over DICOMweb")
    DICOMWEB_WRITE = "dicomweb:write", _("Store images over DICOMweb")
    IMPORT = "import", _("Send images to be imported (administrators)")
    METRICS = "metrics:read", _("Scrape the metrics of this installation (administrators)")
    EXPORT = "export", _("Freeze, export and download labels and images")
