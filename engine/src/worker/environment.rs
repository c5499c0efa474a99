//! Environment variables that must be set before libtorch's libraries are loaded.

use std::env;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use sparring_contract::launch::missing_environment;

/// Replaces this process by the same program with the variables that are missing from its environment: glibc reads its
/// settings when it starts, which was before `main`. A face sets them for the workers that it starts, so this is for
/// everyone else. If the program cannot be started again, it runs without them.
pub fn prepare() {
    let missing = missing_environment();
    if missing.is_empty() {
        return;
    }
    if let Ok(program) = env::current_exe() {
        let _ = Command::new(program)
            .args(env::args_os().skip(1))
            .envs(missing)
            .exec();
    }
}
