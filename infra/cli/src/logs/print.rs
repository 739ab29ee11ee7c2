//! Lines for a person, each container under a heading of its own; or an object for each line.

use chrono::SecondsFormat;
use ops::logs::containers::ContainerLog;
use ops::logs::line::LogLine;
use ops::text::visible;
use serde_json::{Value, json};

use crate::output;

/// Prints lines, and a heading where they are those of another container than the lines before.
pub(crate) struct Printer {
    json: bool,
    /// The container whose lines were printed last.
    task_arn: Option<String>,
}

impl Printer {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, task_arn: None }
    }

    pub(crate) fn lines(
        &mut self,
        container: &ContainerLog,
        attempt: Option<u64>,
        lines: &[LogLine],
    ) -> anyhow::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        if self.json {
            for line in lines {
                output::line(&serde_json::to_string(&as_json(container, attempt, line))?);
            }
            return Ok(());
        }
        self.heading(container, attempt);
        lines.iter().for_each(|line| output::line(&as_text(line)));
        Ok(())
    }

    /// A container whose lines are not there.
    pub(crate) fn gone(&mut self, container: &ContainerLog, log_group: &str) {
        let task = container.task_id();
        let why = format!(
            "the log group {log_group} does not have, or no longer has, the lines of the task {task}"
        );
        if self.json {
            output::complain(&why);
        } else {
            self.heading(container, None);
            output::line(&format!("  {why}"));
        }
    }

    fn heading(&mut self, container: &ContainerLog, attempt: Option<u64>) {
        if self.task_arn.as_ref() == Some(&container.task_arn) {
            return;
        }
        if self.task_arn.is_some() {
            output::line("");
        }
        self.task_arn = Some(container.task_arn.clone());
        let (first, execution) = heading(container, attempt);
        output::line(&first);
        output::line(&execution);
    }
}

/// What is said of a container, in two lines.
fn heading(container: &ContainerLog, attempt: Option<u64>) -> (String, String) {
    let attempt = attempt.map_or_else(|| "no attempt".to_owned(), |attempt| format!("attempt {attempt}"));
    let from = container.submitted_at.format("%Y-%m-%d %H:%M:%S");
    let to = container.ended_at.map_or_else(String::new, |ended| ended.format(" to %H:%M:%S").to_string());
    let ended_as = container.ended_as.as_deref().unwrap_or("running");
    let first = format!("{attempt}  {}  {from}{to} UTC  task {}", visible(ended_as), container.task_id());
    (first, format!("execution  {}", container.execution_arn))
}

fn as_text(line: &LogLine) -> String {
    let time = line.time.format("%H:%M:%S%.3f");
    let level = line.level.as_deref().unwrap_or("");
    let mut text = format!("  {time}  {:<5}  {}", visible(level), visible(&line.message));
    for (name, value) in line.details() {
        let value = match value {
            Value::String(value) if !value.is_empty() && !value.contains([' ', '"', '=']) => visible(value),
            // With its quotes, so that it is seen where it ends.
            other => visible(&other.to_string()),
        };
        text.push_str(&format!("  {}={value}", visible(name)));
    }
    text.trim_end().to_owned()
}

fn as_json(container: &ContainerLog, attempt: Option<u64>, line: &LogLine) -> Value {
    json!({
        "time": line.time.to_rfc3339_opts(SecondsFormat::Micros, true),
        "level": line.level,
        "message": line.message,
        "fields": line.fields,
        "attempt": attempt,
        "task_arn": container.task_arn,
        "execution_arn": container.execution_arn,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_readable_and_moves_no_cursor() {
        let text = json!({"timestamp": "2026-11-24T09:32:10.807812Z", "level": "ERROR", "message": "It \u{1b}[31m failed",
            "cause": "no table \"people\"", "error_name": "Import.TableMissing", "rows": 3, "target": "worker::job"});
        assert_eq!(
            as_text(&LogLine::read(&text.to_string(), 0)),
            "  09:32:10.807  ERROR  It \\u{1b}[31m failed  cause=\"no table \\\"people\\\"\"  \
             error_name=Import.TableMissing  rows=3"
        );
        assert_eq!(as_text(&LogLine::read("killed", 0)), "  00:00:00.000         killed");
    }
}
