//! Imports against real databases: a SQLite file of each test's own, a PostgreSQL database of each test's own; the objects
//! come from an S3 server on this machine, or from one that misbehaves.

mod awake;
mod conflicts;
mod copy;
mod create_table;
mod database_rejects;
mod failures;
mod fields;
mod given_up;
mod language;
pub(crate) mod objects;
mod people;
mod postgres;
mod postgres_changed_rows;
mod postgres_latin;
mod postgres_numbers;
mod postgres_odd_values;
mod postgres_relations;
mod postgres_set_up;
mod postgres_sifted;
mod postgres_slow;
mod postgres_types;
mod postgres_upsert;
mod rebuild;
mod rejects;
mod rejects_file;
mod runs;
mod source;
mod sqlite;
mod sqlite_references;
mod sqlite_rows;
mod sqlite_stored;
mod sqlite_types;
mod text;
mod upsert_model;
mod values;
pub(crate) mod world;
