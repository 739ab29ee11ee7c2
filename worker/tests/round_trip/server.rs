//! The servers that decide: the installed one, and two later ones that `bash tests/run` puts below `target`. They are asked
//! through a client that is not the worker's connection.

use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::postgres::Cluster;
use crate::unpacked::{self, open_to_all};

/// A running server, and a database of its own.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) version: String,
    client: Client,
    runtime: Runtime,
    /// A folder that the server may write to as well.
    folder: TempDir,
    _cluster: Cluster,
    /// The programs, where they had to be copied to be run.
    _copy: Option<TempDir>,
}

/// A row as the server writes it.
pub(crate) type Row = Vec<Option<String>>;

/// Each file in a COPY of its own, within a savepoint.
const READ_EACH: &str = "
CREATE FUNCTION read_each(target text, folder text, files int)
RETURNS TABLE (file int, code text, message text) LANGUAGE plpgsql AS $$
BEGIN
  FOR number IN 0 .. files - 1 LOOP
    BEGIN
      EXECUTE format('COPY %s FROM %L', target, folder || number);
    EXCEPTION WHEN OTHERS THEN
      -- A message may end in the midst of a character.
      file := number; code := SQLSTATE; message := encode(textsend(SQLERRM), 'escape');
      RETURN NEXT;
    END;
  END LOOP;
END $$";

impl Server {
    /// The server that is installed.
    pub(crate) fn installed() -> Self {
        Self::of(Cluster::start("-F", &[]), None)
    }

    /// The server of a version that `bash tests/run` puts below `target`.
    pub(crate) fn unpacked(version: &str) -> Self {
        let (cluster, copy) = unpacked::start(version);
        Self::of(cluster, copy)
    }

    fn of(cluster: Cluster, copy: Option<TempDir>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let url = cluster.create_database();
        let (client, connection) = runtime.block_on(tokio_postgres::connect(&url, NoTls)).unwrap();
        runtime.spawn(connection);
        let folder = TempDir::new().unwrap();
        open_to_all(folder.path(), 0o777);
        let mut server =
            Self { url, version: String::new(), client, runtime, folder, _cluster: cluster, _copy: copy };
        // As the worker has its sessions.
        server.execute("SET TIME ZONE 'UTC'");
        server.execute(READ_EACH);
        server.version = server.text("SHOW server_version").split(' ').next().unwrap_or_default().to_owned();
        server
    }

    pub(crate) fn major(&self) -> u32 {
        self.version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or_default()
    }

    pub(crate) fn execute(&self, sql: &str) {
        let done = self.runtime.block_on(self.client.batch_execute(sql));
        done.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    pub(crate) fn rows(&self, sql: &str) -> Vec<Row> {
        let messages = self.runtime.block_on(self.client.simple_query(sql));
        let messages = messages.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let row = |message: SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
            }
            _ => None,
        };
        messages.into_iter().filter_map(row).collect()
    }

    /// The one text that a query gives.
    pub(crate) fn text(&self, sql: &str) -> String {
        self.rows(sql).into_iter().flatten().flatten().next().unwrap_or_default()
    }

    /// Copies lines in COPY's text form into `target`.
    pub(crate) fn copy_in(&self, target: &str, lines: &str) {
        let file = self.folder.path().join("in");
        std::fs::write(&file, lines).unwrap();
        self.execute(&format!("COPY {target} FROM '{}'", file.display()));
    }

    /// Copies each line by itself into `target`. Those that the server refuses, each with the SQLSTATE and the words.
    pub(crate) fn read_each(&self, target: &str, lines: &[String]) -> Vec<(usize, String, String)> {
        for (index, line) in lines.iter().enumerate() {
            std::fs::write(self.folder.path().join(index.to_string()), line).unwrap();
        }
        let (folder, count) = (self.folder.path().display(), lines.len());
        let refused = self.rows(&format!("SELECT * FROM read_each('{target}', '{folder}/', {count})"));
        let refused = refused.into_iter().map(|row| {
            let mut row = row.into_iter().map(Option::unwrap_or_default);
            let mut next = || row.next().unwrap_or_default();
            (next().parse().unwrap(), next(), next())
        });
        refused.collect()
    }

    /// Has the server read each row of `source` back into `own`.
    pub(crate) fn read_back(&self) {
        self.text(&format!("SELECT read_back('{}')", self.folder.path().join("row").display()));
    }

    /// What the server's COPY writes of a table, with these options.
    pub(crate) fn copy_out(&self, source: &str, options: &str) -> Vec<u8> {
        let file = self.folder.path().join("out");
        self.execute(&format!("COPY {source} TO '{}' ({options})", file.display()));
        let bytes = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        bytes
    }
}
