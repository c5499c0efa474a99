//! A file system that cannot lock files, as some network file systems cannot.

use std::process::Command;

use super::library::compiled;

/// Lets no process of this command lock a file: `no_locks.c` says how.
#[allow(dead_code)] // for tests/races.rs, not for the torture
pub fn without_locks(command: &mut Command) {
    command.env(
        "LD_PRELOAD",
        compiled("no_locks", include_str!("no_locks.c")),
    );
}
