//! Every dependency has a licence that `.deny.toml` allows, comes from the registry, and is none that it bans.

use spdx::{Expression, ParseMode};

use crate::workspace::{metadata, top};

fn texts(list: &toml::Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

#[test]
fn every_dependency_has_an_allowed_licence_and_comes_from_the_registry() {
    let rules: toml::Table = std::fs::read_to_string(top().join(".deny.toml")).unwrap().parse().unwrap();
    let allowed = texts(&rules["licenses"]["allow"]);
    let banned: Vec<_> =
        rules["bans"]["deny"].as_array().unwrap().iter().map(|ban| ban["crate"].as_str().unwrap()).collect();
    let metadata = metadata();
    let mut problems = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let licence = package["license"].as_str().unwrap_or("none");
        let is_allowed = Expression::parse_mode(licence, ParseMode::LAX).is_ok_and(|expression| {
            expression.evaluate(|requirement| allowed.contains(&requirement.to_string().as_str()))
        });
        if !is_allowed {
            problems.push(format!("{name}: the licence {licence} is not among the allowed"));
        }
        if package["source"].as_str().is_some_and(|source| !source.starts_with("registry+")) {
            problems.push(format!("{name} does not come from the registry"));
        }
        if banned.contains(&name) {
            problems.push(format!("{name} is banned"));
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}
