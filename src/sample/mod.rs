//! `sparring sample`: pictures of a checkpoint's generator, in the scrollback, in a file or as a data set.
//!
//! A worker draws them and sends them over its pipe; the face shows or writes them. They come in batches and are passed
//! on as they come, so 60,000 need no more memory than 256, except in a grid.

mod answers;
mod archive;
pub mod classes;
pub mod dataset;
mod draw;
mod interrupt;
mod latent;
mod look;
mod npy;
mod output;
mod progress;
mod replies;
mod scrollback;
mod worker;

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use sparring_contract::output::{say, tell};
use sparring_contract::protocol::Pictures;
use sparring_contract::text::size;

use crate::terminal::Capabilities;

pub use answers::{AnswerTarget, answer};
pub use draw::Draw;
pub use interrupt::Interrupted;
pub use latent::{LatentWorker, join};
pub use look::Look;
pub use output::{Destination, Existing, Format as FileFormat};
pub use replies::Shape;

use dataset::Dataset;
use interrupt::Interrupts;
use progress::Progress;
use scrollback::Scrollback;
use worker::Worker;

/// Draws pictures and shows them on stdout.
///
/// `command` starts the worker with all its arguments and environment; its standard streams are set here. A reader
/// of stdout that goes away, such as `head`, ends this with success.
pub fn show(draw: &Draw, look: Look, command: Command) -> Result<()> {
    let stdout = io::stdout();
    let capabilities = look.capabilities(&stdout);
    quietly(show_on(draw, look, command, capabilities, stdout.lock()))
}

/// Shows pictures that are there already; `class_names` are the names of the labels.
pub fn show_drawn(look: Look, pictures: &Pictures, class_names: &[String]) -> Result<()> {
    let stdout = io::stdout();
    let capabilities = look.capabilities(&stdout);
    let count = u64::from(pictures.count);
    let mut scrollback =
        Scrollback::new(stdout.lock(), capabilities, look, count).labelled(class_names);
    let shown = scrollback.put(pictures).context("cannot show the pictures");
    quietly(shown)
}

/// Writes pictures that are there already to one file, and says so.
pub fn save_drawn(
    pictures: &Pictures,
    destination: &Destination,
    columns: Option<u16>,
) -> Result<()> {
    let (count, shape) = (u64::from(pictures.count), Shape::of(pictures));
    let mut sink = destination.open(count, columns, shape)?;
    let cannot_write = || format!("cannot write {}", destination.path().display());
    for picture in pictures.pixels.chunks(pictures.picture_bytes()) {
        sink.add(picture).with_context(cannot_write)?;
    }
    let bytes = sink.finish().with_context(cannot_write)?;
    let (what, size) = (pictures_of(count, shape), size(bytes as f64));
    Ok(say(&format!(
        "wrote {what} to {} ({size})",
        destination.path().display()
    ))?)
}

/// Draws pictures and writes them to one file. A signal is an [`Interrupted`] in the error, and leaves no file.
pub fn save(
    draw: &Draw,
    destination: &Destination,
    columns: Option<u16>,
    command: Command,
) -> Result<()> {
    let line = save_file(draw, destination, columns, command)?;
    Ok(say(&line)?)
}

/// Draws pictures and writes them to a folder, with labels and a manifest. A signal is an [`Interrupted`] in the error;
/// the same call goes on with what is there. With `any_seed`, a data set that was begun keeps its seed.
pub fn save_dataset(
    draw: &Draw,
    path: &Path,
    format: dataset::Format,
    any_seed: bool,
    command: Command,
) -> Result<()> {
    let line = fill_dataset(draw.clone(), path, format, any_seed, command)?;
    Ok(say(&line)?)
}

/// Draws pictures, all into one message.
pub(crate) fn drawn(draw: &Draw, command: Command) -> Result<Pictures> {
    let mut worker = Worker::start(command, &draw.task(0), draw.count)?;
    let mut all: Option<Pictures> = None;
    while let Some(more) = worker.next()? {
        match &mut all {
            None => all = Some(more),
            Some(all) => {
                all.count += more.count;
                all.pixels.extend(more.pixels);
                all.labels.extend(more.labels);
            }
        }
    }
    worker.finish();
    all.context("the worker drew no picture")
}

fn show_on(
    draw: &Draw,
    look: Look,
    command: Command,
    capabilities: Capabilities,
    to: impl Write,
) -> Result<()> {
    let mut worker = Worker::start(command, &draw.task(0), draw.count)?;
    let mut progress = Progress::of_loading(0, draw.count);
    let mut scrollback = Scrollback::new(to, capabilities, look, draw.count)
        .labelled(draw.header.conditional_classes());
    while let Some(pictures) = worker.next()? {
        progress.end();
        scrollback
            .put(&pictures)
            .context("cannot show the pictures")?;
    }
    worker.finish();
    Ok(())
}

/// Writes one file and says in a line what is there now.
fn save_file(
    draw: &Draw,
    destination: &Destination,
    columns: Option<u16>,
    command: Command,
) -> Result<String> {
    let shape = draw.shape();
    let path = destination.path();
    let interrupts = Interrupts::listen().context("cannot listen for signals")?;
    let mut worker = Worker::start(command, &draw.task(0), draw.count)?;
    let mut progress = Progress::of_loading(0, draw.count);
    let cannot_write = || format!("cannot write {}", path.display());

    let mut sink = destination.open(draw.count, columns, shape)?;
    loop {
        let next = worker.next();
        interrupts.check()?;
        let Some(pictures) = next? else { break };
        check_shape(&pictures, shape)?;
        for picture in pictures.pixels.chunks(pictures.picture_bytes()) {
            sink.add(picture).with_context(cannot_write)?;
        }
        progress.add(u64::from(pictures.count));
    }
    let bytes = sink.finish().with_context(cannot_write)?;
    progress.end();
    worker.finish();
    Ok(format!(
        "wrote {} to {} ({})",
        pictures_of(draw.count, shape),
        path.display(),
        size(bytes as f64),
    ))
}

/// Writes a data set, or the rest of it, and says in a line what is there now.
fn fill_dataset(
    mut draw: Draw,
    path: &Path,
    format: dataset::Format,
    any_seed: bool,
    command: Command,
) -> Result<String> {
    let shape = draw.shape();
    let described = pictures_of(draw.count, shape);
    let Some(mut dataset) = Dataset::open(&draw, path, format, any_seed)? else {
        return Ok(format!("{} has these {described} already", path.display()));
    };
    draw.seed = dataset.manifest().seed;
    let interrupts = Interrupts::listen().context("cannot listen for signals")?;
    let first = dataset.next();
    if first > 0 && first < draw.count {
        tell(&format!(
            "going on with picture {} of {}",
            first + 1,
            draw.count
        ));
    }
    if first < draw.count {
        let wanted = draw.count - first;
        let mut worker = Worker::start(command, &draw.task(first), wanted)?;
        let mut progress = Progress::of_loading(first, draw.count);
        loop {
            let next = worker.next();
            interrupts.check().map_err(|interrupted| Interrupted {
                kept: Some(dataset.next()),
                ..interrupted
            })?;
            let Some(pictures) = next? else { break };
            check_shape(&pictures, shape)?;
            dataset.add(&pictures)?;
            progress.add(u64::from(pictures.count));
        }
        worker.finish();
    }
    dataset.finish()?;
    Ok(format!("wrote {described} to {}", path.display()))
}

fn pictures_of(count: u64, shape: Shape) -> String {
    let plural = if count == 1 { "" } else { "s" };
    let colour = if shape.channels == 3 {
        " in colour"
    } else {
        ""
    };
    format!(
        "{count} picture{plural} of {}×{}{colour}",
        shape.width, shape.height
    )
}

fn check_shape(pictures: &Pictures, shape: Shape) -> Result<()> {
    if Shape::of(pictures) == shape {
        Ok(())
    } else {
        bail!("the worker's answer makes no sense: pictures of another shape than the checkpoint's")
    }
}

/// Success if all that failed is that nobody reads any more.
fn quietly(result: Result<()>) -> Result<()> {
    let nobody_reads = |error: &anyhow::Error| {
        error
            .root_cause()
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    match result {
        Err(error) if nobody_reads(&error) => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests;
