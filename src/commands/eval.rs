//! `sparring eval`

mod fidelity;
mod table;
mod unpaired;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::json;
use sparring_contract::config::Mask;
use sparring_contract::exit;
use sparring_contract::launch::Launch;
use sparring_contract::output::{say, say_json};
use sparring_contract::protocol::{
    Augmentation, FeatureKind, Figures, Report, Subject, Task, TaskReply, Truncation,
};
use sparring_contract::run::Home;
use sparring_contract::text::printable;

use super::source::{any_seed, checkpoint};
use super::{answer, flags};
use crate::cli::Eval;
use crate::client::{TaskWorker, worker};

pub(super) fn eval(home: &Home, flags: &Eval) -> anyhow::Result<u8> {
    let subject = subject(home, flags)?;
    let task = Task::Eval {
        subject: subject.clone(),
        augmentation: flags.augmentation,
    };
    let (facts, figures, lines) =
        match answer::answer(TaskWorker::start(worker(&Launch::Task)?, &task)?)? {
            TaskReply::Report(report) if report.pictures > 0 => (
                json!({ "subject": subject, "in_words": report.in_words() }),
                serde_json::to_value(&report)?,
                lines(&subject, &printable_report(*report)),
            ),
            TaskReply::Fidelity(report) => (
                json!({ "subject": subject }),
                serde_json::to_value(&report)?,
                fidelity::lines(&described(&subject), &report),
            ),
            TaskReply::Unpaired(report) => (
                json!({ "subject": subject }),
                serde_json::to_value(&report)?,
                unpaired::lines(&described(&subject), &report),
            ),
            _ => bail!("the worker's answer makes no sense: no report"),
        };
    if flags.json {
        let mut value = facts;
        if let (Some(all), serde_json::Value::Object(figures)) = (value.as_object_mut(), figures) {
            all.extend(figures);
        }
        say_json(&value.to_string())?;
    } else {
        for line in lines {
            say(&line)?;
        }
    }
    Ok(exit::SUCCESS)
}

/// What was evaluated, in words.
fn described(subject: &Subject) -> String {
    match subject {
        Subject::Checkpoint {
            path,
            seed,
            truncation,
            ..
        } => {
            let noise = match truncation {
                Truncation::Off => String::new(),
                truncated => format!(", {}", truncated.in_words()),
            };
            format!("{}, seed {seed}{noise}", path.display())
        }
        Subject::Samples { path, .. } => path.display().to_string(),
    }
}

/// What is to be judged, by paths that hold in any folder.
fn subject(home: &Home, flags: &Eval) -> anyhow::Result<Subject> {
    let whole = |path: &Path| {
        fs::canonicalize(path).with_context(|| format!("cannot find {}", path.display()))
    };
    match &flags.samples {
        None => Ok(Subject::Checkpoint {
            path: checkpoint(home, flags.source.as_deref(), flags.best)?,
            seed: flags.seed.unwrap_or_else(any_seed),
            truncation: flags::truncation(flags.truncation),
            repair: flags.mask.as_deref().map(mask).transpose()?,
            device: flags.device.clone(),
        }),
        Some(path) => Ok(Subject::Samples {
            path: whole(path)?,
            data: flags.data.clone(),
        }),
    }
}

fn mask(name: &str) -> anyhow::Result<Mask> {
    flags::named_mask(name).with_context(|| {
        format!("--mask {name} is neither centre, half, strokes, random nor mixed")
    })
}

/// The report with names that a terminal can show: class names come from the data.
fn printable_report(mut report: Report) -> Report {
    let names = report.class_names.iter_mut();
    let words = report.controls.iter_mut().map(|control| &mut control.words);
    for text in names.chain(words).chain([&mut report.against]) {
        *text = printable(text);
    }
    report
}

/// A figure of the table.
struct Row {
    name: &'static str,
    of: fn(&Figures) -> Option<f64>,
    /// Whether it is told as a multiple of the floor too.
    times: bool,
    /// The control that it is there to see, and a word for it.
    control: (&'static str, &'static str),
}

const ROWS: [Row; 9] = [
    Row {
        name: "Fréchet distance",
        of: |figures| figures.frechet,
        times: true,
        control: ("one_pixel_shift", "shifted by a pixel"),
    },
    Row {
        name: "fine Fréchet distance",
        of: |figures| figures.fine,
        times: true,
        control: ("noise", "with noise"),
    },
    Row {
        name: "recall",
        of: |figures| figures.recall,
        times: false,
        control: ("repeated", "few, repeated"),
    },
    Row {
        name: "coverage",
        of: |figures| figures.coverage,
        times: false,
        control: ("repeated", "few, repeated"),
    },
    Row {
        name: "variation of classes",
        of: |figures| figures.class_variation,
        times: false,
        control: ("missing_class", "without a class"),
    },
    Row {
        name: "nearest training picture",
        of: |figures| figures.nearest,
        times: false,
        control: ("repeated", "copies"),
    },
    Row {
        name: "confidence",
        of: |figures| figures.confidence,
        times: false,
        control: ("class_gaussians", "class Gaussians"),
    },
    Row {
        name: "label agreement",
        of: |figures| figures.label_agreement,
        times: false,
        control: ("class_gaussians", "class Gaussians"),
    },
    Row {
        name: "accuracy score",
        of: |figures| figures.accuracy_score,
        times: false,
        control: ("class_gaussians", "class Gaussians"),
    },
];

/// Classes whose shares are told, at most.
const CLASSES_SHOWN: usize = 20;

/// The report for people.
fn lines(subject: &Subject, report: &Report) -> Vec<String> {
    let mut lines = vec![
        format!(
            "{}: {} pictures against {}{}",
            described(subject),
            report.pictures,
            report.against,
            match report.features {
                FeatureKind::Judge => "",
                FeatureKind::Unlabelled => ", in features that need no labels",
            }
        ),
        String::new(),
    ];
    let mut cells = vec![["", "pictures", "real ones", "times", "to compare"].map(str::to_owned)];
    for row in &ROWS {
        let Some(found) = (row.of)(&report.found) else {
            continue;
        };
        let floor = (row.of)(&report.floor);
        let times = floor.filter(|_| row.times).map(|floor| times(found, floor));
        let control = report
            .controls
            .iter()
            .find(|control| control.name == row.control.0)
            .and_then(|control| (row.of)(&control.figures))
            .map(|reading| format!("{} {}", number(reading), row.control.1));
        cells.push([
            row.name.to_owned(),
            number(found),
            floor.map_or_else(|| "–".to_owned(), number),
            times.unwrap_or_default(),
            control.unwrap_or_default(),
        ]);
        if let (true, Some(second)) = (row.name == ROWS[0].name, report.second) {
            cells.push([
                "  by a second judge".to_owned(),
                number(second.found),
                number(second.floor),
                self::times(second.found, second.floor),
                String::new(),
            ]);
        }
    }
    lines.extend(table(&cells));
    lines.extend(class_lines(report));
    if let Some(augmentation) = &report.augmentation {
        lines.extend([String::new(), augmentation_line(augmentation)]);
    }
    if let Some(words) = report.in_words() {
        lines.extend([String::new(), words]);
    }
    if let Some(left_out) = &report.left_out {
        lines.extend([String::new(), format!("left out: {left_out}")]);
    }
    lines
}

/// Shares of the classes that differ most from the real ones, the greatest difference first.
fn class_lines(report: &Report) -> Vec<String> {
    let Some(classes) = &report.found.classes else {
        return Vec::new();
    };
    let name = |class: usize| {
        let name = report.class_names.get(class);
        name.map_or_else(|| class.to_string(), String::clone)
    };
    let mut shares: Vec<_> = classes.iter().copied().enumerate().collect();
    let all = shares.len();
    let mut heading = "% of each class".to_owned();
    if all > CLASSES_SHOWN {
        let real = report.floor.classes.as_deref().unwrap_or_default();
        let difference = |(class, share): &(usize, f64)| {
            (share - real.get(*class).copied().unwrap_or_default()).abs()
        };
        shares.sort_by(|a, b| difference(b).total_cmp(&difference(a)));
        shares.truncate(CLASSES_SHOWN);
        heading = format!("% of the {CLASSES_SHOWN} classes of {all} that differ most");
    }
    let shares: Vec<_> = shares
        .iter()
        .map(|(class, share)| format!("{}: {:.1}", name(*class), share * 100.0))
        .collect();
    vec![String::new(), format!("{heading}  {}", shares.join("  "))]
}

fn augmentation_line(augmentation: &Augmentation) -> String {
    format!(
        "gain from augmentation  {:+.1} points: a classifier of {} real pictures of each class knows {:.1} %, with these pictures {:.1} %",
        augmentation.gain * 100.0,
        augmentation.per_class,
        augmentation.real * 100.0,
        augmentation.with_generated * 100.0,
    )
}

fn table(cells: &[[String; 5]]) -> Vec<String> {
    let width = |column: usize| {
        cells
            .iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or_default()
    };
    let [name, found, floor, times] = [0, 1, 2, 3].map(width);
    cells
        .iter()
        .map(|[a, b, c, d, e]| {
            format!("{a:name$}  {b:>found$}  {c:>floor$}  {d:>times$}  {e}")
                .trim_end()
                .to_owned()
        })
        .collect()
}

fn times(found: f64, floor: f64) -> String {
    format!("{:.1} ×", found / floor)
}

/// Three digits that count.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.digits$}")
}
