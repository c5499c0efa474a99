//! Input from the terminal: keys, pastes, and its end.

use std::io;
use std::os::fd::AsFd as _;
use std::thread;

use crossterm::event::KeyEvent;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::parser::{Mouse, Parser, Sent};

/// How many keys may wait for a slow screen. Beyond that the terminal holds them; nothing is lost.
const WAITING: usize = 256;

/// Bytes that are read at once.
const AT_ONCE: usize = 4096;

/// One piece of input.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// Something was done with the mouse.
    Mouse(Mouse),
    /// The terminal answered a question, or reported something.
    Told(Vec<u8>),
    /// The terminal is gone.
    Gone,
}

/// Listens to the terminal on stdin, in a thread that ends with the process.
pub fn listen() -> io::Result<Receiver<Input>> {
    let (to, from) = channel(WAITING);
    thread::Builder::new()
        .name("input".to_owned())
        .spawn(move || {
            // An error of the terminal is its end. So is the end of this thread, which closes the channel.
            let _ = read(&to);
            let _ = to.blocking_send(Input::Gone);
        })?;
    Ok(from)
}

/// Passes on what comes, until nobody listens or nothing more comes.
fn read(to: &Sender<Input>) -> io::Result<()> {
    let mut parser = Parser::default();
    let mut bytes = [0; AT_ONCE];
    loop {
        let sent = if is_readable(&parser)? {
            // Not by the standard library, which would read on and keep the rest.
            let count = match rustix::io::read(io::stdin(), &mut bytes) {
                Ok(0) => return Ok(()),
                Err(Errno::INTR) => continue,
                read => read?,
            };
            parser.feed(&bytes[..count])
        } else {
            parser.silence().into_iter().collect()
        };
        for sent in sent {
            let input = match sent {
                Sent::Key(key) => Input::Key(key),
                Sent::Paste(text) => Input::Paste(text),
                Sent::Mouse(mouse) => Input::Mouse(mouse),
                Sent::Reply(reply) => Input::Told(reply),
            };
            if to.blocking_send(input).is_err() {
                return Ok(());
            }
        }
    }
}

/// Waits until there is something to read, or its end; false if there was silence for as long as the parser needs to
/// know.
fn is_readable(parser: &Parser) -> io::Result<bool> {
    let stdin = io::stdin();
    let patience = parser
        .patience()
        .and_then(|patience| Timespec::try_from(patience).ok());
    let mut question = [PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::IN)];
    loop {
        match poll(&mut question, patience.as_ref()) {
            Err(Errno::INTR) => {}
            // What is left is read before the end is seen.
            answered => return Ok(answered? > 0),
        }
    }
}
