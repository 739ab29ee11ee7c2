"""Loads a CSV file with pandas' to_sql, as its documentation has it: python pandas_load.py DATABASE_URL FILE [multi]."""

import decimal
import sys

import pandas
import sqlalchemy

CHUNK_ROWS = 1000

url = sys.argv[1]
if url.startswith("sqlite:"):
    url = "sqlite:///" + url.removeprefix("sqlite:")
else:
    url = url.replace("postgres://", "postgresql+psycopg://", 1)
engine = sqlalchemy.create_engine(url)

# Texts stay texts, so that the database reads an id or a price as it stands.
types = {"id": str, "name": str, "quantity": "int64", "price": str, "active": bool, "note": str}
frame = pandas.read_csv(sys.argv[2], dtype=types, parse_dates=["born", "seen"])
frame["born"] = frame["born"].dt.date
as_they_are = {}
if engine.dialect.name == "postgresql":
    as_they_are = {"id": sqlalchemy.Uuid(as_uuid=False), "price": sqlalchemy.Numeric(12, 2)}
    frame["price"] = frame["price"].map(decimal.Decimal)
with engine.begin() as connection:
    frame.to_sql(
        "loaded",
        connection,
        if_exists="append",
        index=False,
        chunksize=CHUNK_ROWS,
        method="multi" if "multi" in sys.argv[3:] else None,
        dtype=as_they_are,
    )
