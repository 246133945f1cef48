"""Files in an S3-compatible store, of which a part can be read without the rest."""

from collections.abc import Mapping
from datetime import datetime
from typing import BinaryIO

from botocore.exceptions import ClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage

NOT_FOUND, OUT_OF_RANGE = 404, 416


class RangedS3Storage(S3Storage):  # type: ignore[misc]  # django-storages has no types
    """django-storages fetches the whole of a file for each part of it; a frame is read by its range here."""

    def save_new(self, contents: Mapping[str, BinaryIO]) -> None:
        """Store files under names of their content: what is there already is the same and stays."""
        for name, content in contents.items():
            if not self.exists(name):
                content.seek(0)
                written = self.save(name, File(content))
                if written != name:  # another process was faster with the same content
                    self.delete(written)

    def remove_unfinished(self, _before: datetime) -> int:
        """Nothing is there under another name than its own."""
        return 0

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """Read these bytes; fewer where the object ends before.

        raises: FileNotFoundError.
        """
        if length <= 0:
            return b""
        wanted = f"bytes={offset}-{offset + length - 1}"
        try:
            answer = self.bucket.Object(self._normalize_name(name)).get(Range=wanted)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == OUT_OF_RANGE:
                return b""
            if status == NOT_FOUND:
                raise FileNotFoundError(f"there is no stored file {name}") from None
            raise
        return bytes(answer["Body"].read())

    def fill_at_once(self, _name: str, _offset: int, _target: memoryview) -> bool:
        """Nothing is here without waiting."""
        return False
