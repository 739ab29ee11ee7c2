# What is run again and again while one works here. `bash tests/run` is every test, `bash .ci/run` the gate: neither needs `just`.
# These need cargo-nextest (https://nexte.st), and for all but `fast` what `bash tests/run` installs.

# List what there is.
_default:
    @just --list --unsorted

# Units, the contract and pure cores: what needs no program and no stack.
fast *filter:
    tests/with-postgres cargo nextest run --workspace --lib --bins --test definition --test handler {{filter}}

# The tests of one crate, compiled as `all` compiles them.
crate name *filter:
    tests/with-postgres cargo nextest run --workspace --no-tests warn -E 'package({{name}})' {{filter}}

# End-to-end tests whose name contains one of these.
e2e *filter:
    cargo build --workspace --bins
    tests/with-postgres cargo nextest run --workspace -E 'package(e2e)' {{filter}}

# Every test, and what the tests need.
all *filter:
    bash tests/run {{filter}}

# What has to pass before a change lands.
gate:
    bash .ci/run
