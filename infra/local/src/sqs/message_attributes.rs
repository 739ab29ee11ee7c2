//! Message attributes: names, types and values as SQS allows them, the digest that clients check, and the choice that a
//! receive makes among them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};

use super::contents::check_characters;
use super::fault::{shown, unsupported};
use crate::wire::AwsError;

const MAX_ATTRIBUTES: usize = 10;
const MAX_NAME_CHARACTERS: usize = 256;

/// A message's attributes as the wire has them, unproven.
pub(super) type WireAttributes = BTreeMap<String, WireAttribute>;

/// An attribute as the wire has it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct WireAttribute {
    #[serde(default)]
    data_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    string_value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    binary_value: Option<String>,
    #[serde(default, skip_serializing)]
    string_list_values: Option<Vec<String>>,
    #[serde(default, skip_serializing)]
    binary_list_values: Option<Vec<String>>,
}

/// Attributes that were checked, in the order of their names.
#[derive(Default)]
pub(super) struct MessageAttributes(BTreeMap<String, Attribute>);

struct Attribute {
    data_type: String,
    content: Content,
}

enum Content {
    Text(String),
    Binary(Vec<u8>),
}

impl Content {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

impl MessageAttributes {
    /// Checks what a sender gave.
    pub(super) fn parse(wire: WireAttributes) -> Result<Self, AwsError> {
        if wire.len() > MAX_ATTRIBUTES {
            let message = format!(
                "Number of message attributes [{}] exceeds the allowed maximum [{MAX_ATTRIBUTES}].",
                wire.len()
            );
            return Err(AwsError::client("InvalidParameterValue", message));
        }
        let mut attributes = BTreeMap::new();
        for (name, value) in wire {
            check_name(&name)?;
            let attribute = Attribute::parse(&name, value)?;
            attributes.insert(name, attribute);
        }
        Ok(Self(attributes))
    }

    /// Reads what [`Self::to_json`] wrote.
    pub(super) fn from_json(text: &str) -> Result<Self, AwsError> {
        let wire = serde_json::from_str(text).map_err(AwsError::internal)?;
        Self::parse(wire)
    }

    /// The attributes as the wire has them, as text.
    pub(super) fn to_json(&self) -> String {
        serde_json::json!(self.to_wire()).to_string()
    }

    pub(super) fn to_wire(&self) -> WireAttributes {
        let wire = |attribute: &Attribute| WireAttribute {
            data_type: attribute.data_type.clone(),
            string_value: match &attribute.content {
                Content::Text(text) => Some(text.clone()),
                Content::Binary(_) => None,
            },
            binary_value: match &attribute.content {
                Content::Text(_) => None,
                Content::Binary(bytes) => Some(STANDARD.encode(bytes)),
            },
            string_list_values: None,
            binary_list_values: None,
        };
        self.0.iter().map(|(name, attribute)| (name.clone(), wire(attribute))).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the attributes add to the message's size.
    pub(super) fn bytes(&self) -> usize {
        let bytes = |(name, attribute): (&String, &Attribute)| {
            name.len() + attribute.data_type.len() + attribute.content.bytes().len()
        };
        self.0.iter().map(bytes).sum()
    }

    /// The digest that SQS gives and clients check: MD5 over name, type, kind and value in the order of names, each
    /// preceded by its length; the kind is one byte. `None` where there are no attributes.
    pub(super) fn md5(&self) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let mut digest = Md5::new();
        for (name, attribute) in &self.0 {
            update(&mut digest, name.as_bytes());
            update(&mut digest, attribute.data_type.as_bytes());
            digest.update(match attribute.content {
                Content::Text(_) => [1],
                Content::Binary(_) => [2],
            });
            update(&mut digest, attribute.content.bytes());
        }
        Some(hex(&digest.finalize()))
    }

    /// Keeps those that a receive asked for: by name, all (`All`, `.*`), or by prefix (`prefix.*`).
    pub(super) fn retain(&mut self, asked: &[String]) {
        let is_asked = |name: &str, pattern: &str| match pattern.strip_suffix(".*") {
            Some(prefix) => name.starts_with(prefix),
            None => pattern == "All" || pattern == name,
        };
        self.0.retain(|name, _| asked.iter().any(|pattern| is_asked(name, pattern)));
    }

    /// The text of the only attribute, which must have this name.
    pub(super) fn into_only_text(mut self, name: &str) -> Option<String> {
        match (self.0.remove(name)?.content, self.0.is_empty()) {
            (Content::Text(text), true) => Some(text),
            _ => None,
        }
    }
}

impl Attribute {
    fn parse(name: &str, wire: WireAttribute) -> Result<Self, AwsError> {
        let invalid = |message: String| AwsError::client("InvalidParameterValue", message);
        let shown_name = shown(name);
        if wire.string_list_values.is_some_and(|list| !list.is_empty())
            || wire.binary_list_values.is_some_and(|list| !list.is_empty())
        {
            return Err(unsupported("message attribute list values; nor does AWS"));
        }
        let kind = wire.data_type.split('.').next().unwrap_or_default();
        if wire.data_type.is_empty() {
            return Err(invalid(format!(
                "The message attribute '{shown_name}' must contain a non-empty message attribute type."
            )));
        }
        if wire.data_type.len() > MAX_NAME_CHARACTERS {
            return Err(invalid(format!("The type of the message attribute '{shown_name}' is too long.")));
        }
        check_characters(&wire.data_type)?;
        let no_value = || {
            invalid(format!(
                "The message attribute '{shown_name}' must contain a non-empty message attribute value."
            ))
        };
        let wrong_field = |field: &str| {
            invalid(format!(
                "The message attribute '{shown_name}' with type '{}' must use field '{field}'.",
                wire.data_type
            ))
        };
        let content = match (kind, wire.string_value, wire.binary_value) {
            ("String" | "Number", Some(text), None) => {
                if text.is_empty() {
                    return Err(no_value());
                }
                check_characters(&text)?;
                if kind == "Number" && !is_number(&text) {
                    return Err(invalid(format!(
                        "Can't cast the value of message (user) attribute '{shown_name}' to a number."
                    )));
                }
                Content::Text(text)
            }
            ("Binary", None, Some(text)) => {
                let bytes = STANDARD.decode(&text).map_err(|_| {
                    invalid(format!("The value of the message attribute '{shown_name}' is not Base64."))
                })?;
                if bytes.is_empty() {
                    return Err(no_value());
                }
                Content::Binary(bytes)
            }
            ("String" | "Number" | "Binary", None, None) => return Err(no_value()),
            ("String" | "Number", ..) => return Err(wrong_field("String")),
            ("Binary", ..) => return Err(wrong_field("Binary")),
            _ => {
                return Err(invalid(format!(
                    "The message attribute '{shown_name}' has an invalid message attribute type, the set of supported \
                     type prefixes is Binary, Number, and String."
                )));
            }
        };
        Ok(Self { data_type: wire.data_type, content })
    }
}

fn check_name(name: &str) -> Result<(), AwsError> {
    let invalid = |message: &str| Err(AwsError::client("InvalidParameterValue", message));
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARACTERS {
        return invalid("Message (user) attribute name must be 1 to 256 characters long.");
    }
    if !name.chars().all(|character| character.is_ascii_alphanumeric() || "_-.".contains(character)) {
        return invalid(
            "Message (user) attribute name can contain only A-Z, a-z, 0-9, underscore (_), hyphen (-), and period (.).",
        );
    }
    if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return invalid(
            "Message (user) attribute name can not start or end with a period, or have periods in succession.",
        );
    }
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("aws.") || lower.starts_with("amazon.") {
        return invalid(
            "Message (user) attribute name can not start with the reserved prefixes AWS. and Amazon.",
        );
    }
    Ok(())
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

fn update(digest: &mut Md5, part: &[u8]) {
    // No part is longer than a message, far below 4 GiB.
    let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
    digest.update(length.to_be_bytes());
    digest.update(part);
}

/// The MD5 of a text, as SQS writes it.
pub(super) fn md5_of(text: &str) -> String {
    hex(&Md5::digest(text.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
