//! Visits every state that can be reached, nearest first, so that a counterexample is one of the shortest.

use std::collections::HashMap;
use std::fmt;

use super::protocol::{Bounds, Rules, State};
use super::steps::{Step, after, possible};

/// What must hold for every step from one state to another; the sentence that does not, otherwise.
pub(super) type Check = fn(&State, Step, &State) -> Result<(), &'static str>;

/// All states that can be reached, and what happens between them when things take their course.
pub(super) struct Explored {
    pub(super) states: Vec<State>,
    /// For each state, the others that regular steps lead to.
    regular: Vec<Vec<u32>>,
    came_by: Vec<Option<(u32, Step)>>,
}

/// How a property is broken: the steps from the first state to the last.
pub(super) struct Counterexample {
    pub(super) broken: &'static str,
    pub(super) steps: Vec<Step>,
    last: State,
}

/// Visits all states.
///
/// # Errors
/// The shortest way to a step that breaks a check.
pub(super) fn explore(rules: Rules, bounds: Bounds, check: Check) -> Result<Explored, Counterexample> {
    let first = State::first(bounds);
    let mut known = HashMap::from([(first.clone(), 0_u32)]);
    let mut found = Explored { states: vec![first], regular: Vec::new(), came_by: vec![None] };
    let mut visited = 0;
    while visited < found.states.len() {
        let state = found.states[visited].clone();
        let here = number(visited);
        let mut regular = Vec::new();
        for step in possible(&state, rules, bounds) {
            let next = after(&state, step, rules, bounds);
            if let Err(broken) = check(&state, step, &next) {
                let mut steps = found.way_to(here);
                steps.push(step);
                return Err(Counterexample { broken, steps, last: next });
            }
            let next = next.without_differences_that_make_none();
            if next == state {
                continue;
            }
            let there = *known.entry(next).or_insert_with_key(|next| {
                found.states.push(next.clone());
                found.came_by.push(Some((here, step)));
                number(found.states.len() - 1)
            });
            if step.is_regular() {
                regular.push(there);
            }
        }
        found.regular.push(regular);
        visited += 1;
    }
    Ok(found)
}

impl Explored {
    /// The states in which no regular step leads any further.
    pub(super) fn ends(&self) -> impl Iterator<Item = &State> {
        self.states
            .iter()
            .zip(&self.regular)
            .filter(|(_, regular)| regular.is_empty())
            .map(|(state, _)| state)
    }

    /// Whether regular steps always come to an end: no way along them leads back to where it began.
    pub(super) fn always_ends(&self) -> bool {
        let mut ways_in = vec![0_u32; self.states.len()];
        self.regular.iter().flatten().for_each(|there| ways_in[*there as usize] += 1);
        let mut free: Vec<usize> = (0..ways_in.len()).filter(|state| ways_in[*state] == 0).collect();
        let mut removed = 0;
        while let Some(state) = free.pop() {
            removed += 1;
            for there in &self.regular[state] {
                let there = *there as usize;
                ways_in[there] -= 1;
                if ways_in[there] == 0 {
                    free.push(there);
                }
            }
        }
        removed == self.states.len()
    }

    fn way_to(&self, state: u32) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut at = state;
        while let Some((before, step)) = self.came_by[at as usize] {
            steps.push(step);
            at = before;
        }
        steps.reverse();
        steps
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap()
}

impl fmt::Debug for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, after:", self.broken)?;
        self.steps.iter().try_for_each(|step| writeln!(f, "  {step:?}"))?;
        write!(f, "{:#?}", self.last)
    }
}
