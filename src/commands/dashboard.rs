//! The dashboard, from `sparring attach` and from `sparring train` in a terminal.

use std::collections::BTreeMap;
use std::io;
use std::process::Child;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::{Pid, test_kill_process};
use sparring_contract::config::{self, user_file};
use sparring_contract::exit;
use sparring_contract::launch::OTHER_BUILD;
use sparring_contract::output::{say, tell};
use sparring_contract::protocol::Command;
use sparring_contract::run::{Home, Run, State};

use super::flags::{color, render};
use super::wait::wait;
use crate::attach::{self, Budget, Death, Display, Left, Options};
use crate::cli::{Attach, Background, View};
use crate::client::{ask, check_here, find};
use crate::dashboard::Keymap;
use crate::terminal::{Environment, Shade};

/// A worker ended before it had anything to show.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct NeverBegan {
    /// Why, in its own words if it left any.
    message: String,
    /// Its exit code, or that of a failure.
    pub(super) code: u8,
}

/// Bytes a second to a terminal behind ssh, at most.
const OVER_SSH: f64 = 8000.0;

/// How often to look for a worker that was just started.
const LOOK_EVERY: Duration = Duration::from_millis(30);

/// `sparring attach`
pub(super) fn attach(home: &Home, flags: &Attach) -> anyhow::Result<u8> {
    let run = find(home, flags.run.as_deref())?;
    if run.holder().is_some() {
        check_here(&run)?;
    } else if run.status().state == State::New {
        bail!(
            "run {0} was never trained; start it with `sparring train --resume {0}`",
            run.name()
        );
    }
    if !attach::has_terminal() {
        bail!(
            "a dashboard needs a terminal on stdin and stdout; `sparring logs --follow {0}` and `sparring runs` work \
             without one",
            run.name()
        );
    }
    let options = options(&flags.view, flags.read_only)?;
    let left = attach::attach(&run, None, &options)?;
    match left {
        Left::ByUser { .. } => {
            farewell(&run, &left)?;
            Ok(exit::SUCCESS)
        }
        left => end(&run, left),
    }
}

/// How a dashboard is shown, after flags, environment and the user's file.
pub(super) fn options(view: &View, read_only: bool) -> anyhow::Result<Options> {
    let environment = Environment::of(&io::stdout());
    Ok(Options {
        budget: match view.budget {
            Some(0) => Budget::None,
            Some(kilobytes) => Budget::Fixed(f64::from(kilobytes) * 1000.0),
            None if environment.is_remote() => Budget::AtMost(OVER_SSH),
            None => Budget::None,
        },
        display: Display {
            environment,
            color: color(view.color),
            render: render(view.render),
            shade: match view.theme {
                Background::Auto => None,
                Background::Dark => Some(Shade::Dark),
                Background::Light => Some(Shade::Light),
            },
        },
        fps: view.fps,
        notify: view.notify.clone(),
        keymap: keymap()?,
        read_only,
        notes: Vec::new(),
    })
}

/// The keys, as the `[keymap]` of the user's file changes them.
fn keymap() -> anyhow::Result<Keymap> {
    let Some(path) = user_file().filter(|path| path.exists()) else {
        return Ok(Keymap::default());
    };
    let changes: BTreeMap<String, Vec<String>> = config::keymap(&path)?;
    Keymap::with(&changes).with_context(|| format!("in {}", path.display()))
}

/// Shows the dashboard of a run whose worker was just started.
pub(super) fn watch(
    run: Run,
    child: Child,
    options: &Options,
    tied: bool,
    fresh: bool,
) -> anyhow::Result<u8> {
    let pid = Pid::from_child(&child);
    let worker = child.id();
    let left = attach::attach(&run, Some(child), options)?;
    if let Left::NeverBegan(death) = &left {
        return Err(never_began(run, worker, death, fresh).into());
    }
    if tied
        && !matches!(
            left,
            Left::ByUser {
                training: false,
                ..
            }
        )
    {
        return end_with_face(&run, pid);
    }
    match &left {
        Left::ByUser { training, code, .. } => {
            farewell(&run, &left)?;
            Ok(match (training, code) {
                (true, _) => exit::SUCCESS,
                (false, code) => code.unwrap_or(exit::FAILURE),
            })
        }
        _ => end(&run, left),
    }
}

/// Why the worker did not begin. The run is removed if nothing had happened in it.
fn never_began(run: Run, worker: u32, death: &Death, fresh: bool) -> NeverBegan {
    let left_behind = || run.failure_of(worker).map(|failure| failure.message);
    let message = death.error.clone().or_else(left_behind);
    let message = message.unwrap_or_else(|| match death.code {
        Some(exit::MISMATCH) => OTHER_BUILD.to_owned(),
        _ => format!(
            "the worker ended before it began ({}): {}",
            death.status,
            death.log.join(" | ")
        ),
    });
    if fresh && let Err(error) = run.remove() {
        tell(&format!("warning: {error}"));
    }
    let code = death.code.filter(|code| *code != 0);
    NeverBegan {
        message,
        code: code.unwrap_or(exit::FAILURE),
    }
}

/// Waits until a run that is tied to its dashboard has been saved and has ended.
fn end_with_face(run: &Run, worker: Pid) -> anyhow::Result<u8> {
    // The run is saved even if nobody reads this.
    let _ = say(&format!(
        "run {} ends with its dashboard: saving…",
        run.name()
    ));
    while run.holder().is_none() && test_kill_process(worker).is_ok() {
        thread::sleep(LOOK_EVERY);
    }
    // It ends by itself when its last face leaves. If no face had come yet, it has to be told.
    let _ = ask(run, Command::Stop { save: true });
    let code = wait(run)?;
    let _ = say(&format!(
        "resume: sparring train --resume {}",
        reference(run)
    ));
    Ok(code)
}

/// How to come back to a run, or what to do with one that is over.
fn farewell(run: &Run, left: &Left) -> io::Result<()> {
    let name = reference(run);
    let (lives, standing) = match left {
        Left::ByUser {
            training, standing, ..
        } => (*training, standing.as_str()),
        _ => (true, "left alone"),
    };
    say(&format!("run {}: {standing}", run.name()))?;
    if lives {
        say(&format!("come back: sparring attach {name}"))?;
        say(&format!("end it:    sparring stop {name}"))
    } else {
        say(&format!("files:  {}", run.dir().display()))?;
        say(&format!("resume: sparring train --resume {name}"))
    }
}

/// What a later command calls the run: its name, or its directory where the name alone would not be found.
fn reference(run: &Run) -> String {
    let found = Home::locate(None).and_then(|home| home.find(Some(run.name())));
    match found {
        Ok(found) if found.dir() == run.dir() => run.name().to_owned(),
        _ => run.dir().display().to_string(),
    }
}

/// Ends a dashboard that the user did not leave.
fn end(run: &Run, left: Left) -> anyhow::Result<u8> {
    match left {
        Left::Refused(error) => Err(error).with_context(|| format!("run {}", run.name())),
        Left::Signal(signal) => {
            if run.holder().is_some() {
                // The terminal may be on its way out as well.
                let _ = farewell(run, &left);
            }
            Ok(u8::try_from(128 + signal).unwrap_or(exit::FAILURE))
        }
        _ => Ok(exit::HUNG_UP),
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;
    use crate::dashboard::{Action, KeyPress};

    #[test]
    fn a_keymap() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        sparring_fuzz::fuzz("keymap", |bytes| {
            std::fs::write(&path, bytes).unwrap();
            let Ok(changes) = config::keymap(&path) else {
                return false;
            };
            let keymap = Keymap::with(&changes);
            if let Ok(keymap) = &keymap {
                let left = keymap.action(KeyPress::control('c'));
                assert_eq!(left, Some(Action::Detach));
            }
            keymap.is_ok()
        });
    }
}
