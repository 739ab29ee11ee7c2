"""What Python's own csv module says of a file, without any help from Baton but the encoding's name where the file is not UTF-8."""

import codecs
import csv
import io
import statistics

csv.field_size_limit(1 << 30)

# Baton's names of encodings, which are the WHATWG's, as Python has them.
CODECS = {"cp932": "cp932", "euc-jp": "euc_jp", "windows-1252": "cp1252", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be"}


def text_of(content, reported):
    """The file's text, and what it is written in."""
    for mark, codec in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if content.startswith(mark):
            return content[len(mark) :].decode(codec), codec
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        codec = CODECS.get((reported or "").split(" ")[0], "cp1252")
        return content.decode(codec, errors="replace"), codec


def delimiter_of(name, text):
    """What cuts the first rows most evenly into more than one field."""
    if ".tsv" in name.lower() or ".tab" in name.lower():
        return "\t"
    best, delimiter = 0, ","
    for candidate in ",;\t|":
        counts = [len(row) for _, row in zip(range(50), rows_of(text[:200_000], candidate)) if row]
        mode = statistics.mode(counts) if counts else 1
        evenness = counts.count(mode) / len(counts) if mode > 1 else 0
        if evenness > best:
            best, delimiter = evenness, candidate
    return delimiter


def rows_of(text, delimiter):
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def read(name, content, reported):
    """The header and the rows; blank lines are none."""
    text, encoding = text_of(content, reported)
    delimiter = delimiter_of(name, text)
    rows = [row for row in rows_of(text, delimiter) if row]
    return (rows[0] if rows else []), rows[1:], encoding, delimiter
