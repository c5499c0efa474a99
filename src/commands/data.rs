//! `sparring data`: what a data set holds, and the cache of decoded pictures.

mod report;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use serde_json::json;
use sparring_contract::cache::DataCache;
use sparring_contract::config::{
    Config, DataSource, Request, Setting, TaskKind, choose_preset, resolve, user_file,
};
use sparring_contract::exit;
use sparring_contract::launch::Launch;
use sparring_contract::output::{say, say_json};
use sparring_contract::protocol::{DataReport, Pictures, Task, TaskReply};
use sparring_contract::text::printable;
use sparring_contract::text::size;

use super::flags::look;
use crate::cli::{DataInfo, PictureFlags};
use crate::client::{TaskWorker, read_reply, worker};
use crate::sample;

/// `sparring data info`
pub(super) fn info(flags: &DataInfo) -> anyhow::Result<u8> {
    let config = config(&flags.data, &flags.pictures)?;
    let drawn = if flags.json { 0 } else { flags.count };
    let (report, pictures) = load(&source(&config), drawn)?;
    if flags.json {
        say_json(&as_json(&report)?)?;
        return Ok(exit::SUCCESS);
    }
    for line in report::lines(&report, &config) {
        say(&line)?;
    }
    if let Some(pictures) = pictures {
        say("")?;
        let class_names: Vec<_> = report
            .classes
            .iter()
            .map(|class| class.name.clone())
            .collect();
        sample::show_drawn(look(&flags.drawing), &pictures, &class_names)?;
    }
    Ok(exit::SUCCESS)
}

/// The configuration with this data, prepared as the flags say.
pub(super) fn config(data: &str, pictures: &PictureFlags) -> anyhow::Result<Config> {
    let mut settings = vec![Setting::flag("PATH", "data", data)];
    settings.extend(picture_settings(pictures));
    let request = Request {
        user_file: user_file(),
        settings,
        ..Request::default()
    };
    Ok(resolve(&request)?.config)
}

/// `sparring data cache`
pub(super) fn cache(clear: bool) -> anyhow::Result<u8> {
    let cache = DataCache::of_user()
        .context("no home directory is known, so there is no cache; set XDG_CACHE_HOME")?;
    let folder = cache.folder().display().to_string();
    let entries = cache
        .entries()
        .with_context(|| format!("cannot read {folder}"))?;
    let bytes = size(entries.iter().map(|entry| entry.bytes).sum::<u64>() as f64);
    let sets = match entries.len() {
        1 => "1 data set".to_owned(),
        count => format!("{count} data sets"),
    };
    if clear {
        cache
            .clear()
            .with_context(|| format!("cannot clear {folder}"))?;
        say(&format!("removed {sets}, {bytes}, from {folder}"))?;
        return Ok(exit::SUCCESS);
    }
    let limit = size(DataCache::LIMIT as f64);
    say(&format!("{folder}: {sets}, {bytes} of at most {limit}"))?;
    for entry in &entries {
        let name = entry.path.file_stem().unwrap_or_default();
        let age = SystemTime::now().duration_since(entry.used);
        say(&format!(
            "  {}  {:>11}  used {} ago",
            name.display(),
            size(entry.bytes as f64),
            HumanDuration(age.unwrap_or(Duration::ZERO)),
        ))?;
    }
    Ok(exit::SUCCESS)
}

/// The flags that decide how pictures are prepared, as settings.
pub(super) fn picture_settings(flags: &PictureFlags) -> Vec<Setting> {
    let words = [
        ("--channels", "channels", &flags.channels),
        ("--background", "background", &flags.background),
    ];
    let numbers = [
        ("--image-size", "image_size", &flags.image_size),
        ("--tile", "tile", &flags.tile),
        ("--test-fraction", "test_fraction", &flags.test_fraction),
    ];
    let words = words
        .into_iter()
        .filter_map(|(flag, key, value)| Some(Setting::flag(flag, key, value.as_ref()?.as_str())));
    let numbers = numbers
        .into_iter()
        .filter_map(|(flag, key, value)| Some(Setting::number(flag, key, value.as_ref()?)));
    words.chain(numbers).collect()
}

/// The source that a configuration names, by a path that holds in any folder.
pub(super) fn source(config: &Config) -> DataSource {
    let source = config.data_source();
    if source.is_embedded() {
        return source;
    }
    // Only an empty path has no absolute form, and the configuration refuses that.
    let path = std::path::absolute(&source.data).unwrap_or_else(|_| PathBuf::from(&source.data));
    DataSource {
        // It was text, and so is the folder that it is in, or the worker will not find it and say so.
        data: path.to_string_lossy().into_owned(),
        ..source
    }
}

/// Has a worker load a data set, which also fills the cache, and returns what it holds and some of its pictures. How
/// far it is stands on stderr, where that is a terminal.
pub(super) fn load(
    source: &DataSource,
    pictures: u32,
) -> anyhow::Result<(DataReport, Option<Pictures>)> {
    let task = Task::Data {
        source: source.clone(),
        pictures,
    };
    let mut worker = TaskWorker::start(worker(&Launch::Task)?, &task)?;
    let line = Waiting::new();
    let mut report = None;
    let mut all: Option<Pictures> = None;
    loop {
        match worker.read(read_reply)? {
            TaskReply::Counted { doing, done, total } => line.show(&doing, done, total),
            TaskReply::Data(data) => report = Some(*data),
            TaskReply::Pictures(more) if more.is_whole() => match &mut all {
                None => all = Some(more),
                Some(all) => {
                    all.count += more.count;
                    all.pixels.extend(more.pixels);
                    all.labels.extend(more.labels);
                }
            },
            TaskReply::Done => break,
            _ => bail!("the worker's answer makes no sense: nothing about data"),
        }
    }
    drop(line);
    worker.finish();
    let report = report.context("the worker's answer makes no sense: no report")?;
    if all.as_ref().is_some_and(|all| !all.is_whole()) {
        bail!("the worker's answer makes no sense: pictures of different sizes");
    }
    Ok((report, all))
}

/// A line on stderr while data is loaded, gone at the end.
struct Waiting(ProgressBar);

impl Waiting {
    fn new() -> Self {
        let bar = ProgressBar::new_spinner().with_message("loading");
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style.tick_chars("|/-\\ "));
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    fn show(&self, doing: &str, done: u64, total: u64) {
        let doing = printable(doing);
        if self.0.length() != Some(total) || self.0.message() != doing {
            self.0.disable_steady_tick();
            self.0.set_length(total);
            self.0.set_message(doing);
            if let Ok(style) =
                ProgressStyle::with_template("{msg} [{bar:40}] {human_pos}/{human_len}, {eta} left")
            {
                self.0.set_style(style.progress_chars("=> "));
            }
            self.0.reset_eta();
        }
        self.0.set_position(done);
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn as_json(report: &DataReport) -> anyhow::Result<String> {
    let mut value = serde_json::to_value(report)?;
    let (preset, reason) = choose_preset(&report.facts(), TaskKind::Generate);
    value["preset"] = json!(preset);
    value["preset_reason"] = json!(reason);
    Ok(value.to_string())
}
