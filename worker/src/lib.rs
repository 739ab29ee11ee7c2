#![doc = include_str!("../README.md")]

pub mod aws;
pub mod command;
pub mod config;
pub mod db;
pub mod failure;
pub mod import;
pub mod imports;
pub mod job;
pub mod ledger;
pub mod multipart;
mod pauses;
pub mod visible;

#[cfg(test)]
#[path = "../tests/support/postgres.rs"]
mod cluster;
