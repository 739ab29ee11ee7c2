//! What the command line says.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::backend::Rows;
use crate::{faults, plan};

/// Imports files while everything around them fails, and audits what came of it. Exit code 1 where something was lost,
/// doubled or left over; the folder is kept then.
#[derive(Parser)]
pub(crate) struct Arguments {
    /// How many imports.
    #[arg(long, default_value_t = 500)]
    pub(crate) imports: usize,
    /// What files, messages and faults are drawn from; a random one is taken, and printed, where none is given. Threads and
    /// processes keep their own time, so a seed gives the same plan, not the same run.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// The database that is loaded.
    #[arg(long, value_enum, default_value_t = Rows::Postgres)]
    pub(crate) backend: Rows,
    /// How many executions are open before the next import waits.
    #[arg(long, default_value_t = 8)]
    pub(crate) parallel: usize,
    /// How many lanes the imports run in; 0 for none, so that any number runs at once.
    #[arg(long, default_value_t = 0)]
    pub(crate) maximum_imports: u32,
    /// Only imports of these kinds.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) kinds: Vec<plan::Kind>,
    /// Only these faults.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) faults: Vec<faults::Kind>,
    /// Takes the check of the attempt out of what workers say to the database (PostgreSQL): the audit has to fail.
    #[arg(long)]
    pub(crate) planted_bug: bool,
    /// Changes one value of one row behind everybody's back, before the audit, which has to fail.
    #[arg(long)]
    pub(crate) planted_change: bool,
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

/// Parts of the run that are processes of their own.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// The embedded stack, until standard input ends or SIGTERM.
    #[command(hide = true)]
    Stack {
        /// What it is started with, JSON.
        config: PathBuf,
    },
}
