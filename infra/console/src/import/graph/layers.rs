//! Which state stands in which row, and in what order: the first half of a layered layout (Sugiyama's). States stand in the
//! even rows. Between them every way has a bend in each row that it passes, which keeps it clear of the states and gives its
//! label a place of its own. Ways that lead back are turned round for the time of the layout.

use super::Graph;

/// How often the rows are sorted by their neighbours, down and up.
const SWEEPS: usize = 8;

/// The rows of a picture, from the top.
#[derive(Debug)]
pub(super) struct Layers {
    pub(super) rows: Vec<Vec<Item>>,
    /// What is joined with what, the upper first.
    pub(super) links: Vec<(Item, Item)>,
    /// The rank of each state: it stands in row `2 * rank`.
    pub(super) ranks: Vec<usize>,
}

/// What stands in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Item {
    State(usize),
    /// A bend of a way, in this row.
    Bend {
        way: usize,
        row: usize,
    },
}

impl Layers {
    pub(super) fn of(graph: &Graph) -> Self {
        let ranks = ranks(graph, &ways_back(graph));
        let mut rows = vec![Vec::new(); ranks.iter().max().map_or(0, |last| 2 * last + 1)];
        for (state, rank) in ranks.iter().enumerate() {
            rows[2 * rank].push(Item::State(state));
        }
        let mut links = Vec::new();
        for (number, way) in graph.ways.iter().enumerate() {
            let (upper, lower) =
                if ranks[way.from] <= ranks[way.to] { (way.from, way.to) } else { (way.to, way.from) };
            let mut above = Item::State(upper);
            // A way from a state to itself has no bend: it is drawn beside the state.
            let passed = rows.iter_mut().enumerate().take(2 * ranks[lower]).skip(2 * ranks[upper] + 1);
            for (row, items) in passed {
                let bend = Item::Bend { way: number, row };
                items.push(bend);
                links.push((above, bend));
                above = bend;
            }
            if upper != lower {
                links.push((above, Item::State(lower)));
            }
        }
        let mut layers = Self { rows, links, ranks };
        layers.sort();
        layers
    }

    /// Sorts each row by where its neighbours stand, and keeps the order in which fewest ways cross.
    fn sort(&mut self) {
        let mut best = (self.crossings(), self.rows.clone());
        for sweep in 0..SWEEPS {
            let is_down = sweep % 2 == 0;
            let count = self.rows.len();
            for step in 1..count {
                let (row, beside) = if is_down { (step, step - 1) } else { (count - 1 - step, count - step) };
                let place = |item: &Item| self.rows[beside].iter().position(|other| other == item);
                let wish = |item: &Item| {
                    let neighbours = self.links.iter().filter_map(|(upper, lower)| match is_down {
                        true if lower == item => place(upper),
                        false if upper == item => place(lower),
                        _ => None,
                    });
                    mean(neighbours.map(|place| place as f64))
                };
                let mut sorted: Vec<_> = self.rows[row]
                    .iter()
                    .enumerate()
                    .map(|(at, item)| (wish(item).unwrap_or(at as f64), *item))
                    .collect();
                sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
                self.rows[row] = sorted.into_iter().map(|(_, item)| item).collect();
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.rows.clone());
            }
        }
        self.rows = best.1;
    }

    /// How often ways cross.
    pub(super) fn crossings(&self) -> usize {
        let place = |row: usize, item: &Item| self.rows[row].iter().position(|other| other == item);
        let mut crossings = 0;
        for row in 1..self.rows.len() {
            let spans: Vec<_> = self
                .links
                .iter()
                .filter_map(|(upper, lower)| Some((place(row - 1, upper)?, place(row, lower)?)))
                .collect();
            for (number, (upper, lower)) in spans.iter().enumerate() {
                crossings += spans[number + 1..]
                    .iter()
                    .filter(|(other_upper, other_lower)| {
                        (upper < other_upper && lower > other_lower)
                            || (upper > other_upper && lower < other_lower)
                    })
                    .count();
            }
        }
        crossings
    }
}

/// The ways that lead back to a state on the way to them, by depth-first search.
fn ways_back(graph: &Graph) -> Vec<bool> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        Not,
        Open,
        Done,
    }
    fn visit(graph: &Graph, state: usize, seen: &mut [Seen], back: &mut [bool]) {
        seen[state] = Seen::Open;
        for (number, way) in graph.ways.iter().enumerate().filter(|(_, way)| way.from == state) {
            match seen[way.to] {
                Seen::Open => back[number] = true,
                // At most as deep as there are states, of which a graph has few.
                Seen::Not => visit(graph, way.to, seen, back),
                Seen::Done => {}
            }
        }
        seen[state] = Seen::Done;
    }
    let mut seen = vec![Seen::Not; graph.states.len()];
    let mut back = vec![false; graph.ways.len()];
    for state in 0..graph.states.len() {
        if seen[state] == Seen::Not {
            visit(graph, state, &mut seen, &mut back);
        }
    }
    back
}

/// How many ways lead to each state at most.
fn ranks(graph: &Graph, back: &[bool]) -> Vec<usize> {
    let mut ranks = vec![0; graph.states.len()];
    for _ in 0..graph.states.len() {
        for (way, is_back) in graph.ways.iter().zip(back) {
            // The other way round the way back is one that leads on.
            let (from, to) = if *is_back { (way.to, way.from) } else { (way.from, way.to) };
            if from != to {
                ranks[to] = ranks[to].max(ranks[from] + 1);
            }
        }
    }
    ranks
}

/// The mean of some numbers; none of none.
fn mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = numbers.fold((0_u32, 0.0), |(count, sum), number| (count + 1, sum + number));
    (count > 0).then(|| sum / f64::from(count))
}
