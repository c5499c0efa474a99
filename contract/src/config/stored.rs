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
