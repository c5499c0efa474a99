use std::io;
use std::path::PathBuf;

use super::origin::Origin;

/// Why a configuration was refused. Each message names the key, the value, where it came from and what is allowed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key that does not exist.
    #[error("unknown key `{key}` (from {origin}){}; `sparring config keys` lists them", .similar.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    UnknownKey {
        /// The key, as written.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// The known key with the most similar name.
        similar: Option<String>,
    },
    /// A value of the wrong type or out of range.
    #[error("{key} = {value} (from {origin}): expected {expected}")]
    BadValue {
        /// The key.
        key: String,
        /// The value as TOML.
        value: String,
        /// Where it stands.
        origin: Origin,
        /// The values that are allowed.
        expected: String,
    },
    /// A preset that does not exist.
    #[error("unknown preset `{name}` (from {origin}): choose {}", .known.join(", "))]
    UnknownPreset {
        /// The name as written.
        name: String,
        /// Where it stands.
        origin: Origin,
        /// The presets that exist.
        known: Vec<&'static str>,
    },
    /// A setting without `=`.
    #[error("`--set {text}`: expected key=value, such as --set batch_size=128")]
    NotASetting {
        /// The argument as written.
        text: String,
    },
    /// A key that cannot change when a run is resumed.
    #[error(
        "{key} = {value} (from {origin}): a resumed run keeps its {key} ({kept}); {}",
        super::keys::resumable_hint()
    )]
    Fixed {
        /// The key.
        key: String,
        /// The requested value.
        value: String,
        /// Where it stands.
        origin: Origin,
        /// The value of the run.
        kept: String,
    },
    /// A key that cannot change during training.
    #[error(
        "{key} cannot change during training; keys that can: {}",
        super::keys::live_names()
    )]
    NotLive {
        /// The key.
        key: String,
    },
    /// A file that cannot be read.
    #[error("cannot read the configuration {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// A configuration that TOML cannot express.
    #[error("cannot write the configuration as TOML: {message}")]
    Unwritable {
        /// What the TOML library said.
        message: String,
    },
    /// A file that is not valid TOML.
    #[error("{}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line and reason.
        message: String,
    },
}
