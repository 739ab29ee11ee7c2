//! A load into PostgreSQL from its first batch to its end, and what its report says of it.

use super::copy::row_alone;
use super::refusal::is_row_error;
use super::{Loader, Way, postgres};
use crate::db::Connection;
use crate::db::failure::sql_failure;
use crate::import::batch::Batch;
use crate::import::form::Form;
use crate::import::load::{CHECKED_EARLY, Load, Loaded, NotLoaded};
use crate::import::rejects::Verdict;

/// How many bytes of rows a batch has.
const BATCH_BYTES: usize = 16 * 1024 * 1024;

/// Another server's transaction is not this one's.
const FOREIGN: &str = "rows of a foreign table are committed by their own server, a moment before the import is: a failure in \
                       that moment may leave them there";

impl Load for Loader<'_> {
    fn form(&self) -> Form {
        self.form
    }

    fn batch_bytes(&self) -> usize {
        BATCH_BYTES
    }

    fn sorted_by(&self) -> Option<usize> {
        self.sorted_by
    }

    fn write(&mut self, connection: &mut Connection, batch: &mut Batch) -> Result<Verdict, NotLoaded> {
        let session = postgres(connection)?;
        if self.rebuild.is_some() {
            let copy = self.copy();
            let rows = session.in_savepoint(|session| copy.send(session, batch.rows(), row_alone(self.form)));
            return match rows {
                Ok(rows) => {
                    self.loaded.rows += rows;
                    self.loaded.dropped += (batch.len() as u64).saturating_sub(rows);
                    Ok(Verdict::Within)
                }
                Err(error) if self.may_lie_in_the_rows(&error) && !session.is_out_of_step() => {
                    Err(NotLoaded::WithoutIndexes)
                }
                Err(error) => Err(self.copy_failure(session, &error).into()),
            };
        }
        match self.way {
            Way::Directly => Ok(self.write_directly(session, batch)?),
            Way::ByBatch => Ok(self.write_by_staging(session, batch, None)?),
            Way::AtTheEnd => {
                self.has_untried = true;
                self.staged += self.stage(session, batch)?;
                Ok(self.verdict())
            }
        }
    }

    fn give_up(self) -> Result<Loaded, NotLoaded> {
        let mut loaded = Loaded { has_untried: self.has_untried, ..Loaded::default() };
        loaded.notes.extend(self.has_checked_early().then(|| CHECKED_EARLY.to_owned()));
        Ok(loaded)
    }

    fn finish(mut self, connection: &mut Connection) -> Result<Loaded, NotLoaded> {
        let session = postgres(connection)?;
        if self.way == Way::AtTheEnd && self.staged > 0 {
            self.move_staged(session)?;
        }
        if self.facts.may_hold_later && self.verdict() == Verdict::Within {
            match session.check_constraints() {
                Ok(()) => {}
                Err(error) if is_row_error(&error) => return Err(NotLoaded::AtTheEnd),
                Err(error) => return Err(self.failure(&error).into()),
            }
        }
        self.loaded.notes.extend(self.has_checked_early().then(|| CHECKED_EARLY.to_owned()));
        if let Some(rebuild) = self.rebuild.take() {
            match rebuild.finish(session) {
                Ok(note) => self.loaded.afterwards.push(note),
                Err(error) if is_row_error(&error) => return Err(NotLoaded::WithoutIndexes),
                Err(error) => return Err(sql_failure(&error, "build the table's indexes again").into()),
            }
        }
        if self.loaded.rows > 0 && self.facts.is_foreign {
            self.loaded.afterwards.push(FOREIGN.to_owned());
        }
        if self.loaded.rows > 0 {
            self.loaded.afterwards.extend(self.sequences.notes(session, self.context.table));
        }
        Ok(self.loaded)
    }
}

impl Loader<'_> {
    /// Whether constraints that may hold later were checked behind each row: they had not held in the end.
    fn has_checked_early(&self) -> bool {
        self.facts.may_hold_later && !self.constraints_wait
    }
}
