//! `sparring presets`, `sparring config` and `sparring completions`

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;
use sparring_contract::config::{DEFAULTS, KEYS, PRESETS, user_file};
use sparring_contract::exit;
use sparring_contract::output::{say, tell};

use super::chosen::{Look, chosen};
use crate::cli::{Choice, Cli, Shell, script};

pub(super) fn presets() -> anyhow::Result<u8> {
    let width = PRESETS
        .iter()
        .map(|preset| preset.name.len())
        .max()
        .unwrap_or_default();
    for (index, preset) in PRESETS.iter().enumerate() {
        let default = if index == 0 { " (default)" } else { "" };
        say(&format!(
            "{:width$}  {}{default}",
            preset.name,
            preset.summary()
        ))?;
    }
    Ok(exit::SUCCESS)
}

/// Prints each value and where it is from, as TOML that `--config` reads again.
pub(super) fn show(choice: &Choice) -> anyhow::Result<u8> {
    let (resolved, notes) = chosen(choice, Look::IfNeeded)?;
    for note in notes {
        tell(&note);
    }
    let lines: Vec<_> = KEYS
        .iter()
        .map(|key| {
            let value = resolved.config.line(key.name).unwrap_or_default();
            (
                format!("{} = {value}", key.name),
                &resolved.origins[key.name],
            )
        })
        .collect();
    let width = lines
        .iter()
        .map(|(line, _)| line.len())
        .max()
        .unwrap_or_default();
    for (line, origin) in lines {
        say(&format!("{line:width$}  # {origin}"))?;
    }
    Ok(exit::SUCCESS)
}

pub(super) fn keys() -> anyhow::Result<u8> {
    for line in DEFAULTS.trim_end().lines() {
        say(line)?;
    }
    Ok(exit::SUCCESS)
}

pub(super) fn path() -> anyhow::Result<u8> {
    let path = user_file()
        .context("no home directory is known, so there is no file of yours; use --config FILE")?;
    say(&path.display().to_string())?;
    Ok(exit::SUCCESS)
}

pub(super) fn manual(folder: &Path) -> anyhow::Result<u8> {
    let written =
        fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
    written.with_context(|| format!("cannot write manual pages to {}", folder.display()))?;
    Ok(exit::SUCCESS)
}

pub(super) fn completions(shell: Shell) -> anyhow::Result<u8> {
    for line in script(shell).trim().lines() {
        say(line)?;
    }
    Ok(exit::SUCCESS)
}
