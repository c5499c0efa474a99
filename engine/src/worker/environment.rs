//! What must stand in the environment before libtorch's libraries are loaded.

use std::env;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use sparring_contract::launch::missing_environment;

/// Starts the program anew, in the same process, with the settings that are missing from its environment: glibc
/// reads its own when it starts, which was before `main`. A face that starts a worker sets them, so this is for
/// everyone else. If the program cannot be started anew, it goes on without.
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
