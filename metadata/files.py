"""Read the texts of a package from a folder or a zip file, within limits. Extracts nothing and follows no link out."""

import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from metadata.problem import Place, Problem

__all__ = ["MAX_FILES", "MAX_FILE_BYTES", "MAX_PACKAGE_BYTES", "Texts", "printable", "read_files"]

MAX_FILE_BYTES = 1 << 20
MAX_PACKAGE_BYTES = 64 << 20
MAX_FILES = 10_000
MAX_RATIO = 200  # unpacked to packed; text reaches 20, a bomb 1,000
PROSE = {"README", "CHANGELOG", "LICENSE"}
SUFFIXES = {".yaml", ".yml", ".json"}


@dataclass(slots=True)
class Texts:
    """What a package holds: path with '/' -> text, in order of paths."""

    files: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    size: int = 0

    def say(self, file: str, code: str, message: str, fix: str = "") -> None:
        self.problems.append(Problem(Place(file), code, message, fix))

    def add(self, file: str, content: bytes) -> None:
        self.size += len(content)
        if len(content) > MAX_FILE_BYTES:
            self.say(file, "source.size", f"the file is larger than {MAX_FILE_BYTES >> 20} MiB", "split it")
        elif self.size <= MAX_PACKAGE_BYTES:
            self._decode(file, content)

    def _decode(self, file: str, content: bytes) -> None:
        try:
            self.files[file] = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            column = error.start - content.rfind(b"\n", 0, error.start)
            message = f"byte 0x{content[error.start]:02x} is not UTF-8"
            place = Place(file, line, column)
            self.problems.append(Problem(place, "source.encoding", message, "save the file as UTF-8"))


def read_files(path: Path) -> Texts:
    """The definitions and sample data of the package at `path`."""
    texts = Texts()
    shown = printable(str(path))
    try:
        if path.is_dir():
            _read_folder(path, texts)
        elif path.is_file() and zipfile.is_zipfile(path):
            _read_zip(path, texts)
        elif path.exists():
            texts.say("", "source.path", f"'{shown}' is neither a folder nor a zip file", "name the package's folder")
        else:
            texts.say("", "source.path", f"there is no '{shown}'")
    except (OSError, ValueError) as error:  # ValueError: a path that holds NUL
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        texts.say("", "source.path", f"'{shown}' cannot be read: {reason.lower()}")
    if texts.size > MAX_PACKAGE_BYTES:
        texts.say("", "source.size", f"the package is larger than {MAX_PACKAGE_BYTES >> 20} MiB")
    texts.files = dict(sorted(texts.files.items()))
    return texts


def printable(name: str) -> str:
    """A file's name as text: bytes that are not UTF-8 show as question marks."""
    return name.encode("utf-8", "replace").decode()


def is_definition(file: str) -> bool:
    """Whether a path within a package is read: definitions anywhere, CSV files in data/."""
    path = PurePosixPath(file)
    if any(part.startswith((".", "__")) for part in path.parts) or path.stem.upper() in PROSE:
        return False
    return path.suffix.lower() in SUFFIXES or (path.suffix.lower() == ".csv" and path.parts[0] == "data")


def _read_folder(root: Path, texts: Texts) -> None:
    home = root.resolve()
    for count, entry in enumerate(_entries(root), start=1):
        file = printable(Path(entry.path).relative_to(root).as_posix())
        if count > MAX_FILES:
            texts.say("", "source.size", f"the package has more than {MAX_FILES:,} files")
            return
        if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(home):
            texts.say(file, "source.link", "the link leads out of the package", "copy the file here")
        elif entry.is_symlink() and entry.is_dir():
            texts.say(file, "source.link", "a link to a folder is not followed", "copy the folder here")
        elif is_definition(file) and file in texts.files:  # of two names, neither of them UTF-8
            texts.say(file, "source.path", "another file's name reads like this one's", "rename one of the two")
        elif is_definition(file) and entry.is_file():
            with open(entry.path, "rb") as stream:
                texts.add(file, stream.read(MAX_FILE_BYTES + 1))
            if texts.size > MAX_PACKAGE_BYTES:
                return


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """All files and links below, hidden ones left out; folders are not followed through links."""
    waiting = [os.fspath(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as found:
            for entry in sorted(found, key=lambda e: e.name):
                if entry.name.startswith(".") or entry.name == "__pycache__":
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    yield entry


def _read_zip(path: Path, texts: Texts) -> None:
    if path.stat().st_size > MAX_PACKAGE_BYTES:
        texts.size = MAX_PACKAGE_BYTES + 1
        return
    if not _has_small_directory(path):
        texts.say("", "source.zip", f"the zip file has more than {MAX_FILES:,} entries, or is not one")
        return
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            if len(infos) > MAX_FILES:
                texts.say("", "source.size", f"the package has more than {MAX_FILES:,} files")
                return
            top = _common_folder([info.filename for info in infos])
            for info in infos:
                _read_entry(archive, info, top, texts)
                if texts.size > MAX_PACKAGE_BYTES:
                    return
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        texts.say("", "source.zip", f"the zip file is damaged: {str(error)[:80].lower()}")


def _has_small_directory(path: Path) -> bool:
    """Whether the directory at the zip's end is small enough to be parsed at all."""
    with open(path, "rb") as stream:
        stream.seek(0, os.SEEK_END)
        stream.seek(max(0, stream.tell() - 65_557))
        tail = stream.read()
    end = tail.rfind(b"PK\x05\x06")
    is_zip64 = b"PK\x06\x07" in tail[max(0, end - 20) : end]
    return end >= 0 and not is_zip64 and int.from_bytes(tail[end + 12 : end + 16], "little") <= MAX_FILES * 400


def _common_folder(names: list[str]) -> str:
    """The folder that all entries lie in, where the zip was made around the package's folder: "crm/"."""
    tops = {name.split("/")[0] for name in names}
    if len(tops) == 1 and all("/" in name for name in names):
        return f"{tops.pop()}/"
    return ""


def _read_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, top: str, texts: Texts) -> None:
    name = info.filename
    shown = name.removeprefix(top)
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or "\\" in name or ":" in name or "\0" in name:
        texts.say(shown, "source.zip", f"the entry '{name[:80]}' leads out of the package", "pack the folder again")
    elif stat.S_ISLNK(info.external_attr >> 16):
        texts.say(shown, "source.link", "a link in a zip file is not followed", "pack the file itself")
    elif info.is_dir() or not is_definition(shown):
        return
    elif info.flag_bits & 0x1:
        texts.say(shown, "source.zip", "the entry is encrypted", "pack the folder without a password")
    elif info.file_size > MAX_FILE_BYTES:
        texts.say(shown, "source.size", f"the file is larger than {MAX_FILE_BYTES >> 20} MiB", "split it")
    elif info.file_size > MAX_RATIO * max(info.compress_size, 64):
        texts.say(shown, "source.zip", f"the entry unpacks to more than {MAX_RATIO} times its size")
    elif shown in texts.files:
        texts.say(shown, "source.zip", f"the entry '{shown}' is in the zip file twice")
    else:
        try:
            with archive.open(info) as stream:
                texts.add(shown, stream.read(MAX_FILE_BYTES + 1))
        except Exception as error:  # zlib, lzma and zipfile each raise their own kind for damaged bytes
            texts.say(shown, "source.zip", f"the entry cannot be unpacked: {str(error)[:80].lower()}")
