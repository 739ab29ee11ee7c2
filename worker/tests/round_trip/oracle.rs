//! What the server itself makes of a text: COPY of a file with one line into a table with one column of the type.
//! Values stay there to be compared.

use std::collections::HashMap;

use crate::normal::Candidate;
use crate::server::Server;
use crate::types::{Family, Type};

/// The server's answer to a text.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// It is the value with this number.
    Taken(u64),
    Refused {
        code: String,
        message: String,
    },
}

/// What is known of one type.
pub(crate) struct Oracle {
    /// The table of the values, with the columns `id` and `v`.
    pub(crate) table: String,
    /// Whether the type has a value that is written as nothing: blanks at most, or no bytes.
    pub(crate) has_empty: bool,
    answers: HashMap<Candidate, Answer>,
    next: u64,
}

impl Oracle {
    pub(crate) fn new(server: &Server, kind: &Type, number: usize) -> Self {
        let table = format!("oracle_{number}");
        server.execute(&format!("CREATE TABLE {table} (id bigint PRIMARY KEY, v {})", kind.sql));
        let mut oracle =
            Self { table, has_empty: kind.family == Family::Text, answers: HashMap::new(), next: 0 };
        let empty = Some(String::new());
        oracle.learn(server, std::iter::once(&empty));
        if let Answer::Taken(id) = oracle.answer(&empty) {
            // Some take it as zero, which is another thing.
            let written =
                server.text(&format!("SELECT format('%s', v) FROM {} WHERE id = {id}", oracle.table));
            oracle.has_empty = matches!(written.trim(), "" | "\\x");
        }
        oracle
    }

    /// Has the server read what it was not asked about before.
    pub(crate) fn learn<'a>(&mut self, server: &Server, candidates: impl Iterator<Item = &'a Candidate>) {
        let mut new = Vec::new();
        for candidate in candidates {
            if !self.answers.contains_key(candidate) {
                self.next += 1;
                self.answers.insert(candidate.clone(), Answer::Taken(self.next));
                new.push((self.next, candidate));
            }
        }
        let lines: Vec<_> = new.iter().map(|(id, candidate)| line(*id, candidate)).collect();
        for (index, code, message) in server.read_each(&self.table, &lines) {
            self.answers.insert(new[index].1.clone(), Answer::Refused { code, message });
        }
    }

    /// What was learnt of this text.
    pub(crate) fn answer(&self, candidate: &Candidate) -> &Answer {
        &self.answers[candidate]
    }

    /// The first of the candidates that the server takes, else what it says of the first.
    pub(crate) fn first_taken(&self, candidates: &[Candidate]) -> &Answer {
        let mut answers = candidates.iter().map(|candidate| self.answer(candidate));
        answers
            .find(|answer| matches!(answer, Answer::Taken(_)))
            .unwrap_or_else(|| self.answer(&candidates[0]))
    }

    /// What the server makes of it, for people.
    pub(crate) fn shown(&self, server: &Server, value: Option<u64>) -> String {
        match value {
            None => "refuses it".to_owned(),
            Some(id) => server.text(&format!(
                "SELECT CASE WHEN num_nulls(v) = 1 THEN 'NULL' ELSE quote_literal(format('%s', v)) END FROM {} WHERE id = {id}",
                self.table
            )),
        }
    }

    /// How the server writes the values that it took.
    pub(crate) fn outputs(&self, server: &Server) -> Vec<String> {
        let rows = server.rows(&format!("SELECT format('%s', v) FROM {} WHERE num_nulls(v) = 0", self.table));
        rows.into_iter().flatten().flatten().collect()
    }
}

/// A line of COPY's text form.
fn line(id: u64, candidate: &Candidate) -> String {
    let text = match candidate {
        None => "\\N".to_owned(),
        Some(text) => {
            text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t")
        }
    };
    format!("{id}\t{text}\n")
}
