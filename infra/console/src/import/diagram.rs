//! The diagram of a state machine with what happened in it, as SVG. Each state says in a word and by a mark how it went, not
//! by colour alone; all is told in words, too, for whoever does not see it. Colours are classes of the style sheet.

use std::fmt::Write as _;

use chrono::TimeDelta;
use maud::{Markup, html};
use ops::numbers;
use ops::text::{cut, visible};

use super::graph::placement::{Box, LABEL_HEIGHT, Placement, Route, STATE_HEIGHT, label_width};
use super::graph::{Graph, State, Way, WayKind};
use crate::story::{Happening, How, Story};

/// The columns of a name, and of what happened, that a box has room for.
const NAME_COLUMNS: usize = 34;
const WORD_COLUMNS: usize = 34;

/// Draws the machine with what happened.
pub(super) fn draw(graph: &Graph, story: &Story) -> Markup {
    let placement = Placement::of(graph);
    let Placement { width, height, .. } = placement;
    html! {
        // As large as it is drawn, or as the screen allows.
        svg.graph viewBox=(format!("0 0 {width:.0} {height:.0}")) width=(format!("{width:.0}")) height=(format!("{height:.0}"))
            role="img" aria-labelledby="graph-title graph-words" {
            title #graph-title { "The state machine, and what happened in it" }
            desc #graph-words { (in_words(graph, story)) }
            (arrow_heads())
            @for (route, way) in placement.ways.iter().zip(&graph.ways) { (draw_way(graph, story, route, way)) }
            @if let Some(first) = placement.boxes.first() { (start(*first)) }
            @for (place, state) in placement.boxes.iter().zip(&graph.states) { (draw_state(*place, state, story)) }
        }
    }
}

/// The same in words, state by state.
fn in_words(graph: &Graph, story: &Story) -> String {
    let said = |state: &State| format!("{}: {}.", state.name, words(story.of(&state.name)));
    graph.states.iter().map(said).collect::<Vec<_>>().join(" ")
}

/// How a state went: `failed · 1 retry · 2.1 s`.
fn words(happening: Option<&Happening>) -> String {
    let Some(happening) = happening else { return "not reached".to_owned() };
    let mut words = word(happening.how).to_owned();
    let mut count = |number: u32, one: &str, several: &str| {
        // Writing into a string cannot fail.
        let _ = match number {
            0 => Ok(()),
            1 => write!(words, " · 1 {one}"),
            number => write!(words, " · {number} {several}"),
        };
    };
    count(happening.visits - 1, "more visit", "more visits");
    count(happening.retries, "retry", "retries");
    count(happening.redrives, "redrive", "redrives");
    let took = happening.exited_at.map(|exited| exited - happening.entered_at);
    if let Some(took) = took.filter(|took| *took >= TimeDelta::milliseconds(100)) {
        let _ = write!(words, " · {}", numbers::duration(took.to_std().unwrap_or_default()));
    }
    words
}

fn word(how: How) -> &'static str {
    match how {
        How::Running => "running",
        How::Succeeded => "succeeded",
        How::Caught => "failed, caught",
        How::Failed => "failed",
        How::TimedOut => "timed out",
        How::Aborted => "stopped",
    }
}

fn class(how: Option<How>) -> &'static str {
    match how {
        None => "unreached",
        Some(How::Running) => "running",
        Some(How::Succeeded) => "succeeded",
        Some(How::Caught) => "caught",
        Some(How::Failed) => "failed",
        Some(How::TimedOut) => "timed-out",
        Some(How::Aborted) => "aborted",
    }
}

fn draw_state(place: Box, state: &State, story: &Story) -> Markup {
    let happening = story.of(&state.name);
    let how = happening.map(|happening| happening.how);
    let left = place.x - place.width / 2.0;
    let said = words(happening);
    let kind = state
        .detail
        .as_ref()
        .map_or_else(|| state.kind.clone(), |detail| format!("{}, {detail}", state.kind));
    let error = happening.and_then(|happening| happening.error.as_deref()).map(visible);
    html! {
        g class=(format!("state {}", class(how))) transform=(format!("translate({left:.1} {:.1})", place.y)) {
            title {
                (state.name) " (" (kind) "): " (said)
                @if let Some(error) = &error { ", " (error) }
                @if let Some(comment) = &state.comment { ". " (comment) }
            }
            rect.box width=(format!("{:.1}", place.width)) height=(STATE_HEIGHT) rx="8" {}
            @if state.is_end {
                rect.end x="3" y="3" width=(format!("{:.1}", place.width - 6.0)) height=(STATE_HEIGHT - 6.0) rx="5.5" {}
            }
            (mark(how))
            text.name x="38" y="23" { (cut(&state.name, NAME_COLUMNS)) }
            text.words x="38" y="41" { (cut(&said, WORD_COLUMNS)) }
        }
    }
}

/// The mark of how a state went, drawn, since not every machine's fonts have such signs.
fn mark(how: Option<How>) -> Markup {
    let path = match how {
        // A ring that is dashed; a triangle; a tick; an arrow that turns; a cross; a clock; a square.
        None => "",
        Some(How::Running) => "M-2.6-4.5 5-0 -2.6 4.5Z",
        Some(How::Succeeded) => "M-4.2.4-1.2 3.4 4.4-3.2",
        Some(How::Caught) => "M-3.8-3.6v3.2q0 2.6 2.6 2.6h4.6M1-.6 3.8 2.2 1 5",
        Some(How::Failed) => "M-3.4-3.4 3.4 3.4M3.4-3.4-3.4 3.4",
        Some(How::TimedOut) => "M0-4.4V.4L3.2 2.6",
        Some(How::Aborted) => "M-3-3H3V3H-3Z",
    };
    html! {
        g.mark transform=(format!("translate(21 {:.0})", STATE_HEIGHT / 2.0)) {
            circle r="9" {}
            path d=(path) {}
        }
    }
}

fn draw_way(graph: &Graph, story: &Story, route: &Route, way: &Way) -> Markup {
    let (from, to) = (&graph.states[way.from].name, &graph.states[way.to].name);
    let taken = took(graph, story, way);
    let is_taken = taken > 0;
    let classes = format!(
        "way{}{}",
        if way.kind == WayKind::Catch { " catch" } else { "" },
        if is_taken { " taken" } else { "" }
    );
    html! {
        g class=(classes) {
            title {
                (from) " to " (to)
                @if let Some(title) = &way.title { ", " (title) }
                @match taken { 0 => { ": not taken" }, 1 => { ": taken" }, times => { ": taken " (times) " times" } }
            }
            path d=(curve(&route.points)) marker-end=(if is_taken { "url(#head-taken)" } else { "url(#head)" }) {}
            @if let (Some((x, y)), Some(label)) = (route.label, &way.label) {
                rect.back x=(format!("{:.1}", x - label_width(way) / 2.0)) y=(format!("{:.1}", y - LABEL_HEIGHT / 2.0))
                    width=(format!("{:.1}", label_width(way))) height=(LABEL_HEIGHT) rx="4" {}
                text x=(format!("{x:.1}")) y=(format!("{:.1}", y + 4.0)) text-anchor="middle" { (label) }
            }
        }
    }
}

/// How often a way was taken. A history does not tell which of two choices led to the same state: it counts for the first.
fn took(graph: &Graph, story: &Story, way: &Way) -> u32 {
    let is_same = |other: &&Way| {
        (other.from, other.to, other.kind == WayKind::Catch) == (way.from, way.to, way.kind == WayKind::Catch)
    };
    if graph.ways.iter().find(is_same) != Some(way) {
        return 0;
    }
    story.went(&graph.states[way.from].name, &graph.states[way.to].name, way.kind == WayKind::Catch)
}

/// A line through the points that is upright in each of them.
fn curve(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (number, (x, y)) in points.iter().enumerate() {
        let _ = match number.checked_sub(1).map(|before| points[before]) {
            None => write!(path, "M{x:.1} {y:.1}"),
            Some((before_x, before_y)) => {
                let half = (y - before_y) / 2.0;
                write!(path, "C{before_x:.1} {:.1} {x:.1} {:.1} {x:.1} {y:.1}", before_y + half, y - half)
            }
        };
    }
    path
}

fn start(first: Box) -> Markup {
    html! {
        g.start {
            title { "Start" }
            circle cx=(format!("{:.1}", first.x)) cy=(format!("{:.1}", first.y - 24.0)) r="5" {}
            path d=(format!("M{:.1} {:.1}V{:.1}", first.x, first.y - 18.0, first.y)) marker-end="url(#head-taken)" {}
        }
    }
}

fn arrow_heads() -> Markup {
    html! {
        defs {
            @for id in ["head", "head-taken"] {
                marker id=(id) class=(id) viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"
                    markerUnits="userSpaceOnUse" orient="auto" { path d="M0 0 8 4 0 8Z" {} }
            }
        }
    }
}

#[cfg(test)]
mod tests;
