//! Tasks over a pipe: a face asks on stdin and is answered on stdout.

use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use anyhow::Context as _;
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
    match task.context("no task came")? {
        Task::Sample {
            checkpoint,
            count,
            seed,
            device,
        } => sample(out, &checkpoint, count, seed, &device)?,
        Task::Eval { subject } => eval::eval(out, &subject)?,
    }
    write_frame(out, &TaskReply::Done)?;
    Ok(())
}

fn sample(
    out: &mut impl Write,
    path: &Path,
    count: u64,
    seed: u64,
    device: &str,
) -> anyhow::Result<()> {
    let header = CheckpointHeader::read(path)?;
    for drawn in draw(path, &header, count, seed, device)? {
        write_frame(
            out,
            &TaskReply::Pictures(pictures::pictures(
                Purpose::Fresh,
                seed,
                header.step,
                &drawn,
            )),
        )?;
    }
    Ok(())
}

/// Pictures of a checkpoint's generator, `[n, channels, height, width]`, a byte a pixel, up to [`CHUNK`] at a time: the
/// same seed gives the same pictures, whatever they are drawn for.
pub(super) fn draw(
    path: &Path,
    header: &CheckpointHeader,
    count: u64,
    seed: u64,
    device: &str,
) -> anyhow::Result<impl Iterator<Item = Tensor> + use<>> {
    let device = native::device(device)?;
    let unreadable = || format!("cannot read {}", path.display());
    let snapshot = checkpoint::load(path, header).with_context(unreadable)?;
    let mut painter =
        Painter::new(&header.config, header.shape, &snapshot, device).with_context(unreadable)?;
    let mut noise = Noise::seeded(seed, header.config.latent_dim);
    let mut left = count;
    Ok(std::iter::from_fn(move || {
        let chunk = left.min(CHUNK);
        left -= chunk;
        (chunk > 0).then(|| painter.paint(&noise.draw(chunk.cast_signed())))
    }))
}
