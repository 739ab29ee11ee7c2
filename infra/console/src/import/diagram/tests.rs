use super::super::graph::tests::{DEAD_LETTER, IMPORT, MADE_UP};
use super::*;
use crate::story::tests::{CAUGHT_RETRIED_REDRIVEN, history};

fn drawn(definition: &str, words: &[&str]) -> String {
    let mut story = Story::default();
    story.go_on(&history(words));
    draw(&Graph::read(definition).unwrap(), &story).into_string()
}

/// What stands between the tags of a state's group.
fn state<'a>(svg: &'a str, name: &str) -> &'a str {
    let named = format!("<title>{name} (");
    let group = svg.split("<g class=\"state ").find(|group| group.contains(&named));
    group.unwrap_or_else(|| panic!("no state {name} in {svg}"))
}

#[test]
fn each_state_says_in_words_how_it_went() {
    let svg = drawn(IMPORT, CAUGHT_RETRIED_REDRIVEN);
    for (name, class, words) in [
        ("CheckMessage", "succeeded", "succeeded · 1.0 s"),
        ("HoldMessage", "caught", "failed, caught · 3.0 s"),
        ("RunImport", "running", "running · 1 retry · 1 redrive"),
        ("DeleteMessage", "unreached", "not reached"),
    ] {
        let state = state(&svg, name);
        assert!(state.starts_with(class), "{state}");
        assert!(state.contains(&format!(">{words}</text>")), "{words} is missing in {state}");
    }
    assert!(svg.contains("RunImport: running · 1 retry · 1 redrive."), "and for whoever does not see it");
}

#[test]
fn the_ways_that_were_taken_are_marked() {
    let svg = drawn(IMPORT, CAUGHT_RETRIED_REDRIVEN);
    assert!(
        svg.contains(r#"<g class="way catch taken"><title>HoldMessage to RunImport, on any error: taken<"#)
    );
    assert!(svg.contains(r#"<g class="way"><title>HoldMessage to RunImport: not taken<"#));
    assert!(svg.contains(r#"<g class="way"><title>RunImport to DeleteMessage: not taken<"#));
}

#[test]
fn any_machine_is_drawn_and_its_names_are_text() {
    for definition in [DEAD_LETTER, MADE_UP] {
        let svg = drawn(definition, &["started"]);
        assert_eq!(
            svg.matches("<g class=\"state unreached\"").count(),
            Graph::read(definition).unwrap().states.len()
        );
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
    let svg = drawn(MADE_UP, &["started"]);
    assert!(svg.contains("Wait a &lt;while&gt;") && !svg.contains("<while>"));
    let hostile = r#"{"StartAt":"</title><script>","States":{"</title><script>":{"Type":"Pass","Comment":"\u202e<b>"}}}"#;
    let svg = drawn(hostile, &["started", "+</title><script>"]);
    assert!(!svg.contains("<script>") && !svg.contains("<b>") && !svg.contains('\u{202e}'), "{svg}");
}
