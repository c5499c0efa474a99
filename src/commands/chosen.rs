//! What the flags choose: a configuration, and the preset that suits the data if they name none.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use sparring_contract::config::{
    DataFacts, Request, Resolved, Setting, choose_preset, resolve, user_file,
};

use super::{data, judge};
use crate::cli::Choice;

/// When the data is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// If a preset has to be chosen.
    IfNeeded,
    /// Also if reading it takes time: what is wrong with it is said before a run is made.
    BeforeRun,
    /// Always, to tell the user what else there is for it.
    Closely,
}

/// The configuration that the flags choose. If no preset is named, one is chosen from the data, and a line says which and
/// why. Another line says how the data gets a judge, if the user is to be told.
pub(super) fn chosen(choice: &Choice, look: Look) -> anyhow::Result<(Resolved, Vec<String>)> {
    let mut request = request(choice)?;
    let mut resolved = resolve(&request)?;
    let task = resolved.config.task;
    let source = data::source(&resolved.config);
    let is_named = request.names_preset()?;
    let mut notes = Vec::new();
    let is_needed = match look {
        Look::IfNeeded => false,
        Look::BeforeRun => !is_idx(Path::new(&source.data)),
        Look::Closely => true,
    };
    let facts = if source.is_embedded() {
        DataFacts::MNIST
    } else if is_needed || !is_named {
        let (report, _) = data::load(&source, 0)?;
        // A judge of one of two folders would not be one of both.
        let can_be_judged = look == Look::Closely && source.domains.is_empty();
        notes.extend(judge::hint(&source, &report).filter(|_| can_be_judged));
        report.facts()
    } else {
        return Ok((resolved, notes));
    };
    if !is_named {
        let (preset, reason) = choose_preset(&facts, task);
        if !source.is_embedded() {
            let note =
                format!("preset {preset}, chosen because {reason}; --preset NAME chooses another");
            notes.insert(0, note);
        }
        request.preset = Some(preset.to_owned());
        resolved = resolve(&request)?;
    }
    Ok((resolved, notes))
}

/// Whether data is IDX files, which are read in no time: then a run with a named preset needs no look at them first.
fn is_idx(path: &Path) -> bool {
    let is_idx = |path: &Path| path.to_string_lossy().contains("idx3-ubyte");
    match path.read_dir() {
        Ok(mut entries) => entries.any(|entry| entry.is_ok_and(|entry| is_idx(&entry.path()))),
        Err(_) => !path.is_dir() && is_idx(path),
    }
}

/// What the flags ask for.
pub(super) fn request(choice: &Choice) -> anyhow::Result<Request> {
    let mut request = Request {
        preset: choice.preset.clone(),
        user_file: user_file(),
        file: choice.config.clone(),
        settings: settings(choice)?,
    };
    if let [first, second] = choice.task.unpaired.as_slice() {
        let has_data = request.asks_for("data")?;
        // A flag of its own comes after `--set`, as the others do.
        request.settings.extend(domains([first, second], has_data)?);
    }
    Ok(request)
}

/// The settings of a translation between two domains: folders where there are any and no other data is named, else
/// classes.
fn domains(names: [&str; 2], has_data: bool) -> anyhow::Result<Vec<Setting>> {
    const FLAG: &str = "--unpaired";
    let text = |key: &str, value: &str| Setting::flag(FLAG, key, value);
    let mut settings = vec![
        text("task", "translate"),
        text("translate.from", "unpaired"),
    ];
    let mut domains = names.map(str::to_owned);
    if has_data && names.iter().any(|name| name.contains('/')) {
        bail!(
            "--unpaired {} {}: folders are data themselves: leave --data out",
            names[0],
            names[1]
        );
    }
    if !has_data && names.iter().any(|name| Path::new(name).is_dir()) {
        for (domain, name) in domains.iter_mut().zip(names) {
            let folder = fs::canonicalize(name)
                .with_context(|| format!("--unpaired: cannot find the folder {name}"))?;
            *domain = folder
                .into_os_string()
                .into_string()
                .map_err(|_| anyhow!("--unpaired: the path of {name} is not UTF-8: rename it"))?;
        }
        let is_within = |[inner, outer]: [&String; 2]| Path::new(inner).starts_with(outer);
        let [first, second] = &domains;
        if is_within([first, second]) || is_within([second, first]) {
            bail!(
                "--unpaired {} {}: one folder is in the other, so its pictures would be in both: give two apart",
                names[0],
                names[1]
            );
        }
        settings.push(text("data", &domains[0]));
    }
    settings.push(Setting::flag(FLAG, "translate.domains", domains.to_vec()));
    Ok(settings)
}

/// What the flags and `--set` say, those of domains excepted.
fn settings(choice: &Choice) -> anyhow::Result<Vec<Setting>> {
    let mut settings = choice
        .settings
        .iter()
        .map(|text| Setting::parse(text))
        .collect::<Result<Vec<_>, _>>()?;
    let words = [
        ("--task", "task", &choice.task.task),
        ("--mask", "repair.mask", &choice.task.mask),
        ("--from", "translate.from", &choice.task.from),
        ("--data", "data", &choice.data),
        ("--device", "device", &choice.device),
    ];
    if let Some(folder) = &choice.task.pairs {
        let of_pairs = [
            ("task", "translate"),
            ("translate.from", "pairs"),
            ("data", folder.as_str()),
        ];
        settings.extend(of_pairs.map(|(key, value)| Setting::flag("--pairs", key, value)));
    }
    settings.extend(data::picture_settings(&choice.pictures));
    settings.extend(words.into_iter().filter_map(|(flag, key, value)| {
        value
            .as_ref()
            .map(|value| Setting::flag(flag, key, value.as_str()))
    }));
    let numbers = [
        ("--seed", "seed", &choice.seed),
        ("--threads", "threads", &choice.threads),
        ("--epochs", "epochs", &choice.epochs),
        ("--steps", "steps", &choice.steps),
        ("--minutes", "minutes", &choice.minutes),
        ("--batch-size", "batch_size", &choice.batch_size),
        ("--learning-rate", "learning_rate", &choice.learning_rate),
        ("--factor", "enlarge.factor", &choice.task.factor),
    ];
    settings.extend(numbers.into_iter().filter_map(|(flag, key, value)| {
        value
            .as_ref()
            .map(|value| Setting::number(flag, key, value))
    }));
    Ok(settings)
}
