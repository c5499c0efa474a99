//! Pictures that a worker makes from a user's pictures: shown beside what they were made from, or written.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use sparring_contract::output::say;
use sparring_contract::picture::write_png_grid;
use sparring_contract::protocol::{Pictures, Task, TaskReply, Translation};

use super::interrupt::Interrupts;
use super::look::Look;
use super::output::{Destination, Existing, Format, WholeFile};
use super::progress::Progress;
use super::replies::Shape;
use super::scrollback::Scrollback;
use super::{pictures_of, quietly};
use crate::client::{ReplyError, TaskWorker, read_reply};

/// Where answers go.
pub enum AnswerTarget<'a> {
    /// The scrollback, beside what they were made from.
    Scrollback(Look),
    /// One file, the answers alone.
    File {
        /// Where.
        path: &'a Path,
        /// How.
        format: Format,
        /// What becomes of a file that is there already.
        existing: Existing,
        /// Of a grid; square if not given.
        columns: Option<u16>,
    },
    /// A folder with a PNG for each answer, named like what it was made from.
    Folder {
        /// Where; made if it is not there.
        path: &'a Path,
        /// What becomes of files that are there already.
        existing: Existing,
    },
}

/// Some of a user's pictures and what was made from them.
struct Answered {
    names: Vec<String>,
    pictures: Pictures,
}

/// Makes pictures from pictures and shows or writes them. A signal while they are written is an
/// [`Interrupted`](super::Interrupted) in the error.
pub fn answer(
    translation: &Translation,
    target: &AnswerTarget<'_>,
    command: Command,
) -> Result<()> {
    let mut answers = Answers {
        worker: Some(TaskWorker::start(
            command,
            &Task::Translate(translation.clone()),
        )?),
        answers: translation.answers as usize,
    };
    match target {
        AnswerTarget::Scrollback(look) => show(&mut answers, *look),
        AnswerTarget::File {
            path,
            format,
            existing,
            columns,
        } => say_done(&save(&mut answers, path, (*format, *existing), *columns)?),
        AnswerTarget::Folder { path, existing } => say_done(&fill(&mut answers, path, *existing)?),
    }
}

fn say_done(line: &str) -> Result<()> {
    Ok(say(line)?)
}

/// The answers of a worker, as they come.
struct Answers {
    worker: Option<TaskWorker>,
    /// To each picture.
    answers: usize,
}

impl Answers {
    /// The next ones; `None` when all have come.
    fn next(&mut self) -> Result<Option<Answered>> {
        let Some(mut worker) = self.worker.take() else {
            return Ok(None);
        };
        let reply = worker.read(|from| match read_reply(from)? {
            TaskReply::Translated { names, pictures } => {
                let whole = pictures.is_whole()
                    && pictures.count as usize == names.len() * pictures.group()
                    && pictures.group() > self.answers;
                if whole {
                    Ok(Some(Answered { names, pictures }))
                } else {
                    Err(ReplyError::Nonsense("more or fewer pictures".to_owned()))
                }
            }
            TaskReply::Done => Ok(None),
            _ => Err(ReplyError::Nonsense("no pictures".to_owned())),
        })?;
        match reply {
            Some(_) => self.worker = Some(worker),
            None => worker.finish(),
        }
        Ok(reply)
    }

    /// All of them. The user's pictures are as many as fit into memory.
    fn all(&mut self, interrupts: &Interrupts) -> Result<Vec<Answered>> {
        let mut all = Vec::new();
        let mut progress = Progress::of_loading(0, 0);
        loop {
            let next = self.next();
            interrupts.check()?;
            match next? {
                Some(answered) => all.push(answered),
                None => break,
            }
        }
        progress.end();
        Ok(all)
    }
}

impl Answered {
    /// The answers to each picture, without what they were made from and the original.
    fn answers(&self, of_each: usize) -> impl Iterator<Item = (&str, impl Iterator<Item = &[u8]>)> {
        let group = self.pictures.group();
        (0..).zip(&self.names).map(move |(index, name)| {
            let first = index * group + 1;
            let places = first..first + of_each;
            (
                name.as_str(),
                places.filter_map(|place| self.pictures.picture(place)),
            )
        })
    }
}

/// Shows what was given and what was made of it side by side.
fn show(answers: &mut Answers, look: Look) -> Result<()> {
    let stdout = io::stdout();
    let capabilities = look.capabilities(&stdout);
    let mut progress = Progress::of_loading(0, 0);
    let mut shown = 0;
    let mut to = stdout.lock();
    while let Some(answered) = answers.next()? {
        progress.end();
        let group = answered.pictures.group();
        let parts = answered.pictures.parts.join(", ");
        let count = u64::from(answered.pictures.count);
        let mut put = || -> io::Result<()> {
            if shown == 0 {
                writeln!(to, "{}", sparring_contract::text::printable(&parts))?;
            } else {
                writeln!(to)?;
            }
            Scrollback::new(&mut to, capabilities, look, count)
                .together(group)
                .put(&answered.pictures)
        };
        let put = put().context("cannot show the pictures");
        if put.is_err() {
            return quietly(put);
        }
        shown += count;
    }
    Ok(())
}

/// The shape of all answers, and how many there are. They go into one file only if they have one shape.
fn measured(all: &[Answered], of_each: usize) -> Result<(Shape, u64)> {
    let shapes: HashSet<_> = all
        .iter()
        .map(|one| Shape::of(&one.pictures).sizes())
        .collect();
    let mut shapes = shapes.into_iter();
    match (shapes.next(), shapes.next()) {
        (Some((channels, height, width)), None) => {
            let pictures: usize = all.iter().map(|one| one.names.len() * of_each).sum();
            let shape = Shape {
                channels,
                height,
                width,
            };
            Ok((shape, pictures as u64))
        }
        (None, _) => bail!("there are no pictures in what was given"),
        (Some(_), Some(_)) => bail!(
            "the pictures have different sizes, and one file holds pictures of one size: give --out a folder"
        ),
    }
}

fn save(
    answers: &mut Answers,
    path: &Path,
    (format, existing): (Format, Existing),
    columns: Option<u16>,
) -> Result<String> {
    let interrupts = Interrupts::listen().context("cannot listen for signals")?;
    let of_each = answers.answers;
    let all = answers.all(&interrupts)?;
    let (shape, count) = measured(&all, of_each)?;
    let destination = Destination::new(path, format, existing, count, shape)?;
    let mut sink = destination.open(count, columns, shape)?;
    let cannot_write = || format!("cannot write {}", path.display());
    for (_, pictures) in all.iter().flat_map(|one| one.answers(of_each)) {
        for picture in pictures {
            sink.add(picture).with_context(cannot_write)?;
        }
    }
    sink.finish().with_context(cannot_write)?;
    Ok(format!(
        "wrote {} to {}",
        pictures_of(count, shape),
        path.display()
    ))
}

fn fill(answers: &mut Answers, path: &Path, existing: Existing) -> Result<String> {
    let interrupts = Interrupts::listen().context("cannot listen for signals")?;
    let of_each = answers.answers;
    let all = answers.all(&interrupts)?;
    fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
    let mut taken = HashSet::new();
    let mut count = 0_u64;
    for one in &all {
        let shape = Shape::of(&one.pictures);
        for (name, pictures) in one.answers(of_each) {
            for (number, picture) in (1..).zip(pictures) {
                let name = free_name(name, number, &mut taken);
                write_png(&path.join(name), picture, shape, existing)?;
                count += 1;
            }
        }
    }
    let plural = if count == 1 { "" } else { "s" };
    Ok(format!(
        "wrote {count} picture{plural} to {}",
        path.display()
    ))
}

/// A file name for an answer: that of what it was made from, with the number of the answer, and another number where two
/// have the same.
fn free_name(name: &str, number: usize, taken: &mut HashSet<String>) -> String {
    let base = match number {
        1 => name.to_owned(),
        number => format!("{name}-{number}"),
    };
    let candidates = (1_u64..).map(|copy| match copy {
        1 => format!("{base}.png"),
        copy => format!("{base} ({copy}).png"),
    });
    let mut candidates = candidates.filter(|name| !taken.contains(name));
    let free = candidates.next().unwrap_or_else(|| format!("{base}.png"));
    taken.insert(free.clone());
    free
}

fn write_png(path: &Path, picture: &[u8], shape: Shape, existing: Existing) -> Result<()> {
    let cannot_write = || format!("cannot write {}", path.display());
    if existing == Existing::Keep && path.exists() {
        bail!(
            "{} is there already; give another folder, or --force to replace it",
            path.display()
        );
    }
    let pictures = Pictures {
        purpose: sparring_contract::protocol::Purpose::Fresh,
        seed: 0,
        step: 0,
        count: 1,
        channels: shape.channels,
        height: shape.height,
        width: shape.width,
        pixels: picture.to_vec(),
        labels: Vec::new(),
        parts: Vec::new(),
    };
    let mut file = WholeFile::create(path, existing).with_context(cannot_write)?;
    write_png_grid(&mut file, &pictures, 1).with_context(cannot_write)?;
    file.keep().with_context(cannot_write)?;
    Ok(())
}
