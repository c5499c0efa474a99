//! Input from the terminal: keys, pastes, and its end.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::thread;

use crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// How many keys may wait for a slow screen. Beyond that the terminal holds them; nothing is lost.
const WAITING: usize = 256;

/// One piece of input.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal is gone.
    Gone,
}

/// Listens to the terminal on stdin, in two threads, since both calls block. One reads; one waits for the terminal to go
/// away, since crossterm's read never returns after that. The threads end with the process.
pub fn listen() -> io::Result<Receiver<Input>> {
    let (to, from) = channel(WAITING);
    let terminal = io::stdin().as_fd().try_clone_to_owned()?;
    let watcher = to.clone();
    thread::Builder::new()
        .name("watcher".to_owned())
        .spawn(move || watch(&terminal, &watcher))?;
    thread::Builder::new()
        .name("input".to_owned())
        .spawn(move || read(&to))?;
    Ok(from)
}

fn read(to: &Sender<Input>) {
    loop {
        let input = match event::read() {
            Ok(Event::Key(key)) if key.kind == KeyEventKind::Release => continue,
            Ok(Event::Key(key)) => Input::Key(key),
            Ok(Event::Paste(text)) => Input::Paste(text),
            // A new size is announced by a signal, which is handled elsewhere.
            Ok(Event::Resize(..) | Event::FocusGained | Event::FocusLost | Event::Mouse(_)) => {
                continue;
            }
            Err(_) => Input::Gone,
        };
        let over = input == Input::Gone;
        if to.blocking_send(input).is_err() || over {
            return;
        }
    }
}

fn watch(terminal: &OwnedFd, to: &Sender<Input>) {
    // With no flags, poll reports only a hang-up or an error.
    let mut question = [PollFd::new(terminal, PollFlags::empty())];
    loop {
        match poll(&mut question, None) {
            Err(rustix::io::Errno::INTR) | Ok(0) => {}
            Ok(_) | Err(_) => {
                let _ = to.blocking_send(Input::Gone);
                return;
            }
        }
    }
}
