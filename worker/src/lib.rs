//! The worker: one import per process. It reads one CSV from S3, checks every row against the table, and loads it in
//! one transaction that also says that the import is done.

pub mod config;
pub mod db;
pub mod failure;
pub mod import;
pub mod imports;
pub mod job;
