//! A resident worker: loads a generator once, and answers requests about its latent space until stdin ends.

mod edit;
mod interpolate;
mod model;
mod project;

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use anyhow::Context as _;
use sparring_contract::exit;
use sparring_contract::protocol::{LatentRequest, LatentTask, TaskReply, read_frame, write_frame};

use crate::panics::caught;
use model::Model;

/// Requests that wait, at most; a face that sends more of them waits itself.
const WAITING: usize = 4;

/// Answers the requests on stdin. One that fails is answered with the reason, and the next one is read.
pub(super) fn serve(out: &mut impl Write, task: &LatentTask) -> anyhow::Result<()> {
    let requests = requests().context("cannot start a thread")?;
    let model = Model::load(task)?;
    for request in requests {
        let failed = match caught(|| answer(&model, out, &request)) {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(format!("{error:#}")),
            Err(panic) => Some(panic.to_string()),
        };
        let reply = failed.map_or(TaskReply::Done, |message| TaskReply::Failed { message });
        write_frame(out, &reply)?;
        out.flush()?;
    }
    Ok(())
}

/// Reads requests on a thread of its own, which ends this process when stdin ends: nobody waits for answers any more.
fn requests() -> io::Result<Receiver<LatentRequest>> {
    let (send, receive) = sync_channel(WAITING);
    let read = move || {
        while let Ok(Some(request)) = read_frame(&mut io::stdin().lock()) {
            if send.send(request).is_err() {
                break;
            }
        }
        // SAFETY: _exit takes the process away as it is, in the middle of a request.
        unsafe { libc::_exit(i32::from(exit::SUCCESS)) }
    };
    let reader = thread::Builder::new().name("requests".to_owned());
    reader.spawn(read)?;
    Ok(receive)
}

/// Answers one request.
fn answer(model: &Model, out: &mut impl Write, request: &LatentRequest) -> anyhow::Result<()> {
    match request {
        LatentRequest::Draw { points } => interpolate::draw(model, out, points),
        LatentRequest::Interpolate {
            stops,
            frames,
            cyclic,
        } => interpolate::interpolate(model, out, stops, *frames, *cyclic),
        LatentRequest::Edit {
            from,
            properties,
            amount,
            to_each_side,
            trials,
        } => edit::edit(
            model,
            out,
            from,
            properties,
            &edit::Extent {
                amount: *amount,
                to_each_side: *to_each_side,
                trials: *trials,
            },
        ),
        LatentRequest::Project {
            inputs,
            class,
            seed,
        } => project::project(model, out, inputs, *class, *seed),
    }
}
