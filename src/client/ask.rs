//! One command to the worker of a run, and its answer.

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use sparring_contract::protocol::{
    Ack, Command, FaceHello, Outcome, PROTOCOL, Pictures, Purpose, ToFace, ToWorker,
};
use sparring_contract::run::Run;
use tokio::time::{sleep, timeout};

use super::{Link, LinkError};

/// How long to wait for a worker that holds the run to listen, and how often to try.
const PATIENCE: Duration = Duration::from_secs(5);
const KNOCK_EVERY: Duration = Duration::from_millis(30);
/// How long to wait for pictures after the answer that they were drawn.
const PICTURES: Duration = Duration::from_secs(2);

/// The number of the one command of a connection.
const ID: u64 = 1;

/// What a worker answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The step at which the command took effect.
    pub(crate) step: u64,
    /// What there is to say about it.
    pub(crate) detail: Option<String>,
    /// The pictures, where they were asked for and came.
    pub(crate) pictures: Option<Pictures>,
    /// What was too long for a message and left out, if anything was.
    pub(crate) omitted: Option<String>,
}

/// Asks the worker of a run to do something and waits for its answer. A refusal is an error.
pub(crate) fn ask(run: &Run, command: Command) -> anyhow::Result<Answer> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(converse(run, command))
        .with_context(|| format!("run {}", run.name()))
}

async fn converse(run: &Run, command: Command) -> anyhow::Result<Answer> {
    // Only faces that watch get pictures.
    let watch = matches!(
        command,
        Command::Sample { .. } | Command::SampleClass { .. }
    );
    let mut link = reach(run, watch).await?;
    link.send(&ToWorker::Request { id: ID, command }).await?;
    let mut pictures = None;
    let mut omitted = None;
    let ack = loop {
        match link.next().await? {
            Some(ToFace::Ack(ack)) if ack.id == ID => break ack,
            Some(ToFace::Pictures(fresh)) if fresh.purpose == Purpose::Fresh => {
                pictures = Some(fresh);
            }
            Some(ToFace::Omitted { what }) => omitted = Some(what),
            Some(_) => {}
            None => bail!("the worker closed the connection before it answered"),
        }
    };
    let Ack { step, outcome, .. } = ack;
    let detail = match outcome {
        Outcome::Done { detail } => detail,
        Outcome::Unknown => None,
        Outcome::Refused { reason } => return Err(anyhow!("refused at step {step}: {reason}")),
    };
    if watch && pictures.is_none() && omitted.is_none() {
        pictures = timeout(PICTURES, fresh(&mut link)).await.unwrap_or(None);
    }
    Ok(Answer {
        step,
        detail,
        pictures,
        omitted,
    })
}

/// The next pictures from fresh noise, if any come.
async fn fresh(link: &mut Link) -> Option<Pictures> {
    loop {
        match link.next().await.ok()?? {
            ToFace::Pictures(fresh) if fresh.purpose == Purpose::Fresh => return Some(fresh),
            _ => {}
        }
    }
}

/// Connects to a worker that may have been started just now.
async fn reach(run: &Run, watch: bool) -> Result<Link, LinkError> {
    let hello = FaceHello {
        protocol: PROTOCOL,
        watch,
        read_only: false,
    };
    let begun = Instant::now();
    loop {
        match Link::connect(run, hello.clone()).await {
            Err(error)
                if !error.is_final() && begun.elapsed() < PATIENCE && run.holder().is_some() =>
            {
                sleep(KNOCK_EVERY).await;
            }
            connected => return connected,
        }
    }
}
