//! Where everything of a graph stands in its diagram: the second half of the layout. Each row is moved towards its
//! neighbours as far as the order and the widths within it allow.

mod places;

use std::collections::HashMap;

use ops::text::width;

use super::layers::{Item, Layers};
use super::{Graph, State, WayKind};
use places::{importance, places};

/// How tall a state's box is. All lengths are in pixels.
pub(crate) const STATE_HEIGHT: f64 = 54.0;
/// How tall a label is.
pub(crate) const LABEL_HEIGHT: f64 = 20.0;
/// The least width of a box: what happened has to find room in it.
const LEAST_WIDTH: f64 = 250.0;
const MOST_WIDTH: f64 = 340.0;
/// Of a column of text in the size of a name, and of a label. On the generous side: fonts differ.
const NAME_COLUMN: f64 = 8.4;
const LABEL_COLUMN: f64 = 6.8;
/// Between two things of a row.
const GAP: f64 = 28.0;
/// Of a row of bends, without and with labels.
const BEND_ROW: f64 = 34.0;
const LABEL_ROW: f64 = 54.0;
const MARGIN: f64 = 16.0;
/// Above the first row, for the dot where an execution starts.
const START: f64 = 34.0;
/// Between two ways that leave a state, or come to it.
const PORT_GAP: f64 = 36.0;
/// How far a way from a state to itself goes aside.
const LOOP: f64 = 30.0;

/// A graph with a place for all of it.
#[derive(Debug)]
pub(crate) struct Placement {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// Of each state: its box.
    pub(crate) boxes: Vec<Box>,
    /// Of each way, where it begins, bends and ends.
    pub(crate) ways: Vec<Route>,
}

/// A box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Box {
    /// The middle.
    pub(crate) x: f64,
    /// The top.
    pub(crate) y: f64,
    pub(crate) width: f64,
}

/// A way through the picture.
#[derive(Debug, Default)]
pub(crate) struct Route {
    pub(crate) points: Vec<(f64, f64)>,
    /// The middle of its label.
    pub(crate) label: Option<(f64, f64)>,
}

impl Placement {
    pub(crate) fn of(graph: &Graph) -> Self {
        let layers = Layers::of(graph);
        let places = places(graph, &layers);
        let tops = tops(graph, &layers);
        let mut placement = Self {
            width: 0.0,
            height: tops.last().map_or(0.0, |top| top + STATE_HEIGHT + MARGIN),
            boxes: Vec::new(),
            ways: Vec::new(),
        };
        for (number, state) in graph.states.iter().enumerate() {
            let width = box_width(state);
            placement.boxes.push(Box {
                x: places[&Item::State(number)],
                y: tops[2 * layers.ranks[number]],
                width,
            });
        }
        for number in 0..graph.ways.len() {
            placement.ways.push(route(graph, &layers, &places, &tops, &placement.boxes, number));
        }
        placement.trim(graph);
        placement
    }

    /// Moves all to the left edge, and finds how wide it is.
    fn trim(&mut self, graph: &Graph) {
        let mut edges: Vec<(f64, f64)> =
            self.boxes.iter().map(|one| (one.x - one.width / 2.0, one.x + one.width / 2.0)).collect();
        for (route, way) in self.ways.iter().zip(&graph.ways) {
            edges.extend(route.points.iter().map(|(x, _)| (*x, *x)));
            edges.extend(route.label.map(|(x, _)| (x - label_width(way) / 2.0, x + label_width(way) / 2.0)));
        }
        let left = edges.iter().map(|edge| edge.0).fold(f64::INFINITY, f64::min);
        let right = edges.iter().map(|edge| edge.1).fold(0.0, f64::max);
        self.width = right - left + 2.0 * MARGIN;
        let by = MARGIN - left;
        self.boxes.iter_mut().for_each(|one| one.x += by);
        for route in &mut self.ways {
            route.points.iter_mut().chain(&mut route.label).for_each(|point| point.0 += by);
        }
    }
}

/// The width of a label.
pub(crate) fn label_width(way: &super::Way) -> f64 {
    way.label.as_ref().map_or(0.0, |label| width(label) as f64 * LABEL_COLUMN + 12.0)
}

fn box_width(state: &State) -> f64 {
    (width(&state.name) as f64 * NAME_COLUMN + 56.0).clamp(LEAST_WIDTH, MOST_WIDTH)
}

/// The row in which a way bears its label: next to where it comes from.
fn label_row(graph: &Graph, layers: &Layers, way: usize) -> Option<usize> {
    let (from, to) = (layers.ranks[graph.ways[way].from], layers.ranks[graph.ways[way].to]);
    graph.ways[way].label.as_ref()?;
    match from.cmp(&to) {
        std::cmp::Ordering::Less => Some(2 * from + 1),
        std::cmp::Ordering::Greater => Some(2 * from - 1),
        std::cmp::Ordering::Equal => None,
    }
}

fn item_width(graph: &Graph, layers: &Layers, item: Item) -> f64 {
    match item {
        Item::State(state) => {
            let is_loop = |way: &super::Way| way.from == state && way.to == state;
            let loops = graph.ways.iter().find(|way| is_loop(way)).map_or(0.0, |way| LOOP + label_width(way));
            box_width(&graph.states[state]) + 2.0 * loops
        }
        Item::Bend { way, row } if label_row(graph, layers, way) == Some(row) => {
            label_width(&graph.ways[way])
        }
        Item::Bend { .. } => 8.0,
    }
}

/// The upper edge of each row.
fn tops(graph: &Graph, layers: &Layers) -> Vec<f64> {
    let mut y = START;
    let mut tops = Vec::new();
    for (number, row) in layers.rows.iter().enumerate() {
        tops.push(y);
        let has_label = row.iter().any(
            |item| matches!(item, Item::Bend { way, row } if label_row(graph, layers, *way) == Some(*row)),
        );
        y += match number % 2 {
            0 => STATE_HEIGHT,
            _ if has_label => LABEL_ROW,
            _ => BEND_ROW,
        };
    }
    tops
}

fn route(
    graph: &Graph,
    layers: &Layers,
    places: &HashMap<Item, f64>,
    tops: &[f64],
    boxes: &[Box],
    number: usize,
) -> Route {
    let way = &graph.ways[number];
    let (from, to) = (boxes[way.from], boxes[way.to]);
    if way.from == way.to {
        let (side, middle) = (from.x + from.width / 2.0, from.y + STATE_HEIGHT / 2.0);
        let label = way.label.as_ref().map(|_| (side + LOOP + label_width(way) / 2.0, middle));
        let points = vec![(side, middle - 12.0), (side + LOOP, middle), (side, middle + 12.0)];
        return Route { points, label };
    }
    let leads_down = from.y < to.y;
    let (first, last) = (2 * layers.ranks[way.from], 2 * layers.ranks[way.to]);
    let rows: Vec<_> =
        if leads_down { (first + 1..last).collect() } else { (last + 1..first).rev().collect() };
    let at = |row: usize| f64::midpoint(tops[row], tops[row + 1]);
    let bends: Vec<_> =
        rows.iter().map(|row| (places[&Item::Bend { way: number, row: *row }], at(*row))).collect();
    let edge = |one: Box, is_below: bool| if is_below { one.y + STATE_HEIGHT } else { one.y };
    let port =
        |state: usize, is_below: bool| boxes[state].x + shift(graph, layers, places, state, number, is_below);
    let mut points = vec![(port(way.from, leads_down), edge(from, leads_down))];
    points.extend(&bends);
    points.push((port(way.to, !leads_down), edge(to, !leads_down)));
    let label = label_row(graph, layers, number).and_then(|_| bends.first().copied());
    Route { points, label }
}

/// How far from the middle of a state a way leaves it or comes to it, so that ways stand side by side as their bends do.
fn shift(
    graph: &Graph,
    layers: &Layers,
    places: &HashMap<Item, f64>,
    state: usize,
    number: usize,
    is_below: bool,
) -> f64 {
    let row = 2 * layers.ranks[state];
    let beside = if is_below { row + 1 } else { row.wrapping_sub(1) };
    let mut bends: Vec<_> = graph
        .ways
        .iter()
        .enumerate()
        .filter(|(_, way)| way.from == state || way.to == state)
        .filter_map(|(way, _)| Some((*places.get(&Item::Bend { way, row: beside })?, way)))
        .collect();
    bends.sort_by(|one, other| one.0.total_cmp(&other.0));
    let of = |wanted: usize| bends.iter().position(|(_, way)| *way == wanted).unwrap_or(0) as f64;
    let gap = PORT_GAP.min((box_width(&graph.states[state]) - 40.0) / bends.len().max(1) as f64);
    // In the middle stands the way that matters most, if one does; else all of them stand around it.
    let matters = |way: &usize| importance(graph.ways[*way].kind);
    let most = bends.iter().map(|(_, way)| matters(way)).fold(0.0, f64::max);
    let mut main = bends.iter().map(|(_, way)| *way).filter(|way| matters(way) == most);
    let middle = match (main.next(), main.next()) {
        (Some(main), None) if most >= importance(WayKind::Choice) => of(main),
        _ => (bends.len().max(1) as f64 - 1.0) / 2.0,
    };
    (of(number) - middle) * gap
}

#[cfg(test)]
mod tests;
