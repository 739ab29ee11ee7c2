use super::*;

pub(in crate::import) const IMPORT: &str = include_str!("../../../../../statemachine/import.asl.json");
pub(in crate::import) const DEAD_LETTER: &str =
    include_str!("../../../../../statemachine/dead-letter.asl.json");
/// With what neither of ours has: a loop, a way past three states, `Map`, `Parallel`, and a state that is not reached.
pub(in crate::import) const MADE_UP: &str = r#"{"StartAt": "Look", "States": {
    "Look": {"Type": "Choice", "Default": "Wait a <while>", "Choices": [
        {"Variable": "$.n", "NumericEquals": 3, "Next": "Each"},
        {"And": [], "Next": "Done"},
        {"Condition": "{% $states.input.again and $states.input.really %}", "Next": "Look"}]},
    "Wait a <while>": {"Type": "Wait", "Seconds": 5, "Next": "Look"},
    "Each": {"Type": "Map", "ItemProcessor": {"States": {"A": {}, "B": {}}}, "Next": "Both",
        "Catch": [{"ErrorEquals": ["A.B", "C.D"], "Next": "Done"}]},
    "Both": {"Type": "Parallel", "Branches": [{"States": {"A": {}}}], "Next": "Done"},
    "Done": {"Type": "Pass", "End": true},
    "Adrift": {"Type": "Whatever", "Next": "Nowhere"}}}"#;

fn said(graph: &Graph) -> Vec<String> {
    let way = |way: &Way| {
        let label = way.label.as_ref().map(|label| format!(" [{label}]")).unwrap_or_default();
        format!("{} -> {}{label}", graph.states[way.from].name, graph.states[way.to].name)
    };
    graph.ways.iter().map(way).collect()
}

#[test]
fn the_import_machine_is_read_with_every_way_between_its_states() {
    let graph = Graph::read(IMPORT).unwrap();
    let expected = [
        "CheckMessage -> HoldMessage [$exists($states.input.import)]",
        "CheckMessage -> RejectMessage [otherwise]",
        "HoldMessage -> RunImport",
        "HoldMessage -> RunImport [on any error]",
        "RunImport -> DeleteMessage",
        "DeleteMessage -> Imported",
        "DeleteMessage -> Imported [on any error]",
    ];
    assert_eq!(said(&graph), expected);
    let run = graph.states.iter().find(|state| state.name == "RunImport").unwrap();
    assert_eq!(run.detail.as_deref(), Some("ecs:runTask.sync"));
    let ends: Vec<_> = graph.states.iter().filter(|state| state.is_end).map(|state| &state.name).collect();
    assert_eq!(ends, ["RejectMessage", "Imported"]);
}

#[test]
fn states_with_states_of_their_own_are_one_box_each() {
    let graph = Graph::read(MADE_UP).unwrap();
    let of = |name: &str| graph.states.iter().find(|state| state.name == name).unwrap();
    assert_eq!(of("Each").detail.as_deref(), Some("2 states inside"));
    assert_eq!(of("Both").detail.as_deref(), Some("1 state inside"));
    assert_eq!(
        (of("Adrift").kind.as_str(), graph.states.last().unwrap().name.as_str()),
        ("Whatever", "Adrift")
    );
    let said = said(&graph);
    for way in [
        "Look -> Each [$.n NumericEquals 3]",
        "Look -> Done [choice 2]",
        "Look -> Look [$states.input.again and $states.i…]",
        "Each -> Done [on A.B, C.D]",
    ] {
        assert!(said.iter().any(|said| said == way), "{way} is missing in {said:?}");
    }
}

#[test]
fn what_is_no_machine_says_why() {
    let why = |definition: &str| Graph::read(definition).unwrap_err();
    assert!(why("{").contains("no JSON"));
    assert_eq!(why("{}"), "the definition has no states");
    assert!(why(r#"{"StartAt": "B", "States": {"A": {"Type": "Pass"}}}"#).contains("where it starts"));
    let many: Map<_, _> = (0..201).map(|n| (n.to_string(), Value::Null)).collect();
    assert!(why(&serde_json::json!({"StartAt": "0", "States": many}).to_string()).contains("too many"));
}
