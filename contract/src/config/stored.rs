//! The configuration that a run directory holds.

use std::path::Path;

use serde::Serialize;

use super::Config;
use super::error::ConfigError;
use super::layers::{Layered, text_of};

impl Config {
    /// Reads the resolved configuration that a run directory holds.
    ///
    /// Runs outlive rebuilds: keys that this build does not know are passed over, keys that the file lacks take
    /// their default.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(&text_of(path)?, path)
    }

    /// As [`Config::load`], from text; `path` is named in errors.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        Ok(Layered::stored(text, path)?.finish()?.config)
    }

    /// The configuration as TOML.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        to_toml(self)
    }

    /// The value of a dotted key.
    pub fn value(&self, key: &str) -> Option<toml::Value> {
        let root = toml::Value::try_from(self).ok()?;
        key.split('.')
            .try_fold(root, |value, part| value.get(part).cloned())
    }

    /// The same as TOML on one line.
    pub fn line(&self, key: &str) -> Option<String> {
        self.value(key).map(on_one_line)
    }
}

/// A value as TOML. That of a text with line breaks would have several lines.
fn on_one_line(value: toml::Value) -> String {
    match value {
        toml::Value::String(text) if text.contains(char::is_control) => {
            let escaped: String = text.chars().map(escaped).collect();
            format!("\"{escaped}\"")
        }
        value => value.to_string(),
    }
}

fn escaped(letter: char) -> String {
    match letter {
        '"' | '\\' => format!("\\{letter}"),
        letter if letter.is_control() => format!("\\u{:04x}", u32::from(letter)),
        letter => letter.to_string(),
    }
}

fn to_toml(value: &impl Serialize) -> Result<String, ConfigError> {
    toml::to_string(value).map_err(|error| ConfigError::Unwritable {
        message: error.to_string().trim_end().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::to_toml;

    #[test]
    fn what_toml_cannot_express_is_an_error_and_not_an_empty_file() {
        let message = to_toml(&Some(())).unwrap_err().to_string();
        assert!(
            message.starts_with("cannot write the configuration as TOML: "),
            "{message}"
        );
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}
