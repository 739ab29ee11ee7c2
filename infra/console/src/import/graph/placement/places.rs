//! How far to the right everything of a row stands: as near to what it is joined with as the order and the widths within the
//! row allow.

use std::collections::HashMap;

use super::super::layers::{Item, Layers};
use super::super::{Graph, WayKind};
use super::{GAP, item_width};

/// How often the rows are moved, down and up.
const SWEEPS: usize = 24;

/// The middle of everything, from left to right.
pub(super) fn places(graph: &Graph, layers: &Layers) -> HashMap<Item, f64> {
    let mut places = HashMap::new();
    for row in &layers.rows {
        let mut x = 0.0;
        for item in row {
            let width = item_width(graph, layers, *item);
            places.insert(*item, x + width / 2.0);
            x += width + GAP;
        }
    }
    let count = layers.rows.len();
    for sweep in 0..SWEEPS {
        for step in 0..count {
            let row = if sweep % 2 == 0 { step } else { count - 1 - step };
            let items = &layers.rows[row];
            let wish = |item: &Item| {
                let (mut sum, mut weights) = (0.0, 0.0);
                for (upper, lower) in
                    layers.links.iter().filter(|(upper, lower)| upper == item || lower == item)
                {
                    let weight = weight(graph, *upper, *lower);
                    sum += weight * places[if upper == item { lower } else { upper }];
                    weights += weight;
                }
                if weights > 0.0 { sum / weights } else { places[item] }
            };
            let wishes: Vec<_> = items.iter().map(wish).collect();
            let widths: Vec<_> = items.iter().map(|item| item_width(graph, layers, *item)).collect();
            let weights: Vec<_> = items.iter().map(|item| firmness(graph, layers, *item)).collect();
            for (item, x) in items.iter().zip(apart(&wishes, &widths, &weights)) {
                places.insert(*item, x);
            }
        }
    }
    places
}

/// How much two things want to stand under each other: the usual way through a machine is to be straight.
fn weight(graph: &Graph, upper: Item, lower: Item) -> f64 {
    match (upper, lower) {
        (Item::Bend { way, .. }, _) | (_, Item::Bend { way, .. }) => importance(graph.ways[way].kind),
        _ => 1.0,
    }
}

/// How firmly a thing stands where it wants to.
fn firmness(graph: &Graph, layers: &Layers, item: Item) -> f64 {
    let links = layers.links.iter().filter(|(upper, lower)| *upper == item || *lower == item);
    links.map(|(upper, lower)| weight(graph, *upper, *lower)).sum::<f64>().max(0.1)
}

pub(super) fn importance(kind: WayKind) -> f64 {
    match kind {
        WayKind::Next => 16.0,
        WayKind::Choice => 8.0,
        WayKind::Default => 0.25,
        WayKind::Catch => 0.25,
    }
}

/// The places next to those wished for that keep order and distance: where neighbours want the same place they form a
/// block, which stands in the middle of their wishes, by their weights (isotonic regression by pooling).
pub(super) fn apart(wishes: &[f64], widths: &[f64], weights: &[f64]) -> Vec<f64> {
    let mut offsets = vec![0.0; wishes.len()];
    for number in 1..wishes.len() {
        offsets[number] = offsets[number - 1] + f64::midpoint(widths[number - 1], widths[number]) + GAP;
    }
    // Where a block stands, its weight, how many are in it.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for ((wish, offset), weight) in wishes.iter().zip(&offsets).zip(weights) {
        let mut block = (wish - offset, *weight, 1);
        while let Some(before) = blocks.pop_if(|before| before.0 > block.0) {
            let together = before.1 + block.1;
            block = ((before.0 * before.1 + block.0 * block.1) / together, together, before.2 + block.2);
        }
        blocks.push(block);
    }
    let starts = blocks.iter().flat_map(|(start, _, count)| std::iter::repeat_n(*start, *count));
    starts.zip(&offsets).map(|(start, offset)| start + offset).collect()
}
