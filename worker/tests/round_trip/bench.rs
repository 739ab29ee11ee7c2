//! What the imports of a run have in common.

use crate::oracle::Oracle;
use crate::report::Report;
use crate::server::Server;
use crate::types::Type;
use crate::world::World;

pub(crate) struct Bench<'a> {
    pub(crate) server: &'a Server,
    pub(crate) world: &'a World,
    pub(crate) types: Vec<Type>,
    /// What the server says to texts, by type.
    pub(crate) oracles: Vec<Oracle>,
    pub(crate) report: Report,
    /// How many imports were made.
    pub(crate) imports: u64,
}
