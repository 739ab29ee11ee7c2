"""Whether what a table has is what the file says, cell by cell: a text to the letter, everything else by its value."""

import datetime
import decimal
import unicodedata

WORDS = {"true": True, "t": True, "yes": True, "y": True, "on": True, "1": True}
WORDS |= {"false": False, "f": False, "no": False, "n": False, "off": False, "0": False}


def differences(columns, stored, header, rows):
    """Sentences about where the two differ; an empty list is what is wanted."""
    width = len(columns)
    if len(header) > width and not any(header[width:]) and not any(any(row[width:]) for row in rows):
        header, rows = header[:width], [row[:width] for row in rows]
    if len(header) != width:
        return [f"the table has {width} columns, the header {len(header)}"]
    if len(stored) != len(rows):
        return [f"the table has {len(stored)} rows, the file {len(rows)}"]
    found = []
    for number, (row, values) in enumerate(zip(rows, stored), start=1):
        for (name, kind), cell, value in zip(columns, row, values):
            if not is_same(kind, cell, value):
                found.append(f"row {number}, column {name} ({kind}): the file has {cell!r}, the table {value!r}")
    return found


def is_same(kind, cell, value):
    if value is None:
        return not cell.strip()
    if kind == "text":
        return value == cell
    try:
        return of_kind(kind, cell) == of_kind(kind, str(value))
    except (ValueError, KeyError, decimal.InvalidOperation):
        return False


def of_kind(kind, text):
    """The value that a text means in a column of this type."""
    text = unicodedata.normalize("NFKC", text).strip()
    if kind in ("integer", "bigint", "smallint") or kind.startswith(("numeric", "decimal", "real", "double")):
        return decimal.Decimal(text)
    if kind == "boolean":
        return WORDS[text.lower()]
    if kind == "date":
        return datetime.date.fromisoformat(text)
    if kind.startswith("timestamp"):
        moment = datetime.datetime.fromisoformat(text)
        return moment.astimezone(datetime.timezone.utc) if moment.tzinfo else moment
    if kind == "uuid":
        return text.strip("{}").replace("-", "").lower()
    raise ValueError(kind)
