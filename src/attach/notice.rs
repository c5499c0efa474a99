//! Getting the attention of a user who looks elsewhere.

use std::io;
use std::process::{Command, Stdio};
use std::thread;

use sparring_contract::text::printable;

/// Has `sh` run the user's command, with the run and the message in its environment, where nothing in them is a command
/// of a shell, nor of a terminal that they are passed on to. Its output is discarded: the screen belongs to the dashboard.
pub(super) fn run(command: &str, run: &str, words: &str) -> io::Result<()> {
    let mut child = Command::new("sh")
        .args(["-c", command])
        .env("SPARRING_RUN", run)
        .env("SPARRING_MESSAGE", printable(words))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    thread::Builder::new()
        .name("notice".to_owned())
        .spawn(move || child.wait())?;
    Ok(())
}
