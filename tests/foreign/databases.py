"""The databases that are imported into, and what is in a table of theirs, asked without Baton."""

import os
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess


class Sqlite:
    name = "sqlite"

    def __init__(self, folder):
        self.file = folder / "rows.db"
        self.url = f"sqlite:{self.file}"

    def table(self, name):
        """The columns as pairs of a name and a type, and the rows in the order in which they were written."""
        with sqlite3.connect(self.file) as connection:
            columns = connection.execute("SELECT name, lower(type) FROM pragma_table_info(?)", (name,)).fetchall()
            rows = connection.execute(f'SELECT * FROM "{name}" ORDER BY rowid').fetchall()
        return columns, rows

    def end(self):
        pass


class Postgres:
    """A throw-away cluster. PostgreSQL refuses to run as root, so that it runs as another user then."""

    name = "postgresql"

    def __init__(self, folder):
        self.programs = programs()
        self.data = folder / "postgresql"
        self.data.mkdir()
        self.user = []
        if os.getuid() == 0:
            self.user = ["runuser", "-u", "postgres", "--"]
            shutil.chown(self.data, "postgres")
            folder.chmod(0o755)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.run("initdb", "-D", "data", "-U", "baton", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = f"-F -k {self.data} -h 127.0.0.1 -p {self.port}"
        self.run("pg_ctl", "-D", "data", "-l", "log", "-w", "-o", options, "start")
        self.url = f"postgres://baton@127.0.0.1:{self.port}/postgres"

    def run(self, program, *arguments):
        command = [*self.user, self.programs / program, *arguments]
        subprocess.run(command, cwd=self.data, check=True, stdout=subprocess.DEVNULL)

    def copied(self, query):
        """What the server's COPY writes, its escapes undone."""
        command = [self.programs / "psql", self.url, "-XqAt", "-c", "SET TimeZone = 'UTC'", "-c", f"COPY ({query}) TO STDOUT"]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode()
        # Only LF ends a row; other separators of lines may be in a value.
        return [tuple(plain(value) for value in line.split("\t")) for line in output.split("\n")[:-1]]

    def table(self, name):
        columns = self.copied(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
            f"WHERE attrelid = '\"{name}\"'::regclass AND attnum > 0 ORDER BY attnum"
        )
        return columns, self.copied(f'SELECT * FROM "{name}" ORDER BY ctid')

    def end(self):
        self.run("pg_ctl", "-D", "data", "-m", "immediate", "stop")


ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def plain(value):
    if value == "\\N":
        return None
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), value)


def programs():
    """The folder of PostgreSQL's programs."""
    packaged = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
    linked = shutil.which("initdb")
    folders = ([pathlib.Path(linked).resolve().parent] if linked else []) + packaged[::-1]
    for folder in folders:
        if all((folder / program).is_file() for program in ("initdb", "pg_ctl", "psql")):
            return folder
    raise SystemExit("missing: PostgreSQL's server and psql: Debian's package postgresql, or its equivalent")
