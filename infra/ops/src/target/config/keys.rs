//! Reading the keys of one table: what is missing, of the wrong kind or misspelt is collected, by its whole name.

use toml::{Table, Value};

/// The keys of a table.
pub(super) struct Keys<'t, 'p> {
    /// What stands before a key in its whole name, such as `targets.prod.`.
    place: &'p str,
    table: &'t Table,
    problems: &'p mut Vec<String>,
    known: Vec<&'static str>,
}

impl<'t, 'p> Keys<'t, 'p> {
    pub(super) fn new(place: &'p str, table: &'t Table, problems: &'p mut Vec<String>) -> Self {
        Self { place, table, problems, known: Vec::new() }
    }

    pub(super) fn problem(&mut self, key: &str, problem: &str) {
        self.problems.push(format!("{}{key} {problem}", self.place));
    }

    /// A text that has to be there.
    pub(super) fn required(&mut self, key: &'static str) -> Option<String> {
        if !self.table.contains_key(key) {
            self.problem(key, "is missing");
        }
        self.optional(key)
    }

    /// A text.
    pub(super) fn optional(&mut self, key: &'static str) -> Option<String> {
        self.known.push(key);
        match self.table.get(key) {
            None => None,
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            Some(Value::String(_)) => {
                self.problem(key, "is empty");
                None
            }
            Some(_) => {
                self.problem(key, "is no text: write it in quotes");
                None
            }
        }
    }

    /// A table of tables.
    pub(super) fn table(&mut self, key: &'static str) -> Option<&'t Table> {
        self.known.push(key);
        let value = self.table.get(key)?;
        if !value.is_table() {
            self.problem(key, "is no table");
        }
        value.as_table()
    }

    /// An address that has to be there.
    pub(super) fn url(&mut self, key: &'static str) -> Option<String> {
        let url = self.required(key)?;
        self.check_url(key, &url);
        Some(url)
    }

    /// An address of what only some deployments have: empty in those that do not.
    pub(super) fn optional_url(&mut self, key: &'static str) -> Option<String> {
        if matches!(self.table.get(key), Some(Value::String(text)) if text.is_empty()) {
            self.known.push(key);
            return None;
        }
        let url = self.optional(key)?;
        self.check_url(key, &url);
        Some(url)
    }

    fn check_url(&mut self, key: &str, url: &str) {
        if !url.starts_with("https://") && !url.starts_with("http://") {
            self.problem(key, "is no URL: it begins with https://");
        }
    }

    /// The ARN of a state machine, which has to be there.
    pub(super) fn machine(&mut self, key: &'static str, region: Option<&str>) -> Option<String> {
        self.arn(key, "states", "stateMachine:", region)
    }

    /// An ARN that has to be there: `arn:<partition>:<service>:<region>:<account>:<resource>…`.
    pub(super) fn arn(
        &mut self,
        key: &'static str,
        service: &str,
        resource: &str,
        region: Option<&str>,
    ) -> Option<String> {
        let arn = self.required(key)?;
        let parts: Vec<_> = arn.splitn(6, ':').collect();
        match parts[..] {
            ["arn", _, of, there, account, named]
                if of == service
                    && named.starts_with(resource)
                    && account.len() == 12
                    && account.bytes().all(|digit| digit.is_ascii_digit()) =>
            {
                if region.is_some_and(|region| region != there) {
                    self.problem(key, &format!("is in {there}, and region says otherwise"));
                }
            }
            _ => {
                self.problem(key, &format!("is no ARN like arn:aws:{service}:REGION:ACCOUNT:{resource}NAME"))
            }
        }
        Some(arn)
    }

    /// Complains of the keys that nobody has asked for.
    pub(super) fn finish(self) {
        for key in self.table.keys().filter(|key| !self.known.contains(&key.as_str())) {
            let nearest = nearest(key, &self.known).map(|nearest| format!("; is it {nearest:?}?"));
            let hint = nearest.unwrap_or_else(|| format!("; there are {}", self.known.join(", ")));
            self.problems.push(format!("there is no key {}{key}{hint}", self.place));
        }
    }
}

/// The name that was meant, most likely.
pub(super) fn nearest<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    let alike = known.iter().map(|known| (strsim::jaro_winkler(name, known), *known));
    let (alike, best) = alike.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    // Of short names two letters in the wrong order are much.
    (alike > 0.8 || strsim::osa_distance(name, best) == 1).then_some(best)
}
