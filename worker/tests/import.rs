//! Imports against real databases: a SQLite file of each test's own, a PostgreSQL database of each test's own; the objects
//! come from an S3 server on this machine, or from one that misbehaves.

mod conflicts;
mod create_table;
mod database_rejects;
mod failures;
mod language;
mod objects;
mod people;
mod postgres;
mod postgres_types;
mod rebuild;
mod rejects;
mod rejects_file;
mod runs;
mod source;
mod sqlite;
mod text;
mod values;
mod world;
