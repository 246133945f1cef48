"""A delivery that is sent in pieces."""

import io
import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest

from annotation.exchange import uploads
from annotation.exchange.uploads import Listed, OutOfOrderError, Span, UploadError

LIMIT = 1_000_000


def begun(spool: Path, *files: tuple[str, int]) -> uuid.UUID:
    key = uuid.uuid4()
    uploads.begin(spool, key, [Listed(*file) for file in files], max_bytes=LIMIT)
    return key


def write(spool: Path, key: uuid.UUID, text: str, content: bytes) -> None:
    uploads.write_pieces(spool, key, uploads.spans_of(text), io.BytesIO(content))


def test_pieces_of_several_files_come_together_in_their_places(tmp_path: Path) -> None:
    key = begun(tmp_path, ("labels.csv", 3), ("x/1.png", 5))
    write(tmp_path, key, "0:0:3,1:0:2", b"abc12")
    write(tmp_path, key, "1:2:3", b"345")
    folder = uploads.complete(tmp_path, key)
    assert (folder / "labels.csv").read_bytes() == b"abc"
    assert (folder / "x/1.png").read_bytes() == b"12345"


def test_one_zip_file_is_handed_on_as_it_is(tmp_path: Path) -> None:
    key = begun(tmp_path, ("Images.ZIP", 2))
    write(tmp_path, key, "0:0:2", b"PK")
    assert uploads.complete(tmp_path, key).name == "delivery.archive.zip"


def test_an_empty_file_is_a_file_too(tmp_path: Path) -> None:
    key = begun(tmp_path, ("empty.png", 0))
    write(tmp_path, key, "0:0:0", b"")
    assert (uploads.complete(tmp_path, key) / "empty.png").read_bytes() == b""


def test_a_piece_that_is_sent_twice_changes_nothing(tmp_path: Path) -> None:
    key = begun(tmp_path, ("a", 4))
    for _ in range(2):
        write(tmp_path, key, "0:0:2", b"ab")
    write(tmp_path, key, "0:2:2", b"cd")
    write(tmp_path, key, "0:0:2", b"ab")
    assert (uploads.complete(tmp_path, key) / "a").read_bytes() == b"abcd"


def test_a_piece_whose_forerunner_is_missing_is_refused(tmp_path: Path) -> None:
    key = begun(tmp_path, ("a", 4))
    with pytest.raises(OutOfOrderError, match="before this one is missing"):
        write(tmp_path, key, "0:2:2", b"cd")


def test_a_delivery_that_is_not_wholly_there_is_not_handed_on(tmp_path: Path) -> None:
    key = begun(tmp_path, ("a", 4), ("b", 1))
    write(tmp_path, key, "0:0:2", b"ab")
    with pytest.raises(OutOfOrderError, match="2 of 2 files are not wholly sent"):
        uploads.complete(tmp_path, key)


def test_a_delivery_that_was_handed_on_takes_no_more(tmp_path: Path) -> None:
    key = begun(tmp_path, ("a", 1))
    write(tmp_path, key, "0:0:1", b"a")
    uploads.complete(tmp_path, key)
    with pytest.raises(OutOfOrderError, match="closed"):
        write(tmp_path, key, "0:0:1", b"b")


def test_a_delivery_whose_placing_broke_off_is_placed_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = begun(tmp_path, ("a", 1), ("b", 1))
    write(tmp_path, key, "0:0:1,1:0:1", b"ab")
    rename = Path.rename

    def broken(self: Path, target: Path) -> Path:
        if self.name == "1":
            raise OSError("the disk is away")
        return rename(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", broken)
        with pytest.raises(OSError, match="away"):
            uploads.complete(tmp_path, key)
    folder = uploads.complete(tmp_path, key)
    assert [(folder / name).read_bytes() for name in "ab"] == [b"a", b"b"]


def test_room_that_was_promised_to_others_is_not_promised_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=1000))
    key = begun(tmp_path, ("a", 300))
    begun(tmp_path, ("a", 300))
    with pytest.raises(UploadError, match="too little free disk space"):
        begun(tmp_path, ("a", 300))
    write(tmp_path, key, "0:0:250", b"x" * 250)
    begun(tmp_path, ("a", 300))


@pytest.mark.parametrize("text", ["0:0:5", "1:0:1", "0:4:1"])
def test_bytes_that_were_not_announced_are_refused(tmp_path: Path, text: str) -> None:
    key = begun(tmp_path, ("a", 4))
    with pytest.raises(UploadError, match="announced"):
        write(tmp_path, key, text, b"abcde")


def test_a_connection_that_breaks_off_is_noticed_and_made_good(tmp_path: Path) -> None:
    key = begun(tmp_path, ("a", 4))
    with pytest.raises(UploadError, match="broke off"):
        write(tmp_path, key, "0:0:4", b"ab")
    write(tmp_path, key, "0:0:4", b"abcd")
    assert (uploads.complete(tmp_path, key) / "a").read_bytes() == b"abcd"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../a",
        "a/../../b",
        "a//b",
        "./a",
        "a\\b",
        "a\x00b",
        "a\nb",
        "a/" * 40 + "b",
        "x" * 300,
    ],
)
def test_a_path_that_could_leave_the_folder_or_break_a_log_is_refused_unquoted(path: str) -> None:
    with pytest.raises(UploadError, match="cannot be used") as refused:
        uploads.check_list([Listed(path, 1)], LIMIT)
    assert "passwd" not in str(refused.value)


def test_lists_beyond_the_limits_are_refused_before_a_byte_is_sent() -> None:
    with pytest.raises(UploadError, match="no file"):
        uploads.check_list([], LIMIT)
    with pytest.raises(UploadError, match="larger than"):
        uploads.check_list([Listed("a", LIMIT), Listed("b", 1)], LIMIT)
    with pytest.raises(UploadError, match="larger than"):
        uploads.check_list([Listed("a", -1)], LIMIT)
    with pytest.raises(UploadError, match="as one zip"):
        uploads.check_list([Listed(str(n), 0) for n in range(uploads.MAX_FILES + 1)], LIMIT)


def test_two_files_never_share_a_place() -> None:
    with pytest.raises(UploadError, match="same path"):
        uploads.check_list([Listed("a", 1), Listed("a", 1)], LIMIT)
    with pytest.raises(UploadError, match="a file and a folder"):
        uploads.check_list([Listed("a", 1), Listed("a/b", 1)], LIMIT)


@pytest.mark.parametrize("text", ["", "0", "0:1", "a:b:c", "0:-1:2", "0:0:1,", "0:0:1;1:0:1"])
def test_pieces_that_are_not_described_are_refused(text: str) -> None:
    with pytest.raises(UploadError, match="index:offset:length"):
        uploads.spans_of(text)


def test_pieces_are_read_as_index_offset_and_length() -> None:
    assert uploads.spans_of("0:0:3,12:34:56") == [Span(0, 0, 3), Span(12, 34, 56)]
