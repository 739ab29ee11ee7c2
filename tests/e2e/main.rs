//! End-to-end tests: everything is real but the network between the machines.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod attempts;
mod browser;
mod cancel;
mod chaos;
mod clean_import;
mod clients;
mod command_line;
mod console;
mod containers;
mod dead_letters;
mod desk;
mod doctor;
mod documents;
mod faults;
mod golden;
mod in_browser;
mod interrupted_run;
mod joined;
mod lanes;
mod licences;
mod listed;
mod logs;
mod messages;
mod options;
mod package;
mod redrive;
mod readme;
mod rejects;
mod stack_killed;
mod target;
mod template;
mod under_way;
mod upgrade;
mod watched;
mod workspace;
