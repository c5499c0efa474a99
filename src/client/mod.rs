//! Finding, starting and reaching the worker program.

mod ask;
mod find;
mod installed;
mod leaving;
mod link;
mod program;
mod start;
mod task;

use std::path::PathBuf;

use sparring_contract::run::Run;

pub(crate) use ask::{Answer, ask};
pub(crate) use find::{check_here, find, find_live};
pub(crate) use leaving::{Leaving, Surroundings};
pub(crate) use link::{Link, LinkError};
pub(crate) use program::{NoWorker, worker};
pub(crate) use start::start;
pub(crate) use task::{ReplyError, TaskWorker, read_reply};

/// Where the worker of a run listens.
fn socket(run: &Run) -> PathBuf {
    run.presence()
        .map_or_else(|| run.socket_path(), |presence| presence.socket)
}
