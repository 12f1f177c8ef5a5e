"""Blanks the language data inside a Node program, which is a third of it, so that it packs into two thirds.

    node_without_locales.py <node>

The file is changed in place and stays as long as it was. English and what no language owns remain: numbers, dates,
normal forms, case, properties of characters and encodings that WHATWG names apart from legacy ones. A Node that takes
its ICU from the system has none inside and stays as it is.

Layout of the data: ICU, "ICU Data", https://unicode-org.github.io/icu/userguide/icu_data/#icu-data-file-formats
(a header of UDataInfo with format "CmnD", a count, then pairs of offsets of names and items, in order).
"""

import re
import struct
import sys

FORMAT_AT = 12  # of "CmnD" behind the start of the header
MAGIC = b"\xda\x27"
LOCALE = re.compile(r"[a-z]{2,3}(_[A-Za-z0-9_]+)?\.res")


def items(data, start):
    """Yields name, begin and end of every item but the last, whose end the table does not tell."""
    (header_bytes,) = struct.unpack_from("<H", data, start)
    table = start + header_bytes
    (count,) = struct.unpack_from("<I", data, table)
    entries = [struct.unpack_from("<II", data, table + 4 + 8 * i) for i in range(count)]
    for (name_at, begin), (_, end) in zip(entries, entries[1:]):
        name_end = data.index(0, table + name_at)
        yield data[table + name_at : name_end].decode("ascii"), table + begin, table + end


def is_of_a_language(name):
    base = name.split("/")[-1]
    if LOCALE.fullmatch(base):
        return not base.startswith("en")
    return base.endswith(".cnv") or "translit/" in name or ("brkitr/" in name and base.endswith(".dict"))


def main():
    with open(sys.argv[1], "rb") as file:
        data = bytearray(file.read())
    blanked = 0
    for found in re.finditer(b"CmnD", bytes(data)):
        start = found.start() - FORMAT_AT
        if data[start + 2 : start + 4] != MAGIC:
            continue
        for name, begin, end in items(data, start):
            if is_of_a_language(name):
                data[begin:end] = bytes(end - begin)
                blanked += end - begin
    with open(sys.argv[1], "r+b") as file:
        file.write(data)
    print(f"{blanked} of {len(data)} bytes of Node blanked")


main()
