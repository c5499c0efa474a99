//! Completion in shells: a script makes the shell ask this program for words, in an environment variable, while its
//! user types.

use std::env;
use std::path::PathBuf;

use clap::CommandFactory as _;
use clap_complete::CompleteEnv;
use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};

use super::Cli;
use super::complete::Shell;

/// Names the shell that asks.
const ASKED_BY: &str = "SPARRING_COMPLETE";

/// The script that makes a shell ask this program.
pub fn script(shell: Shell) -> String {
    let completer: &dyn EnvCompleter = match shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
    };
    let name = env!("CARGO_PKG_NAME");
    // The one that wrote the script is asked, as it may not be the first of its name on the path.
    let own = env::current_exe().unwrap_or_else(|_| PathBuf::from(name));
    let mut script = Vec::new();
    // Writing into memory does not fail.
    let _ = completer.write_registration(ASKED_BY, name, name, &own.to_string_lossy(), &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Answers a shell, if one asks.
pub fn answer() -> bool {
    let here = env::current_dir().ok();
    let asked = env::var_os(ASKED_BY).is_some();
    let answered = CompleteEnv::with_factory(Cli::command)
        .var(ASKED_BY)
        .try_complete(env::args_os(), here.as_deref());
    asked && answered.unwrap_or(true)
}
