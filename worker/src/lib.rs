#![doc = include_str!("../README.md")]

pub mod config;
pub mod db;
pub mod failure;
pub mod import;
pub mod job;
