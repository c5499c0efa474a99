//! Key bindings of the dashboard from the user's own file.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Value;

use super::error::ConfigError;
use super::layers::read;
use super::origin::Origin;

/// Reads the `[keymap]` table of the user's file: the keys for each action. A file without the table changes nothing.
pub fn keymap(path: &Path) -> Result<BTreeMap<String, Vec<String>>, ConfigError> {
    let bad = |key: String, value: &Value| ConfigError::BadValue {
        key,
        value: value.to_string(),
        origin: Origin::File(path.to_owned()),
        expected: "a key, or a list of keys, such as [\"space\", \"ctrl-p\"]".to_owned(),
    };
    let table = match read(path)?.remove("keymap") {
        None => return Ok(BTreeMap::new()),
        Some(Value::Table(table)) => table,
        Some(value) => return Err(bad("keymap".to_owned(), &value)),
    };
    table
        .into_iter()
        .map(|(action, value)| {
            let keys = match &value {
                Value::String(key) => Some(vec![key.clone()]),
                Value::Array(keys) => keys
                    .iter()
                    .map(|key| key.as_str().map(str::to_owned))
                    .collect(),
                _ => None,
            };
            let keys = keys.ok_or_else(|| bad(format!("keymap.{action}"), &value))?;
            Ok((action, keys))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keymap_of(text: &str) -> Result<BTreeMap<String, Vec<String>>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        keymap(&path).map_err(|error| error.to_string().replace(path.to_str().unwrap(), "FILE"))
    }

    #[test]
    fn an_action_takes_one_key_or_a_list_of_keys() {
        let keys =
            keymap_of("seed = 3\n[keymap]\npause = \"f2\"\nstop = [\"x\", \"f10\"]\n").unwrap();
        assert_eq!(keys["pause"], ["f2"]);
        assert_eq!(keys["stop"], ["x", "f10"]);
        assert!(keymap_of("seed = 3").unwrap().is_empty());
    }

    #[test]
    fn a_binding_that_is_not_a_key_is_refused_by_name() {
        assert_eq!(
            keymap_of("[keymap]\npause = 3").unwrap_err(),
            "keymap.pause = 3 (from FILE): expected a key, or a list of keys, such as [\"space\", \"ctrl-p\"]"
        );
        assert!(keymap_of("keymap = 1").is_err());
    }
}
