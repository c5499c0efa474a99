//! Tasks over a pipe: a face asks on stdin and is answered on stdout.

use std::env;
use std::io::{self, Write};
use std::num::NonZero;
use std::path::Path;
use std::thread;

use anyhow::Context as _;
use sparring_contract::exit;
use sparring_contract::output::tell;
use sparring_contract::protocol::{Purpose, Task, TaskReply, read_frame, write_frame};
use sparring_contract::run::CheckpointHeader;

use super::draw::{Batch, Draw, draw};
use super::{data, eval, examine, latent, translate};
use crate::gan::Classes;
use crate::native;
use crate::panics::caught;
use crate::trainer::{labels, pictures};

/// Bytes of pixels per reply, unless one picture has more: far below the limit of an attachment, so that the face's
/// progress moves on.
const REPLY_PIXELS: i64 = 512 << 10;

/// Does the task that arrives on stdin.
pub(super) fn serve() -> u8 {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let message = match caught(|| do_task(&mut out)) {
        Ok(Ok(())) => return exit::SUCCESS,
        Ok(Err(error)) => format!("{error:#}"),
        Err(panic) => {
            panic.details().lines().for_each(tell);
            panic.to_string()
        }
    };
    // A face that is gone needs no answer.
    let _ = write_frame(&mut out, &TaskReply::Failed { message });
    exit::FAILURE
}

/// Ends this process when stdin does: whoever gave the task is gone, and nobody waits for its result.
fn end_with_the_face() -> io::Result<()> {
    let wait = || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        // SAFETY: _exit takes the process away as it is, in the middle of the task.
        unsafe { libc::_exit(i32::from(exit::FAILURE)) }
    };
    let watcher = thread::Builder::new().name("watcher".to_owned());
    watcher.spawn(wait).map(drop)
}

fn do_task(out: &mut impl Write) -> anyhow::Result<()> {
    let task = read_frame(&mut io::stdin().lock()).context("cannot read the task")?;
    if !matches!(task, Some(Task::Latent(_))) {
        end_with_the_face()?;
    }
    let threads = threads();
    native::prepare(threads);
    // Evaluation uses operations that our own thread team does not have; they run long enough for libtorch's threads.
    tch::set_num_threads(threads.try_into().unwrap_or(1));
    match task.context("no task came")? {
        Task::Sample {
            checkpoint,
            count,
            first,
            seed,
            class,
            truncation,
            device,
        } => sample(
            out,
            &checkpoint,
            Draw {
                count,
                first,
                seed,
                classes: class.map_or(Classes::InTurn, Classes::Only),
                truncation,
                device,
            },
        )?,
        Task::Data { source, pictures } => data::inspect(out, &source, pictures)?,
        Task::Eval {
            subject,
            augmentation,
        } => eval::eval(out, &subject, augmentation)?,
        Task::JudgeTrain { source, seed } => eval::train_judge(out, &source, seed)?,
        Task::Translate(translation) => translate::translate(out, &translation)?,
        Task::Latent(task) => return latent::serve(out, &task),
        Task::Examine { device } => {
            let found = Box::new(examine::examine(&device));
            write_frame(out, &TaskReply::Examination(found))?;
        }
    }
    write_frame(out, &TaskReply::Done)?;
    Ok(())
}

/// As many threads as there are cores, or as the user allows programs of libtorch's kind. Its threads wait for each other
/// after every operation: where others need the cores too, one thread is many times as fast as two.
fn threads() -> u32 {
    let asked = env::var("OMP_NUM_THREADS").ok();
    let asked = asked.and_then(|number| number.parse().ok());
    let cores = || thread::available_parallelism().map_or(1, NonZero::get);
    asked
        .unwrap_or_else(|| cores().try_into().unwrap_or(1))
        .max(1)
}

fn sample(out: &mut impl Write, path: &Path, how: Draw) -> anyhow::Result<()> {
    let header = CheckpointHeader::read_intact(path)?;
    let seed = how.seed;
    for batch in draw(path, &header, how)? {
        for part in parts(&batch) {
            let pictures = pictures(
                Purpose::Fresh,
                seed,
                header.step,
                &part.pictures,
                part.classes.as_ref().map(labels).unwrap_or_default(),
                &[],
            );
            write_frame(out, &TaskReply::Pictures(pictures))?;
        }
    }
    Ok(())
}

/// A batch in parts that each fit into one reply.
fn parts(batch: &Batch) -> impl Iterator<Item = Batch> {
    let count = batch.pictures.size()[0];
    let bytes: i64 = batch.pictures.size()[1..].iter().product();
    let most = (REPLY_PIXELS / bytes.max(1)).max(1);
    (0..count)
        .step_by(usize::try_from(most).unwrap_or(1))
        .map(move |first| batch.narrow(first, most.min(count - first)))
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::*;

    fn sizes_of_parts(size: [i64; 4]) -> Vec<i64> {
        let batch = Batch {
            pictures: Tensor::zeros(size, (Kind::Uint8, Device::Cpu)),
            classes: Some(Tensor::arange(size[0], (Kind::Int64, Device::Cpu))),
        };
        let mut next_class = 0;
        parts(&batch)
            .map(|part| {
                let classes = part.classes.unwrap();
                assert_eq!(classes.int64_value(&[0]), next_class);
                assert_eq!(classes.size()[0], part.pictures.size()[0]);
                next_class += classes.size()[0];
                classes.size()[0]
            })
            .collect()
    }

    #[test]
    fn a_reply_holds_as_many_pictures_as_a_message_can_and_at_least_one() {
        assert_eq!(sizes_of_parts([256, 1, 28, 28]), [256]);
        assert_eq!(sizes_of_parts([100, 3, 64, 64]), [42, 42, 16]);
        assert_eq!(sizes_of_parts([2, 3, 600, 600]), [1, 1]);
    }
}
