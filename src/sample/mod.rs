//! `sparring sample`: pictures from a checkpoint, in the scrollback or in files.
//!
//! A worker program draws them and sends them over its pipe; only here are they shown or written. They come in
//! batches and are passed on as they come, so 60,000 need no more memory than 256, grids excepted.

mod interrupt;
mod output;
mod progress;
mod replies;
mod scrollback;
mod worker;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use indicatif::HumanBytes;
use sparring_contract::protocol::{Pictures, Task};

use crate::terminal::{Capabilities, ColorChoice, Environment, Render, Scale};

pub use interrupt::Interrupted;

use interrupt::Interrupts;
use output::Destination;
use progress::Progress;
use replies::Shape;
use scrollback::Scrollback;
use worker::Worker;

/// What is to be drawn, and where it goes.
#[derive(Clone, Debug)]
pub struct Options {
    /// The safetensors file.
    pub checkpoint: PathBuf,
    /// How many pictures, at least 1.
    pub count: u64,
    /// Seed of the noise.
    pub seed: u64,
    /// The class of all of them, of a conditional generator.
    pub class: Option<u64>,
    /// `auto`, `cpu`, `cuda` or `cuda:N`.
    pub device: String,
    /// Pictures in a row; as many as fit, or a square in a PNG, if not given.
    pub columns: Option<u16>,
    /// The file or folder to write, by its ending; the scrollback if not given.
    pub out: Option<PathBuf>,
    /// The flag `--color`.
    pub color: ColorChoice,
    /// The flag `--render`; `None` is `auto`.
    pub render: Option<Render>,
    /// How large pictures are shown; the larger scale that fits if not given.
    pub scale: Option<Scale>,
}

/// Draws pictures and shows or writes them.
///
/// `command` starts the worker with all its arguments and environment; its standard streams are set here. A reader
/// of stdout that goes away, such as `head`, ends this with success. A signal that ends the writing of files is
/// an [`Interrupted`] in the error.
pub fn run(options: &Options, command: Command) -> Result<()> {
    match &options.out {
        None => {
            let stdout = io::stdout();
            let environment = Environment::of(&stdout);
            let capabilities = Capabilities::new(&environment, options.color, options.render);
            quietly(show(options, command, capabilities, stdout.lock()))
        }
        Some(path) => {
            let line = save(options, path, command)?;
            quietly(writeln!(io::stdout(), "{line}").map_err(Into::into))
        }
    }
}

/// Shows pictures that are there already.
pub fn show_drawn(options: &Options, pictures: &Pictures) -> Result<()> {
    let stdout = io::stdout();
    let environment = Environment::of(&stdout);
    let capabilities = Capabilities::new(&environment, options.color, options.render);
    let mut scrollback = Scrollback::new(stdout.lock(), capabilities, options);
    let shown = scrollback.put(pictures).context("cannot show the pictures");
    quietly(shown)
}

/// Shows pictures row by row.
fn show(
    options: &Options,
    command: Command,
    capabilities: Capabilities,
    to: impl Write,
) -> Result<()> {
    let mut worker = start(options, command)?;
    let mut progress = Progress::of_loading();
    let mut scrollback = Scrollback::new(to, capabilities, options);
    while let Some(pictures) = worker.next()? {
        progress.end();
        scrollback
            .put(&pictures)
            .context("cannot show the pictures")?;
    }
    worker.finish();
    Ok(())
}

/// Writes pictures to where the options say and tells in a line what is there now.
fn save(options: &Options, path: &Path, command: Command) -> Result<String> {
    let destination = Destination::new(path, options.count)?;
    let interrupts = Interrupts::listen().context("cannot listen for signals")?;
    let mut worker = start(options, command)?;
    let mut progress = Progress::of_loading();
    let cannot_write = || format!("cannot write {}", path.display());

    let mut open = None;
    loop {
        let next = worker.next();
        interrupts.check()?;
        let Some(pictures) = next? else { break };
        let shape = Shape::of(&pictures);
        let (_, sink) = match &mut open {
            Some(open) => open,
            None => open.insert((
                shape,
                destination.open(options.count, options.columns, shape)?,
            )),
        };
        for picture in pictures.pixels.chunks(pictures.picture_bytes()) {
            sink.add(picture).with_context(cannot_write)?;
        }
        progress.add(u64::from(pictures.count), options.count);
    }
    let Some((shape, sink)) = open else {
        bail!("the worker sent no pictures");
    };
    let bytes = sink.finish().with_context(cannot_write)?;
    progress.end();
    worker.finish();
    Ok(format!(
        "wrote {} {} of {}×{} to {} ({})",
        options.count,
        if options.count == 1 {
            "picture"
        } else {
            "pictures"
        },
        shape.width,
        shape.height,
        path.display(),
        HumanBytes(bytes),
    ))
}

/// Starts the worker on its task.
fn start(options: &Options, command: Command) -> Result<Worker> {
    if options.count == 0 {
        bail!("0 pictures are none to draw; ask for at least 1");
    }
    let checkpoint = fs::canonicalize(&options.checkpoint).with_context(|| {
        format!(
            "cannot find the checkpoint {}",
            options.checkpoint.display()
        )
    })?;
    let task = Task::Sample {
        checkpoint,
        count: options.count,
        seed: options.seed,
        class: options.class,
        device: options.device.clone(),
    };
    Worker::start(command, &task, options.count)
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
