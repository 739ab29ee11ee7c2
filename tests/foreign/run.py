"""Imports files that nobody here wrote, out of pinned packages of PyPI and npm, into SQLite and PostgreSQL by `baton run --create-table`,
and compares what is stored with what Python's csv module says of the file. tests/README.md says more."""

import argparse
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import comparing
import databases
import fetch
import reading

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
SHOWN = 3


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--baton", type=pathlib.Path, default=TOP / "target/debug/baton", help="the program under test")
    parser.add_argument("--only", default="", help="only packages and files that have this in their names")
    parser.add_argument("--most", type=int, default=6, help="how many files of a package are taken")
    parser.add_argument("--largest", type=int, default=4_000_000, help="the most bytes of a file")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="one database alone")
    parser.add_argument("--cache", type=pathlib.Path, default=TOP / "target/foreign", help="where packages are kept")
    return parser.parse_args()


class Stack:
    """`baton up` in a folder of its own, so that not every import starts one."""

    def __init__(self, baton, database, folder):
        self.baton, self.database, self.folder = baton, database, folder
        self.log = open(folder / f"{database.name}.log", "w")
        self.process = subprocess.Popen(
            [baton, "up", "--port", "0", "--console-port", "0", *self.common()],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True,
        )
        for line in self.process.stdout:
            if line.startswith("export AWS_SECRET_ACCESS_KEY="):
                return
        raise SystemExit(f"the stack does not come up: {pathlib.Path(self.log.name).read_text()}")

    def common(self):
        return ["--data-dir", self.folder / self.database.name, "--database-url", self.database.url]

    def run(self, file, table):
        """The report where the file was imported, or the sentences that say why it was not."""
        command = [self.baton, "run", file, "--table", table, "--create-table", "--json", *self.common()]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=900)
        report = json.loads(ended.stdout) if ended.stdout.startswith("{") else {}
        report = report.get("import", {})
        if ended.returncode == 0:
            return report, None
        own = [line for line in ended.stderr.splitlines() if not line.startswith("target: ")]
        return report, (report.get("cause") or "\n".join(own)).strip()

    def end(self):
        self.process.terminate()
        self.process.wait()


def outcome(stack, path, table, name, content):
    """`imported`, `refused` or `DIFFERS`, and what is to be said of it."""
    report, refusal = stack.run(path, table)
    if refusal is not None:
        return "refused", refusal
    findings = report["findings"]
    header, rows, encoding, delimiter = reading.read(name, fetch.opened(name, content), findings.get("encoding"))
    columns, stored = stack.database.table(table)
    found = comparing.differences(columns, stored, header, rows)
    if not found:
        return "imported", f"{report['rows']} rows"
    more = [f"… and {len(found) - SHOWN} differences more"] if len(found) > SHOWN else []
    written = f"Baton read {findings.get('encoding')}, {findings.get('delimiter')}; Python {encoding}, {delimiter!r}"
    return "DIFFERS", "\n".join([*found[:SHOWN], *more, written])


def expected_refusals():
    """Which files may be refused, and why."""
    lines = (HERE / "refused.txt").read_text().splitlines()
    pairs = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {(database, file): reason for file, databases, reason in pairs for database in databases.split(",")}


def main():
    options = arguments()
    if not options.baton.is_file():
        raise SystemExit(f"missing: {options.baton}: `cargo build --workspace --bins` makes it")
    for program in ("npm",):
        if not shutil.which(program):
            raise SystemExit(f"missing: {program}")
    # Whatever ends this ends its servers.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda *_: sys.exit(1))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="baton-foreign."))
    kinds = [kind for kind in (databases.Sqlite, databases.Postgres) if options.database in (None, kind.name)]
    running = []
    try:
        for kind in kinds:
            running.append(kind(folder))
        stacks = []
        for database in list(running):
            stacks.append(Stack(options.baton, database, folder))
            running.append(stacks[-1])
        return import_all(options, stacks, folder)
    finally:
        for one in reversed(running):
            one.end()
        shutil.rmtree(folder, ignore_errors=True)


def import_all(options, stacks, folder):
    listed = fetch.packages(HERE / "packages.txt")
    may_be_refused = expected_refusals()
    counts = {"packages": 0, "files": 0, "imported": 0, "refused": 0, "DIFFERS": 0, "unexpected": 0}
    for registry, package in listed:
        if options.only and options.only not in package and "/" not in options.only:
            continue
        files = fetch.chosen(fetch.files(fetch.archive(registry, package, options.cache)), options.most, options.largest)
        files = [file for file in files if options.only in f"{package}/{file[0]}"]
        counts["packages"] += bool(files)
        for name, _, read in files:
            counts["files"] += 1
            content = read(name)
            path = folder / pathlib.Path(name).name
            path.write_bytes(content)
            for stack in stacks:
                what, said = outcome(stack, path, f"t{counts['files']}", name, content)
                file = f"{package.split('==')[0] if registry == 'pypi' else package.rsplit('@', 1)[0]}/{name}"
                reason = may_be_refused.get((stack.database.name, file))
                is_expected = what == ("refused" if reason else "imported")
                counts[what] += 1
                counts["unexpected"] += not is_expected
                print(f"{what:<9} {'' if is_expected else 'UNEXPECTED '}{stack.database.name:<10} {file}")
                print("".join(f"            {line}\n" for line in said.splitlines()[:8]), end="", flush=True)
            path.unlink()
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    return 1 if counts["unexpected"] or not counts["files"] else 0


if __name__ == "__main__":
    sys.exit(main())
