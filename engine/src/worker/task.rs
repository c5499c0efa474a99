//! Tasks over a pipe: a face asks on stdin and is answered on stdout.

use std::io::{self, Write};
use std::num::NonZero;
use std::path::Path;
use std::thread;

use anyhow::Context as _;
use sparring_contract::exit;
use sparring_contract::protocol::{Purpose, Task, TaskReply, read_frame, write_frame};
use sparring_contract::run::CheckpointHeader;

use super::draw::{Drawn, draw};
use super::eval;
use super::panics::caught;
use crate::native;
use crate::trainer::pictures;

/// Does the task that arrives on stdin.
pub(super) fn serve() -> u8 {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let message = match caught(|| do_task(&mut out)) {
        Ok(Ok(())) => return exit::SUCCESS,
        Ok(Err(error)) => format!("{error:#}"),
        Err(panic) => {
            eprintln!("{}", panic.details());
            panic.to_string()
        }
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
        Task::Eval { subject } => eval::eval(out, &subject)?,
    }
    write_frame(out, &TaskReply::Done)?;
    Ok(())
}

fn sample(out: &mut impl Write, path: &Path, count: u64, how: &Drawn) -> anyhow::Result<()> {
    let header = CheckpointHeader::read(path)?;
    for drawn in draw(path, &header, count, how)? {
        write_frame(
            out,
            &TaskReply::Pictures(pictures(Purpose::Fresh, how.seed, header.step, &drawn)),
        )?;
    }
    Ok(())
}
