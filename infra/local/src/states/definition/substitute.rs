//! `${Name}` in a definition, replaced by a value: what the template's `DefinitionSubstitutions` do on AWS.

use std::collections::BTreeSet;

/// Why a definition's substitutions cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSubstitution {
    /// The definition asks for values that nobody gives.
    #[error("the definition asks for substitutions that are not given: {0}")]
    Missing(String),
    /// Values are given that the definition does not ask for: a misspelt name, most likely.
    #[error("the definition does not use the substitutions {0}")]
    Unused(String),
    /// A value would end the JSON text it stands in.
    #[error("the value of the substitution {0} has a quote, a backslash or a control character")]
    Unquotable(String),
}

/// Replaces every `${Name}` by the value of that name. Values are not searched again.
///
/// # Errors
/// [`InvalidSubstitution`], naming every substitution that is missing, unused or cannot stand in JSON text.
pub fn substitute(text: &str, values: &[(&str, &str)]) -> Result<String, InvalidSubstitution> {
    for (name, value) in values {
        if value.contains(|c: char| c == '"' || c == '\\' || c.is_control()) {
            return Err(InvalidSubstitution::Unquotable((*name).to_owned()));
        }
    }
    let mut unused: BTreeSet<&str> = values.iter().map(|(name, _)| *name).collect();
    let mut missing = BTreeSet::new();
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, from_here) = rest.split_at(start);
        replaced.push_str(before);
        let Some(name) = name_at(from_here) else {
            // `${` is also JSONata: a group-by on the context.
            replaced.push_str("${");
            rest = &from_here[2..];
            continue;
        };
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => replaced.push_str(value),
            None => {
                missing.insert(name);
            }
        }
        unused.remove(name);
        rest = &from_here[name.len() + 3..];
    }
    replaced.push_str(rest);
    if !missing.is_empty() {
        return Err(InvalidSubstitution::Missing(listed(missing)));
    }
    if !unused.is_empty() {
        return Err(InvalidSubstitution::Unused(listed(unused)));
    }
    Ok(replaced)
}

/// The name in a text that begins with `${name}`.
fn name_at(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix("${")?.split_once('}')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then_some(name)
}

fn listed(names: BTreeSet<&str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_a_name_gets_its_value() {
        let text = r#"{"a": "${Queue}", "b": "{% ${Seconds} + $x %}", "c": "{% $split('${Queue}', '/') %}"}"#;
        let replaced = substitute(text, &[("Queue", "http://q/${Seconds}"), ("Seconds", "30")]).unwrap();
        assert_eq!(
            replaced,
            r#"{"a": "http://q/${Seconds}", "b": "{% 30 + $x %}", "c": "{% $split('http://q/${Seconds}', '/') %}"}"#
        );
    }

    #[test]
    fn a_missing_or_an_unused_value_is_named() {
        let error = substitute("${A} ${B} ${A}", &[("C", "")]).unwrap_err();
        assert_eq!(error, InvalidSubstitution::Missing("A, B".to_owned()));
        let error = substitute("${A}", &[("A", ""), ("B", "")]).unwrap_err();
        assert_eq!(error, InvalidSubstitution::Unused("B".to_owned()));
    }

    #[test]
    fn a_value_cannot_break_out_of_its_text() {
        let error = substitute("\"${A}\"", &[("A", "\", \"b\": \"")]).unwrap_err();
        assert_eq!(error, InvalidSubstitution::Unquotable("A".to_owned()));
    }

    #[test]
    fn jsonata_that_looks_like_a_substitution_is_left_alone() {
        assert_eq!(substitute("$.${'a': b} ${ ${", &[]).unwrap(), "$.${'a': b} ${ ${");
    }
}
