//! Changes to an existing run's configuration, on resume and during training.

use std::path::Path;

use toml::Value;

use super::Config;
use super::error::ConfigError;
use super::keys::{Change, Key};
use super::layers::{Layered, Resolved, Setting};

/// Applies flags to the configuration of a run that is being resumed. Keys marked [`Change::Never`] are refused.
pub fn resolve_for_resume(stored: &Config, settings: &[Setting]) -> Result<Resolved, ConfigError> {
    let run = Path::new("the run");
    let base = Layered::stored(&stored.to_toml()?, run)?;
    let mut changed = base.clone();
    changed.add_settings(settings)?;
    for (key, leaf) in &changed.leaves {
        let kept = base.leaves.get(key).map(|leaf| &leaf.value);
        let fixed = Key::named(key).is_some_and(|key| key.change == Change::Never);
        if fixed && kept.is_some_and(|kept| *kept != leaf.value) {
            return Err(ConfigError::Fixed {
                key: key.clone(),
                value: leaf.value.to_string(),
                origin: leaf.origin.clone(),
                kept: kept.map(ToString::to_string).unwrap_or_default(),
            });
        }
    }
    changed.finish()
}

/// Changes one key of a run during training. Only keys marked [`Change::Live`] are accepted.
pub fn change_live(
    config: &Config,
    key: &str,
    value: &serde_json::Value,
) -> Result<Config, ConfigError> {
    let base = Layered::stored(&config.to_toml()?, Path::new("the run"))?;
    let mut changed = base.clone();
    let value = Value::try_from(value).unwrap_or_else(|_| Value::String(value.to_string()));
    changed.add_settings(&[Setting {
        key: key.to_owned(),
        value,
        flag: "set".to_owned(),
    }])?;
    let fixed = changed.leaves.iter().find(|(name, leaf)| {
        let live = Key::named(name).is_some_and(|key| key.change == Change::Live);
        !live && base.leaves.get(*name).map(|leaf| &leaf.value) != Some(&leaf.value)
    });
    match fixed {
        Some((name, _)) => Err(ConfigError::NotLive { key: name.clone() }),
        None => Ok(changed.finish()?.config),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Request, resolve};
    use super::*;

    fn defaults() -> Config {
        resolve(&Request::default()).unwrap().config
    }

    #[test]
    fn learning_rates_can_change_during_training_but_networks_cannot() {
        let config = defaults();
        let faster = change_live(&config, "learning_rate", &serde_json::json!(0.001)).unwrap();
        assert_eq!(faster.generator.learning_rate, 0.001);
        assert_eq!(faster.discriminator.learning_rate, 0.001);
        let refusal = |key: &str, value: serde_json::Value| {
            change_live(&config, key, &value).unwrap_err().to_string()
        };
        assert!(
            refusal("latent_dim", 7.into())
                .starts_with("latent_dim cannot change during training; keys that can: ")
        );
        assert_eq!(
            refusal("generator.learning_rate", "fast".into()),
            "generator.learning_rate = \"fast\" (from set): expected a number above 0 and at most 10"
        );
    }

    #[test]
    fn a_resumed_run_can_train_longer_but_keeps_its_batch_size() {
        let stored = defaults();
        let longer =
            resolve_for_resume(&stored, &[Setting::parse("epochs=2000").unwrap()]).unwrap();
        assert_eq!(longer.config.epochs, 2000);
        let other =
            resolve_for_resume(&stored, &[Setting::parse("batch_size=32").unwrap()]).unwrap_err();
        assert!(other.to_string().starts_with(
            "batch_size = 32 (from --set batch_size): a resumed run keeps its batch_size (128); keys that can change: device"
        ));
    }
}
