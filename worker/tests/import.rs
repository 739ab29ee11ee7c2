//! Imports against real databases: a SQLite file of each test's own, a PostgreSQL database of each test's own; the objects
//! come from an S3 server on this machine, or from one that misbehaves.

mod create_table;
mod failures;
mod objects;
mod people;
mod postgres;
mod rejects;
mod source;
mod sqlite;
mod text;
mod world;
