//! The template for AWS, checked without an account: by programs that nobody here wrote, and against what the binaries and
//! the state machines really need.

mod events;
mod grants;
mod limits;
mod needs;
mod page;
mod permissions;
mod variables;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

use crate::workspace::top;

fn read(file: &str) -> String {
    std::fs::read_to_string(top().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn python(script: &str, arguments: &[&str]) -> Output {
    let python = top().join("target/template/bin/python");
    assert!(python.is_file(), "{} is missing: `bash tests/run` makes it", python.display());
    // -B leaves no compiled files among the sources.
    Command::new(python).arg("-B").arg(top().join(script)).args(arguments).output().unwrap()
}

fn template_py(verb: &str, file: &Path) -> Output {
    python("tests/template/template.py", &[verb, file.to_str().unwrap()])
}

fn template_file() -> PathBuf {
    top().join("infra/aws/template.yaml")
}

/// The template, as it is written and as SAM transforms it.
struct Template {
    source: Value,
    transformed: Value,
}

impl Template {
    fn read() -> &'static Self {
        static TEMPLATE: OnceLock<Template> = OnceLock::new();
        TEMPLATE.get_or_init(|| {
            let output = template_py("transform", &template_file());
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let mut both: Value = serde_json::from_slice(&output.stdout).unwrap();
            Self { source: both["source"].take(), transformed: both["transformed"].take() }
        })
    }

    /// The template as it is deployed with a cap on imports, or without: what depends on it is decided.
    fn deployed(has_lanes: bool) -> Self {
        let mut transformed = Self::read().transformed.clone();
        let resources = transformed["Resources"].as_object_mut().unwrap();
        resources.retain(|_, resource| has_lanes || resource["Condition"] != "HasLanes");
        decide(&mut transformed["Resources"], has_lanes);
        Self { source: Self::read().source.clone(), transformed }
    }

    /// The resources of this type that are deployed, with their logical ids.
    fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        resources(&self.transformed)
            .filter(move |(_, resource)| resource["Type"] == kind)
            .map(|(id, resource)| (id, &resource["Properties"]))
    }

    /// The one resource of this type.
    fn only<'a>(&'a self, kind: &'a str) -> (&'a str, &'a Value) {
        let mut all = self.of_type(kind);
        let one = all.next().unwrap_or_else(|| panic!("the template has no {kind}"));
        assert!(all.next().is_none(), "the template has more than one {kind}");
        one
    }
}

/// Takes the branch of each choice that depends on whether there are lanes.
fn decide(value: &mut Value, has_lanes: bool) {
    if let Some([condition, yes, no]) = value["Fn::If"].as_array().map(Vec::as_slice)
        && (condition == "HasLanes" || condition == "StartsFromFifo")
    {
        *value = if has_lanes { yes } else { no }.clone();
    }
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(|item| decide(item, has_lanes));
            items.retain(|item| item["Ref"] != "AWS::NoValue");
        }
        Value::Object(fields) => fields.values_mut().for_each(|field| decide(field, has_lanes)),
        _ => {}
    }
}

fn resources(template: &Value) -> impl Iterator<Item = (&str, &Value)> {
    template["Resources"].as_object().unwrap().iter().map(|(id, resource)| (id.as_str(), resource))
}

#[test]
fn the_linter_of_cloudformation_finds_nothing_in_the_template_and_its_state_machines() {
    let output = template_py("lint", &template_file());
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_linter_finds_what_is_wrong_with_a_template_or_a_state_machine() {
    let definition = read("statemachine/import.asl.json");
    let whole = read("infra/aws/template.yaml");
    for (what, template, definition) in [
        (
            "E3034",
            whole.replace("MessageRetentionPeriod: 1209600", "MessageRetentionPeriod: 1209601"),
            &definition,
        ),
        (
            "E3601",
            whole.clone(),
            &definition.replace("\"StartAt\": \"CheckMessage\"", "\"StartAt\": \"Nothing\""),
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (aws, machines) = (folder.path().join("infra/aws"), folder.path().join("statemachine"));
        std::fs::create_dir_all(&aws).unwrap();
        std::fs::create_dir_all(&machines).unwrap();
        std::fs::write(aws.join("template.yaml"), &template).unwrap();
        std::fs::write(machines.join("import.asl.json"), definition).unwrap();
        let dead_letter = "statemachine/dead-letter.asl.json";
        std::fs::copy(top().join(dead_letter), folder.path().join(dead_letter)).unwrap();
        let output = template_py("lint", &aws.join("template.yaml"));
        let found = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.code() == Some(1) && found.contains(what), "{what}: {found}");
    }
}

#[test]
fn what_sam_makes_of_the_template_is_what_was_looked_at() {
    let resources = resources(&Template::read().transformed);
    let mut lines: Vec<_> =
        resources.map(|(id, resource)| format!("{id} {}\n", resource["Type"].as_str().unwrap())).collect();
    lines.sort();
    let (file, lines) = ("tests/template/resources.txt", lines.concat());
    #[expect(
        clippy::disallowed_methods,
        reason = "whoever changed the template on purpose rewrites the file"
    )]
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(top().join(file), &lines).unwrap();
    }
    assert_eq!(lines, read(file), "UPDATE_GOLDEN=1 rewrites {file}");
}

/// The widgets of the dashboard.
fn widgets() -> Vec<Value> {
    let (_, dashboard) = Template::read().only("AWS::CloudWatch::Dashboard");
    let mut body: Value =
        serde_json::from_str(dashboard["DashboardBody"]["Fn::Sub"][0].as_str().unwrap()).unwrap();
    serde_json::from_value(body["widgets"].take()).unwrap()
}

/// The names of the stack's own metrics that the dashboard shows.
pub(crate) fn dashboard_metrics() -> BTreeSet<String> {
    let widgets = widgets();
    let shown = widgets.iter().filter_map(|widget| widget["properties"]["metrics"].as_array()).flatten();
    let own = shown.filter(|metric| metric[0] == "Baton/${AWS::StackName}");
    own.map(|metric| metric[1].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_dashboard_can_be_read() {
    let widgets = widgets();
    let mut places: Vec<_> = widgets
        .iter()
        .map(|widget| (&widget["x"], &widget["y"]))
        .map(|(x, y)| (x.as_i64(), y.as_i64()))
        .collect();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), widgets.len(), "two widgets lie upon each other");
}

/// Every text in a value.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
        _ => {}
    }
}

#[test]
fn the_template_fixes_no_name_no_account_and_no_region() {
    let template = Template::read();
    for (id, resource) in resources(&template.transformed) {
        for (property, value) in resource["Properties"].as_object().into_iter().flatten() {
            // A PolicyName is one within its role.
            let is_name = property.ends_with("Name") && property != "PolicyName" && property != "MetricName";
            assert!(!(is_name && value.is_string()), "{id} fixes {property}: {value}");
        }
        let mut all = Vec::new();
        texts(&resource["Properties"], &mut all);
        for text in all {
            let is_fixed =
                text.starts_with("arn:aws") || text.contains("ap-northeast") || text.contains("us-east");
            let has_account = text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() == 12);
            assert!(!is_fixed && !has_account, "{id} fixes {text:?}");
        }
    }
}
