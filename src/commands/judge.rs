//! `sparring judge`

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, bail};
use serde_json::json;
use sparring_contract::config::{Channels, DataSource};
use sparring_contract::exit;
use sparring_contract::judges::{JudgeFile, JudgeFolder, JudgeRecord};
use sparring_contract::launch::Launch;
use sparring_contract::output::{say, say_json};
use sparring_contract::protocol::{DataReport, Task, TaskReply};
use sparring_contract::text::printable;

use super::answer;
use super::data::{config, source};
use crate::cli::{JudgeCommand, PictureFlags};
use crate::client::{TaskWorker, worker};

/// Pixels down or across of the smallest picture that a judge takes.
const SMALLEST_JUDGED: u32 = 8;

/// Digits of a fingerprint that are shown: enough to tell data sets apart.
const SHOWN: usize = 12;

pub(super) fn judge(command: &JudgeCommand) -> anyhow::Result<u8> {
    match command {
        JudgeCommand::Train {
            data,
            pictures,
            seed,
            json,
        } => train(data, pictures, *seed, *json),
        JudgeCommand::List { json } => list(*json),
        JudgeCommand::Remove { judges } => remove(judges),
    }
}

/// The command that trains a judge of this data, in a line, if the data can have one and has none.
pub(super) fn hint(source: &DataSource, report: &DataReport) -> Option<String> {
    let can_have_one = !report.is_mnist
        && report.classes.len() > 1
        && report.height.min(report.width) >= SMALLEST_JUDGED
        // No flag of the command says it.
        && source.test_seed == DataSource::named("").test_seed;
    let has_one =
        || JudgeFolder::of_user().is_some_and(|all| all.file(&report.fingerprint).exists());
    (can_have_one && !has_one()).then(|| {
        let words = std::iter::once(shell_word(&source.data)).chain(flags(source));
        let words: Vec<_> = words.collect();
        let words = printable(&words.join(" "));
        format!("for class-by-class figures: sparring judge train {words}")
    })
}

/// The flags that prepare pictures as a source says.
fn flags(source: &DataSource) -> impl Iterator<Item = String> {
    let usual = DataSource::named("");
    let flag = |name: &str, value: String, is_usual: bool| {
        (!is_usual).then(|| format!("{name} {}", shell_word(&value)))
    };
    let channels = match source.channels {
        Channels::Auto => "auto",
        Channels::Grey => "grey",
        Channels::Rgb => "rgb",
    };
    [
        flag(
            "--image-size",
            source.image_size.to_string(),
            source.image_size == usual.image_size,
        ),
        flag(
            "--channels",
            channels.to_owned(),
            source.channels == usual.channels,
        ),
        flag(
            "--background",
            source.background.into(),
            source.background == usual.background,
        ),
        flag("--tile", source.tile.to_string(), source.tile == usual.tile),
        flag(
            "--test-fraction",
            source.test_fraction.to_string(),
            source.test_fraction.total_cmp(&usual.test_fraction).is_eq(),
        ),
    ]
    .into_iter()
    .flatten()
}

/// Text as a word of a shell's command line.
fn shell_word(text: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-+:@%".contains(letter);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn folder() -> anyhow::Result<JudgeFolder> {
    JudgeFolder::of_user()
        .context("no home directory is known to keep judges in: set HOME or XDG_CACHE_HOME")
}

fn train(data: &str, pictures: &PictureFlags, seed: u64, json: bool) -> anyhow::Result<u8> {
    let source = source(&config(data, pictures)?);
    if source.is_embedded() {
        bail!("MNIST has two judges inside the program already: `sparring eval` uses them");
    }
    let began = Instant::now();
    let task = Task::JudgeTrain { source, seed };
    let TaskReply::Judge { path, record } =
        answer::answer(TaskWorker::start(worker(&Launch::Task)?, &task)?)?
    else {
        bail!("the worker's answer makes no sense: no judge");
    };
    if json {
        say_json(&as_json(&path, &record)?.to_string())?;
        return Ok(exit::SUCCESS);
    }
    let seconds = began.elapsed().as_secs_f64();
    for line in lines(&path, &record, seconds) {
        say(&line)?;
    }
    Ok(exit::SUCCESS)
}

fn as_json(path: &Path, record: &JudgeRecord) -> anyhow::Result<serde_json::Value> {
    let mut value = serde_json::to_value(record)?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("path".to_owned(), json!(path));
    }
    Ok(value)
}

/// What a judge is and what it measures, for people.
fn lines(path: &Path, record: &JudgeRecord, seconds: f64) -> Vec<String> {
    let mut lines = vec![
        format!(
            "{}: {} classes, {:.1} % of the held-out pictures classified correctly, trained and measured in {seconds:.0} s",
            printable(&record.data),
            record.class_names.len(),
            record.accuracy * 100.0,
        ),
        String::new(),
        "  × floor  recall  coverage".to_owned(),
    ];
    let shown =
        |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
    let row = |times: f64, recall, coverage, words: &str| {
        format!(
            "{times:9.1}  {:>6}  {:>8}  {}",
            shown(recall),
            shown(coverage),
            printable(words)
        )
    };
    let floor = &record.floor;
    lines.push(row(
        1.0,
        floor.recall,
        floor.coverage,
        "real training pictures",
    ));
    for control in &record.controls {
        let figures = &control.figures;
        let times = figures.frechet.unwrap_or(f64::NAN) / control.floor;
        lines.push(row(times, figures.recall, figures.coverage, &control.words));
    }
    lines.extend([String::new(), format!("stored in {}", path.display())]);
    lines
}

fn list(json: bool) -> anyhow::Result<u8> {
    let folder = folder()?;
    let files = read(&folder)?;
    for file in &files {
        if json {
            let line = match &file.record {
                Ok(record) => as_json(&file.path, record)?,
                Err(why) => json!({ "path": file.path, "error": why }),
            };
            say_json(&line.to_string())?;
        } else {
            say(&row(file))?;
        }
    }
    if files.is_empty() && !json {
        say(&format!(
            "no judges in {}; `sparring judge train DATA` trains one, and that of MNIST is inside the program",
            folder.path().display()
        ))?;
    }
    Ok(exit::SUCCESS)
}

fn read(folder: &JudgeFolder) -> anyhow::Result<Vec<JudgeFile>> {
    folder
        .list()
        .with_context(|| format!("cannot read {}", folder.path().display()))
}

fn row(file: &JudgeFile) -> String {
    let fingerprint: String = printable(file.fingerprint()).chars().take(SHOWN).collect();
    let about = match &file.record {
        Ok(record) => {
            let [channels, height, width] = record.shape;
            format!(
                "{:5.1} %  {:3} classes  {channels}x{height}x{width}  {}",
                record.accuracy * 100.0,
                record.class_names.len(),
                printable(&record.data),
            )
        }
        Err(why) => format!("cannot be used: {}", printable(why)),
    };
    format!(
        "{fingerprint:SHOWN$}  {:>5} KB  {about}",
        file.bytes.div_ceil(1000)
    )
}

fn remove(names: &[String]) -> anyhow::Result<u8> {
    let folder = folder()?;
    let files = read(&folder)?;
    let mut chosen = Vec::new();
    for name in names {
        let found: Vec<_> = files
            .iter()
            .filter(|file| file.fingerprint().starts_with(name.as_str()))
            .collect();
        match found.as_slice() {
            [one] => chosen.push(*one),
            [] => bail!(
                "there is no judge `{}` in {}: `sparring judge list` shows them",
                printable(name),
                folder.path().display()
            ),
            several => bail!(
                "`{}` could be any of {} judges: give more digits of the fingerprint",
                printable(name),
                several.len()
            ),
        }
    }
    for file in chosen {
        fs::remove_file(&file.path)
            .with_context(|| format!("cannot remove {}", file.path.display()))?;
        say(&format!("removed {}", file.path.display()))?;
    }
    Ok(exit::SUCCESS)
}
