"""Whether what a table has is what the file says, cell by cell: a text to the letter, everything else by its value."""

import collections
import datetime
import decimal
import unicodedata

WORDS = {"true": True, "t": True, "yes": True, "y": True, "on": True, "1": True}
WORDS |= {"false": False, "f": False, "no": False, "n": False, "off": False, "0": False}


def differences(columns, stored, header, rows):
    """Sentences about where the two differ; an empty list is what is wanted. A table has no order of its own, so that rows are
    compared as a whole only where they differ one by one."""
    width = len(columns)
    if len(header) > width and not any(header[width:]) and not any(any(row[width:]) for row in rows):
        header, rows = header[:width], [row[:width] for row in rows]
    if len(header) != width:
        return [f"the table has {width} columns, the header {len(header)}"]
    if len(stored) != len(rows):
        return [f"the table has {len(stored)} rows, the file {len(rows)}"]
    kinds = [kind for _, kind in columns]
    said = [tuple(map(value_of, kinds, row)) for row in rows]
    there = [tuple(map(value_of, kinds, row)) for row in stored]
    if collections.Counter(said) == collections.Counter(there):
        return []
    missing, surplus = (list((collections.Counter(a) - collections.Counter(b)).elements()) for a, b in ((said, there), (there, said)))
    pairs = zip(sorted(missing, key=repr), sorted(surplus, key=repr))
    return [f"the file has {row(columns, a, b)}, the table {row(columns, b, a)}" for a, b in pairs]


def row(columns, values, others):
    """The values that differ, of a row and the one nearest to it."""
    unlike = [(name, kind, value) for (name, kind), value, other in zip(columns, values, others) if value != other]
    return ", ".join(f"{name} ({kind}) {value!r}" for name, kind, value in unlike[:3])


def value_of(kind, cell):
    """What a cell means in a column of this type. An empty field is nothing, whether it is stored as NULL or as an empty text; what
    has no such value is itself, and so unlike any."""
    if cell is None or cell == "":
        return None
    text = str(cell)
    if kind == "text":
        return text
    if not text.strip():
        return None
    try:
        return of_kind(kind, unicodedata.normalize("NFKC", text).strip())
    except (ValueError, KeyError, decimal.InvalidOperation):
        return "no " + kind, text


def of_kind(kind, text):
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
