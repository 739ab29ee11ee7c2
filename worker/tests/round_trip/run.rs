//! A run against a server of PostgreSQL: rounds of texts for every type, each imported by every way.

use std::time::{Duration, Instant};

use crate::bench::Bench;
use crate::file::{BROKEN, Dialect};
use crate::import::{Cell, Import};
use crate::literals;
use crate::normal::candidates;
use crate::oracle::{Answer, Oracle};
use crate::random::Random;
use crate::report::Report;
use crate::server::Server;
use crate::settings;
use crate::types::{self, Family, Type};
use crate::ways::{Refusal, WAYS, Way};
use crate::world::World;

/// Types that share a file.
const TOGETHER: usize = 8;

/// Cases of a type in one file.
const CASES: usize = 56;

/// New texts of a type in one round.
const TEXTS: usize = 70;

/// A marker of NULL that files may have.
const MARKERS: [Option<&str>; 2] = [None, Some("\\N")];

pub(crate) struct Run<'a> {
    pub(crate) bench: Bench<'a>,
    /// Texts of each type.
    texts: Vec<Vec<String>>,
    random: Random,
}

impl<'a> Run<'a> {
    pub(crate) fn new(server: &'a Server, world: &'a World, seed: u64) -> Self {
        let only = settings::only_type();
        let is_wanted = |kind: &Type| only.as_ref().is_none_or(|only| kind.sql.contains(only.as_str()));
        let types: Vec<_> = types::all(server).into_iter().filter(is_wanted).collect();
        let oracles =
            types.iter().enumerate().map(|(number, kind)| Oracle::new(server, kind, number)).collect();
        server.execute("CREATE TABLE expected (id bigint, number int, oracle bigint)");
        let texts = vec![Vec::new(); types.len()];
        let (random, report) = (Random::new(seed), Report::default());
        let bench = Bench { server, world, types, oracles, report, imports: 0 };
        Self { bench, texts, random }
    }

    /// One round at least, more until the time is over.
    pub(crate) fn go(&mut self, time: Duration) {
        let end = Instant::now() + time;
        loop {
            self.round();
            if Instant::now() > end {
                return;
            }
        }
    }

    fn round(&mut self) {
        let started = Instant::now();
        for number in 0..self.bench.types.len() {
            self.make_texts(number, TEXTS);
        }
        println!("PostgreSQL {}: the oracle took {:?}", self.bench.server.version, started.elapsed());
        let only = settings::only_way();
        for way in WAYS.iter().filter(|way| only.as_ref().is_none_or(|only| way.name.contains(only.as_str())))
        {
            let started = Instant::now();
            for group in self.groups(|kind| way.as_text || kind.is_binary()) {
                self.import(&group, way);
            }
            println!("PostgreSQL {}: {} took {:?}", self.bench.server.version, way.name, started.elapsed());
        }
    }

    /// The types that share a file, of those that fit and of which the server reads any text at all.
    pub(crate) fn groups(&mut self, fits: impl Fn(&Type) -> bool) -> Vec<Vec<usize>> {
        let all: Vec<_> = (0..self.bench.types.len()).filter(|number| self.is_readable(*number)).collect();
        let (alone, together): (Vec<_>, Vec<_>) = all
            .into_iter()
            .filter(|number| fits(&self.bench.types[*number]))
            .partition(|number| self.bench.types[*number].alone);
        together.chunks(TOGETHER).chain(alone.chunks(1)).map(<[usize]>::to_vec).collect()
    }

    /// Whether the server reads any text of the type at all.
    fn is_readable(&mut self, number: usize) -> bool {
        let (kind, oracle) = (&self.bench.types[number], &self.bench.oracles[number]);
        let texts = &self.texts[number];
        let taken = texts
            .iter()
            .filter(|text| matches!(oracle.answer(&Some((*text).clone())), Answer::Taken(_)))
            .count();
        if taken == 0 {
            let says = match oracle.answer(&Some(texts[0].clone())) {
                Answer::Refused { code, message } => format!("{code} {message}"),
                Answer::Taken(_) => String::new(),
            };
            self.bench
                .report
                .leave_out(&kind.sql, format!("the server itself reads none of its texts: {says}"));
        }
        taken > 0
    }

    /// New texts of a type; the second half comes from what the server wrote of the first.
    pub(crate) fn make_texts(&mut self, number: usize, count: usize) {
        let shape = self.bench.types[number].shape.clone();
        let mut texts: Vec<String> =
            (0..count).map(|_| literals::text(&shape, &mut self.random).replace(BROKEN, "")).collect();
        texts.push(String::new());
        texts.push("  ".to_owned());
        self.learn(number, &texts);
        let outputs = self.bench.oracles[number].outputs(self.bench.server);
        for output in outputs.iter().rev().take(count / 4) {
            texts.push(output.clone());
            texts.push(literals::mutated(output, &mut self.random).replace(BROKEN, ""));
        }
        self.learn(number, &texts);
        self.texts[number] = texts;
    }

    /// How Baton reads the type.
    fn kind(&self, number: usize) -> (Family, bool) {
        (self.bench.types[number].family, self.bench.oracles[number].has_empty)
    }

    fn learn(&mut self, number: usize, texts: &[String]) {
        let kind = self.kind(number);
        let mut all = vec![None];
        for text in texts {
            for marker in MARKERS {
                all.extend(candidates(kind, text, false, marker));
                all.extend(candidates(kind, text, true, marker));
            }
        }
        self.bench.oracles[number].learn(self.bench.server, all.iter());
    }

    fn import(&mut self, group: &[usize], way: &Way) {
        let dialect = Dialect::any(&mut self.random);
        let mut cells = Vec::new();
        for (column, number) in group.iter().enumerate() {
            self.choose(*number, column, way, &dialect, &mut cells);
        }
        for index in (1..cells.len()).rev() {
            let other = self.random.below(index + 1);
            cells.swap(index, other);
        }
        for (index, cell) in cells.iter_mut().enumerate() {
            cell.id = index as u64 + 1;
        }
        // One that the server takes is refused by the table.
        let good: Vec<u64> = cells.iter().filter(|cell| cell.value.is_some()).map(|cell| cell.id).collect();
        let refused = match (way.refusal, good.is_empty()) {
            (Refusal::Nothing, _) | (_, true) => 0,
            _ => *self.random.pick(&good),
        };
        Import { group: group.to_vec(), way, dialect, refused }.check(&mut self.bench, &cells);
    }

    /// The cases of one type in one file.
    fn choose(&mut self, number: usize, column: usize, way: &Way, dialect: &Dialect, cells: &mut Vec<Cell>) {
        let kind = self.kind(number);
        let mut tries = 0;
        let mut chosen = 0;
        while chosen < CASES && tries < CASES * 40 {
            tries += 1;
            let mut text = self.random.pick(&self.texts[number]).clone();
            if !way.only_good && self.random.percent(1) {
                text.insert(0, BROKEN);
            }
            let Some(field) = dialect.field(&text, &mut self.random) else { continue };
            let is_broken = text.contains(BROKEN);
            let value = if is_broken {
                None
            } else {
                let candidates = candidates(kind, &text, field.quoted, dialect.marker);
                match self.bench.oracles[number].first_taken(&candidates) {
                    Answer::Taken(id) => Some(*id),
                    Answer::Refused { .. } => None,
                }
            };
            if way.only_good && value.is_none() {
                continue;
            }
            cells.push(Cell { id: 0, column, number, field, value });
            self.bench.report.count(&self.bench.types[number].sql, way.name);
            chosen += 1;
        }
    }
}
