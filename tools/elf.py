"""Reads what an ELF file needs of other libraries, and changes where it looks for them."""

import mmap
import struct
from pathlib import Path

DYNAMIC, DYNAMIC_SYMBOLS, NEEDED_VERSIONS = 6, 11, 0x6FFFFFFE  # kinds of sections
LIBRARY, OLD_SEARCH_PATH, SEARCH_PATH = 1, 15, 29  # tags of dynamic entries


class NotElf(Exception):
    """One line for the user: which file, and what is wrong with it."""


class Elf:
    """A 64-bit little-endian program or library: bytes, a bytearray that may be changed, or a file's path."""

    def __init__(self, content, name):
        self.name = name
        self.file = None
        if isinstance(content, Path):
            self.file = open(content, "rb")
            content = mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_READ)
        self.bytes = content
        if self.bytes[:6] != b"\x7fELF\x02\x01":
            raise NotElf(f"{name} is no 64-bit little-endian ELF file, so it cannot be packed")
        table, size, count = self.unpack("<40xQ10xHH", 0)
        # Of each section: kind, offset, size, and the section of its strings.
        self.sections = [self.unpack("<4xI16xQQI", table + size * index) for index in range(count)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.file:
            self.bytes.close()
            self.file.close()

    def unpack(self, form, offset):
        return struct.unpack_from(form, self.bytes, offset)

    def section(self, kind):
        """Offset, size and offset of the strings of the section of this kind; it is empty where there is none."""
        for found, offset, size, strings in self.sections:
            if found == kind:
                return offset, size, self.sections[strings][1]
        return 0, 0, 0

    def string(self, offset):
        return bytes(self.bytes[offset : self.bytes.find(b"\0", offset)]).decode()

    def dynamic(self):
        """Tags and values of the dynamic section."""
        offset, size, _ = self.section(DYNAMIC)
        return [self.unpack("<qQ", offset + at) for at in range(0, size, 16)]

    def needed_libraries(self):
        strings = self.section(DYNAMIC)[2]
        return [self.string(strings + value) for tag, value in self.dynamic() if tag == LIBRARY]

    def needed_versions(self):
        """Versions of symbols that other libraries must have, such as GLIBC_2.34."""
        library, size, strings = self.section(NEEDED_VERSIONS)
        found = set()
        while size:
            count, first, next_library = self.unpack("<2xH4xII", library)
            version = library + first
            for _ in range(count):
                name, next_version = self.unpack("<8xII", version)
                found.add(self.string(strings + name))
                version += next_version
            if not next_library:
                break
            library += next_library
        return found

    def search_path_offset(self):
        strings = self.section(DYNAMIC)[2]
        for tag, value in self.dynamic():
            if tag in (SEARCH_PATH, OLD_SEARCH_PATH):
                return strings + value
        raise NotElf(f"{self.name} has no search path for libraries: run `make build`")

    def search_path(self):
        return self.string(self.search_path_offset())

    def set_search_path(self, path):
        """Writes a shorter search path over the one that is there, and zeros over the rest."""
        start, old = self.search_path_offset(), self.search_path()
        if len(path) > len(old):
            raise NotElf(f"the search path {old} of {self.name} has no room for {path}")
        if any(start < offset <= start + len(old) for offset in self.string_offsets()):
            raise NotElf(f"{self.name} uses its search path as part of another name, so it cannot be changed")
        self.bytes[start : start + len(old)] = path.encode().ljust(len(old), b"\0")

    def string_offsets(self):
        """Where names begin among the dynamic strings; linkers let a name be the end of another."""
        offset, size, strings = self.section(DYNAMIC_SYMBOLS)
        for at in range(offset, offset + size, 24):
            yield strings + self.unpack("<I", at)[0]
        strings = self.section(DYNAMIC)[2]
        yield from (strings + value for tag, value in self.dynamic() if tag == LIBRARY)
