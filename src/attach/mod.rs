//! A dashboard in front of a run: its terminal, its worker, and the loop between them.

mod connection;
mod display;
mod drawing;
mod face;
mod last_words;
mod left;
mod notice;
mod options;
mod pacing;
mod signals;

use std::env;
use std::fs::File;
use std::io::{self, BufReader, IsTerminal as _};
use std::process::Child;

use anyhow::Context as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sparring_contract::picture::read_png_grid;
use sparring_contract::protocol::{FaceHello, PROTOCOL, Pictures, Purpose};
use sparring_contract::run::{Run, Timeline, read_records};
use tokio::sync::mpsc::channel;

use crate::clock::now;
use crate::dashboard::{Settings, State};
use crate::terminal::{Guard, input};
use connection::Connection;
use face::Face;

pub(crate) use connection::Death;
pub(crate) use display::Display;
pub(crate) use left::Left;
pub(crate) use options::Options;
pub(crate) use pacing::Budget;

/// News that may wait for a slow screen. A face that lags behind gets a new snapshot.
const WAITING_NEWS: usize = 256;
/// Commands that may wait for the worker: more than a dashboard has open at once.
const WAITING_WISHES: usize = 128;

/// Shows the dashboard of a run until the user leaves it. `child` is the run's worker if this process started it.
pub(crate) fn attach(run: &Run, child: Option<Child>, options: &Options) -> anyhow::Result<Left> {
    options.display.capabilities().impose_on_crossterm();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let left = runtime.block_on(show(run, child, options));
    // Threads that read the terminal never return; the process does not wait for them.
    runtime.shutdown_background();
    left
}

async fn show(run: &Run, child: Option<Child>, options: &Options) -> anyhow::Result<Left> {
    let started = child.is_some();
    let live = started || run.holder().is_some();
    let state = state(run, live, options);
    let guard = Guard::enter().context("cannot take the terminal")?;
    let inputs = input::listen().context("cannot listen to the terminal")?;
    let (tell, news) = channel(WAITING_NEWS);
    let (wish, wishes) = channel(WAITING_WISHES);
    if live {
        let hello = FaceHello {
            protocol: PROTOCOL,
            watch: true,
            read_only: options.read_only,
        };
        tokio::spawn(Connection::new(run.clone(), hello, child).keep(tell.clone(), wishes));
    }
    Face::new(state, started, guard, (wish, tell), run, options)
        .context("cannot ask for the size of the terminal")?
        .attend(inputs, news)
        .await
        .context("cannot draw the dashboard")
}

/// The first state of a dashboard: empty if a worker will send a snapshot, or else read from the log.
fn state(run: &Run, live: bool, options: &Options) -> State {
    let settings = Settings {
        run: run.name().to_owned(),
        keymap: options.keymap.clone(),
        read_only: options.read_only,
        utc_offset: TimeZone::system().to_offset(Timestamp::now()).seconds(),
        now: now(),
    };
    if live {
        return State::new(settings);
    }
    let config = std::fs::read_to_string(run.config_file()).unwrap_or_default();
    let mut state = State::from_log(settings, read_records(&run.events_file()), &config);
    if let Some(pictures) = newest_grid(run, &state.timeline) {
        state.gallery.receive(pictures, None);
    }
    state
}

/// The newest pictures from fixed noise that a run has saved and that are still there.
fn newest_grid(run: &Run, timeline: &Timeline) -> Option<Pictures> {
    let mut saved = timeline.pictures.iter().rev();
    saved.find_map(|saved| {
        if saved.purpose != Purpose::Fixed {
            return None;
        }
        // By its name: the run's directory may have been moved since.
        let name = saved.path.file_name()?;
        let file = File::open(run.samples_dir().join(name)).ok()?;
        let source = (saved.purpose, saved.step);
        let grid = read_png_grid(BufReader::new(file), saved.count, saved.columns, source).ok()?;
        Some(Pictures {
            parts: saved.parts.clone(),
            ..grid
        })
    })
}

/// Whether a dashboard can be shown: both ends of a terminal are there, and it knows escape sequences.
pub(crate) fn has_terminal() -> bool {
    let knows_escapes = env::var("TERM").is_ok_and(|name| !name.is_empty() && name != "dumb");
    knows_escapes && io::stdin().is_terminal() && io::stdout().is_terminal()
}
