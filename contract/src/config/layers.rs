//! Configuration layers: later layers override earlier ones, and every value remembers where it came from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::error::ConfigError;
use super::keys::{Key, SHARED};
use super::origin::Origin;
use super::{Config, DEFAULTS, PRESETS, Preset};
use crate::regular::read_text;

/// Bytes of a file of configuration at most: all keys with their documentation are a tenth of it.
const MOST_BYTES: u64 = 256 << 10;

/// A key and its value, given on the command line.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    pub(super) key: String,
    pub(super) value: Value,
    pub(super) flag: String,
}

impl Setting {
    /// A setting given by a flag of its own, such as `--batch-size`.
    pub fn flag(flag: &str, key: &str, value: impl Into<Value>) -> Self {
        Self {
            key: key.to_owned(),
            value: value.into(),
            flag: flag.to_owned(),
        }
    }

    /// Parses the argument of `--set`: `key=value`. The value is TOML; anything else is taken as a string.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let (key, value) = text
            .split_once('=')
            .ok_or_else(|| ConfigError::NotASetting {
                text: text.to_owned(),
            })?;
        let key = key.trim();
        Ok(Self::number(&format!("--set {key}"), key, value.trim()))
    }

    /// A flag whose value is parsed as TOML. Text that is not TOML stays a string, so that the error can quote it.
    pub fn number(flag: &str, key: &str, text: &str) -> Self {
        let parsed = format!("value = {text}").parse::<Table>().ok();
        let value = parsed.and_then(|mut table| table.remove("value"));
        Self::flag(
            flag,
            key,
            value.unwrap_or_else(|| Value::String(text.to_owned())),
        )
    }
}

/// The layers that the user asked for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `--preset`.
    pub preset: Option<String>,
    /// The user's own file; ignored if it does not exist.
    pub user_file: Option<PathBuf>,
    /// `--config`.
    pub file: Option<PathBuf>,
    /// `--set` and the flags, in order.
    pub settings: Vec<Setting>,
}

impl Request {
    /// Whether the flags, or the file that they name, say something of a key.
    pub fn asks_for(&self, key: &str) -> Result<bool, ConfigError> {
        let in_file = self.file.as_deref().map(read).transpose()?;
        let is_in_file = in_file.is_some_and(|table| table.contains_key(key));
        Ok(is_in_file || self.settings.iter().any(|setting| setting.key == key))
    }

    /// Whether any layer names a preset; if not, the default is taken.
    pub fn names_preset(&self) -> Result<bool, ConfigError> {
        Ok(named_preset(self, &layers(self)?).is_some())
    }
}

/// A valid configuration and the origin of each value.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The configuration.
    pub config: Config,
    /// The origin of each dotted key.
    pub origins: BTreeMap<String, Origin>,
}

/// Merges the defaults, the preset, the user's file, `--config` and the flags, in this order, and checks every value.
pub fn resolve(request: &Request) -> Result<Resolved, ConfigError> {
    let layers = layers(request)?;
    let mut merged = Layered::default();
    merged.add(
        &parse(DEFAULTS, Path::new("config/default.toml"))?,
        &Origin::Default,
    )?;
    let preset = chosen_preset(request, &layers)?;
    merged.add(&preset.table()?, &Origin::Preset(preset.name))?;
    for (table, origin) in &layers {
        merged.add(table, origin)?;
    }
    merged.add_settings(&request.settings)?;
    merged.insert(
        "preset",
        Value::String(preset.name.to_owned()),
        Origin::Preset(preset.name),
    );
    merged.finish()
}

/// The files that a request reads, the user's own first.
fn layers(request: &Request) -> Result<Vec<(Table, Origin)>, ConfigError> {
    let mut layers = Vec::new();
    if let Some(path) = request.user_file.as_ref().filter(|path| path.exists()) {
        let mut table = read(path)?;
        // The keys of the dashboard are the user's, not a run's.
        table.remove("keymap");
        layers.push((table, Origin::File(path.clone())));
    }
    if let Some(path) = &request.file {
        layers.push((read(path)?, Origin::File(path.clone())));
    }
    Ok(layers)
}

impl Preset {
    fn table(&self) -> Result<Table, ConfigError> {
        let mut table = parse(
            self.source,
            &PathBuf::from(format!("config/{}.toml", self.name)),
        )?;
        table.remove("summary");
        Ok(table)
    }
}

fn chosen_preset(
    request: &Request,
    files: &[(Table, Origin)],
) -> Result<&'static Preset, ConfigError> {
    match named_preset(request, files) {
        None => Ok(&PRESETS[0]),
        Some((name, origin)) => Preset::named(&name).ok_or_else(|| ConfigError::UnknownPreset {
            name,
            origin,
            known: PRESETS.iter().map(|preset| preset.name).collect(),
        }),
    }
}

/// The preset that the last layer which names one asks for.
fn named_preset(request: &Request, files: &[(Table, Origin)]) -> Option<(String, Origin)> {
    let in_settings = || {
        let setting = request
            .settings
            .iter()
            .rev()
            .find(|setting| setting.key == "preset")?;
        Some((
            setting.value.as_str().unwrap_or_default().to_owned(),
            Origin::Flag(setting.flag.clone()),
        ))
    };
    let in_files = || {
        files.iter().rev().find_map(|(table, origin)| {
            table
                .get("preset")
                .map(|name| (name.as_str().unwrap_or_default().to_owned(), origin.clone()))
        })
    };
    request
        .preset
        .clone()
        .map(|name| (name, Origin::Flag("--preset".to_owned())))
        .or_else(in_settings)
        .or_else(in_files)
}

pub(super) fn read(path: &Path) -> Result<Table, ConfigError> {
    parse(&text_of(path)?, path)
}

/// The text of a file of configuration.
pub(super) fn text_of(path: &Path) -> Result<String, ConfigError> {
    read_text(path, MOST_BYTES).map_err(|error| ConfigError::Unreadable {
        path: path.to_owned(),
        error,
    })
}

fn parse(text: &str, path: &Path) -> Result<Table, ConfigError> {
    text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| {
            text[..span.start.min(text.len())].matches('\n').count() + 1
        });
        ConfigError::Syntax {
            path: path.to_owned(),
            message: format!("line {line}: {}", error.message()),
        }
    })
}

#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// Dotted keys and their values.
#[derive(Clone, Debug, Default)]
pub(super) struct Layered {
    pub(super) leaves: BTreeMap<String, Leaf>,
}

impl Layered {
    /// The defaults, overridden by a run's own file. Keys that this build does not know are ignored.
    pub(super) fn stored(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let mut merged = Self::default();
        merged.add(
            &parse(DEFAULTS, Path::new("config/default.toml"))?,
            &Origin::Default,
        )?;
        let mut known = Vec::new();
        flatten(&parse(text, path)?, "", &mut known);
        known.retain(|(key, _)| Key::named(key).is_some());
        merged.add_leaves(known, &Origin::File(path.to_owned()))?;
        Ok(merged)
    }

    fn add(&mut self, table: &Table, origin: &Origin) -> Result<(), ConfigError> {
        let mut leaves = Vec::new();
        flatten(table, "", &mut leaves);
        self.add_leaves(leaves, origin)
    }

    pub(super) fn add_settings(&mut self, settings: &[Setting]) -> Result<(), ConfigError> {
        for setting in settings {
            let leaf = (setting.key.clone(), setting.value.clone());
            self.add_leaves(vec![leaf], &Origin::Flag(setting.flag.clone()))?;
        }
        Ok(())
    }

    fn add_leaves(
        &mut self,
        leaves: Vec<(String, Value)>,
        origin: &Origin,
    ) -> Result<(), ConfigError> {
        // Shared keys come first, so that a network's own key in the same layer overrides them.
        let (shared, own): (Vec<_>, Vec<_>) = leaves
            .into_iter()
            .partition(|(key, _)| SHARED.contains(&key.as_str()));
        let spread = shared.into_iter().flat_map(|(key, value)| {
            [
                (format!("generator.{key}"), value.clone()),
                (format!("discriminator.{key}"), value),
            ]
        });
        for (name, value) in spread.chain(own) {
            let key = Key::named(&name).ok_or_else(|| ConfigError::UnknownKey {
                key: name.clone(),
                origin: origin.clone(),
                similar: Key::similar(&name),
            })?;
            let value = key
                .kind
                .accept(&value)
                .ok_or_else(|| ConfigError::BadValue {
                    key: name.clone(),
                    value: value.to_string(),
                    origin: origin.clone(),
                    expected: key.kind.expected(),
                })?;
            self.insert(&name, value, origin.clone());
        }
        Ok(())
    }

    fn insert(&mut self, key: &str, value: Value, origin: Origin) {
        self.leaves.insert(key.to_owned(), Leaf { value, origin });
    }

    pub(super) fn finish(self) -> Result<Resolved, ConfigError> {
        let mut root = Table::new();
        let mut origins = BTreeMap::new();
        for (key, leaf) in self.leaves {
            match key.split_once('.') {
                None => {
                    root.insert(key.clone(), leaf.value);
                }
                Some((table, name)) => {
                    let table = root
                        .entry(table)
                        .or_insert_with(|| Value::Table(Table::new()));
                    if let Value::Table(table) = table {
                        table.insert(name.to_owned(), leaf.value);
                    }
                }
            }
            origins.insert(key, leaf.origin);
        }
        // Every value has been checked against its key, so a failure here means that `Config` and `KEYS` disagree.
        let config = root
            .try_into()
            .map_err(|error: toml::de::Error| ConfigError::Syntax {
                path: PathBuf::from("config/default.toml"),
                message: error.message().to_owned(),
            })?;
        Ok(Resolved { config, origins })
    }
}

fn flatten(table: &Table, prefix: &str, leaves: &mut Vec<(String, Value)>) {
    for (key, value) in table {
        let name = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            Value::Table(inner) => flatten(inner, &name, leaves),
            leaf => leaves.push((name, leaf.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::KEYS;
    use super::*;

    fn with(settings: &[&str]) -> Result<Resolved, ConfigError> {
        let settings = settings
            .iter()
            .map(|text| Setting::parse(text))
            .collect::<Result<_, _>>()?;
        resolve(&Request {
            settings,
            ..Request::default()
        })
    }

    fn refusal(setting: &str) -> String {
        with(&[setting]).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn the_defaults_document_every_key_and_no_other() {
        let resolved = with(&[]).unwrap();
        let documented: Vec<_> = resolved.origins.keys().map(String::as_str).collect();
        let mut known: Vec<_> = KEYS.iter().map(|key| key.name).collect();
        known.sort_unstable();
        assert_eq!(documented, known);
    }

    #[test]
    fn a_networks_own_learning_rate_overrides_the_shared_one() {
        let config = with(&["learning_rate=1e-3", "generator.learning_rate=5e-4"])
            .unwrap()
            .config;
        assert_eq!(config.generator.learning_rate, 5e-4);
        assert_eq!(config.discriminator.learning_rate, 1e-3);
    }

    #[test]
    fn an_error_names_the_key_its_origin_and_the_likely_intention() {
        assert_eq!(
            refusal("batchsize=3"),
            "unknown key `batchsize` (from --set batchsize); did you mean `batch_size`?; `sparring config keys` lists them"
        );
        assert_eq!(
            refusal("batch_size=0"),
            "batch_size = 0 (from --set batch_size): expected a whole number from 1 to 65536"
        );
        assert_eq!(
            refusal("seed=-1"),
            "seed = -1 (from --set seed): expected a whole number, 0 or more"
        );
        assert_eq!(
            refusal("generator.activation=gelu"),
            "generator.activation = \"gelu\" (from --set generator.activation): expected one of \"relu\", \"leaky_relu\", \"tanh\""
        );
        assert_eq!(
            refusal("preset=vae"),
            "unknown preset `vae` (from --set preset): choose r3, cgan, tutorial, mlp, dcgan, cdcgan, resnet, few, resnet-large, pix2pix, pix2pix-large"
        );
    }

    #[test]
    fn a_stored_configuration_reads_back_unchanged() {
        let config = with(&["batch_size=7", "minutes=3", "generator.hidden=[8]"])
            .unwrap()
            .config;
        assert_eq!(
            Config::parse(&config.to_toml().unwrap(), Path::new("config.toml")).unwrap(),
            config
        );
    }

    #[test]
    fn unknown_keys_of_a_newer_build_are_ignored() {
        let text = "batch_size = 9\nflux_capacitor = true\n";
        assert_eq!(
            Config::parse(text, Path::new("config.toml"))
                .unwrap()
                .batch_size,
            9
        );
    }
}
