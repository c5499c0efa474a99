//! What the worker program does when it is started.

use sparring_contract::launch::{Launch, OTHER_BUILD};
use sparring_contract::output::tell;
use sparring_contract::{BUILD_ID, exit};

use super::{task, train};

/// Does what the arguments of the program ask for and returns its exit code.
pub fn run(arguments: &[String]) -> u8 {
    let [build, launch] = arguments else {
        tell("sparring-worker is started by `sparring`; try `sparring --help`");
        return exit::USAGE;
    };
    if build != BUILD_ID {
        tell(&format!("error: {OTHER_BUILD}"));
        return exit::MISMATCH;
    }
    match serde_json::from_str(launch) {
        Ok(Launch::Train {
            run,
            from,
            voice,
            fresh,
            tied,
        }) => train::train(&train::Job {
            dir: run,
            from,
            voice,
            fresh,
            tied,
        }),
        Ok(Launch::Task) => task::serve(),
        Err(error) => {
            tell(&format!(
                "error: sparring-worker could not understand how it was started: {error}"
            ));
            exit::USAGE
        }
    }
}
