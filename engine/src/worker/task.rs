//! Tasks over a pipe: a face asks on stdin and is answered on stdout.

use std::io::{self, Write};
use std::num::NonZero;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::thread;

use anyhow::{Context as _, bail};
use sparring_contract::exit;
use sparring_contract::protocol::{Purpose, Task, TaskReply, read_frame, write_frame};
use sparring_contract::run::CheckpointHeader;
use tch::Tensor;

use super::{checkpoint, eval, pictures};
use crate::gan::{Noise, Painter};
use crate::native;

/// Pictures in one reply: noise is drawn, and pictures travel, so many at a time.
const CHUNK: u64 = 256;

/// Does the task that arrives on stdin.
pub(super) fn serve() -> u8 {
    panic::set_hook(Box::new(|_| {}));
    let mut out = io::BufWriter::new(io::stdout().lock());
    let done = panic::catch_unwind(AssertUnwindSafe(|| do_task(&mut out)));
    let message = match done {
        Ok(Ok(())) => return exit::SUCCESS,
        Ok(Err(error)) => format!("{error:#}"),
        Err(payload) => super::panic_message(payload.as_ref()),
    };
    // A face that is gone needs no answer.
    let _ = write_frame(&mut out, &TaskReply::Failed { message });
    exit::FAILURE
}

fn do_task(out: &mut impl Write) -> anyhow::Result<()> {
    let task = read_frame(&mut io::stdin().lock()).context("cannot read the task")?;
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    native::prepare(cores.try_into().unwrap_or(1));
    // Judging has more operations than the team has, and these are long enough for threads of libtorch's own.
    tch::set_num_threads(cores.try_into().unwrap_or(1));
    match task.context("no task came")? {
        Task::Sample {
            checkpoint,
            count,
            seed,
            class,
            device,
        } => sample(
            out,
            &checkpoint,
            count,
            &Drawn {
                seed,
                class,
                device,
            },
        )?,
        Task::Eval {
            subject,
            augmentation,
        } => eval::eval(out, &subject, augmentation)?,
        Task::JudgeTrain { data, seed } => eval::train_judge(out, &data, seed)?,
    }
    write_frame(out, &TaskReply::Done)?;
    Ok(())
}

fn sample(out: &mut impl Write, path: &Path, count: u64, how: &Drawn) -> anyhow::Result<()> {
    let header = CheckpointHeader::read(path)?;
    for drawn in draw(path, &header, count, how)? {
        write_frame(
            out,
            &TaskReply::Pictures(pictures::pictures(
                Purpose::Fresh,
                how.seed,
                header.step,
                &drawn,
            )),
        )?;
    }
    Ok(())
}

/// What pictures are drawn from.
pub(super) struct Drawn {
    /// Seed of the noise.
    pub(super) seed: u64,
    /// The class of all of them; each in its turn if none is named.
    pub(super) class: Option<u64>,
    /// The configuration's name of a device.
    pub(super) device: String,
}

/// Pictures of a checkpoint's generator, `[n, channels, height, width]`, a byte a pixel, up to [`CHUNK`] at a time: the
/// same seed gives the same pictures, whatever they are drawn for.
pub(super) fn draw(
    path: &Path,
    header: &CheckpointHeader,
    count: u64,
    how: &Drawn,
) -> anyhow::Result<impl Iterator<Item = Tensor> + use<>> {
    let classes = header.config.classes;
    match how.class {
        Some(_) if classes == 0 => bail!(
            "{}: its networks were told of no classes: leave --class out, or train a preset that is, such as cgan",
            path.display()
        ),
        Some(class) if class >= classes => {
            bail!(
                "class {class}: {} has the classes 0 to {}",
                path.display(),
                classes - 1
            )
        }
        _ => {}
    }
    let device = native::device(&how.device)?;
    let unreadable = || format!("cannot read {}", path.display());
    let snapshot = checkpoint::load(path, header).with_context(unreadable)?;
    let painter =
        Painter::new(&header.config, header.shape, &snapshot, device).with_context(unreadable)?;
    let mut painter = painter.only(how.class);
    let mut noise = Noise::seeded(how.seed, header.config.latent_dim);
    let mut left = count;
    Ok(std::iter::from_fn(move || {
        let chunk = left.min(CHUNK);
        left -= chunk;
        (chunk > 0).then(|| painter.paint(&noise.draw(chunk.cast_signed())))
    }))
}
