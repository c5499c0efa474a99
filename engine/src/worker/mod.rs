//! The worker: it trains a run, or does a task, for a face that knows no libtorch.
//!
//! One thread owns every tensor (`trainer`). What happens goes to the `hub`, which writes the log and serves
//! whoever listens; what is wished for comes as orders over a bounded channel.

mod checkpoint;
mod clock;
mod data;
mod draw;
mod environment;
mod eval;
mod fitting;
mod guard;
mod headless;
mod health;
mod hub;
mod keeping;
mod machine;
mod orders;
mod pictures;
mod prepared;
mod server;
mod signals;
mod task;
mod train;
mod trainer;
mod verdict;
mod wire;

use sparring_contract::launch::Launch;
use sparring_contract::{BUILD_ID, exit};

pub use environment::prepare as prepare_environment;

/// Does what the arguments of the program ask for and returns its exit code.
pub fn run(arguments: &[String]) -> u8 {
    let [build, launch] = arguments else {
        eprintln!("sparring-worker is started by `sparring`; try `sparring --help`");
        return exit::USAGE;
    };
    if build != BUILD_ID {
        eprintln!(
            "error: this sparring-worker is of another build than the sparring that started it; build both again \
             with `cargo build` (or `make build`)"
        );
        return exit::MISMATCH;
    }
    match serde_json::from_str(launch) {
        Ok(Launch::Train {
            run,
            from,
            voice,
            fresh,
            tied,
        }) => train::train(&train::Assignment {
            dir: run,
            from,
            voice,
            fresh,
            tied,
        }),
        Ok(Launch::Task) => task::serve(),
        Err(error) => {
            eprintln!("error: sparring-worker could not understand how it was started: {error}");
            exit::USAGE
        }
    }
}

/// The first line of an error of libtorch: the rest is a stack of C++ calls. tch unwraps the error, so that it arrives
/// quoted, its line ends written as `\n`.
fn first_line(message: &str) -> String {
    let unquoted = message
        .strip_prefix("called `Result::unwrap()` on an `Err` value: Torch(\"")
        .unwrap_or(message);
    let quoted_end = unquoted.find("\\n").unwrap_or(unquoted.len());
    unquoted[..quoted_end]
        .lines()
        .next()
        .unwrap_or("unknown error")
        .trim_end_matches('.')
        .to_owned()
}

/// What a thread panicked with. The only panics that are expected here are libtorch's errors.
fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref().copied());
    first_line(text.unwrap_or("unknown error"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_libtorch_is_one_line() {
        let payload = std::panic::catch_unwind(|| {
            let (three, four) = ([3_i64], [4_i64]);
            let zeros = |size: &[i64]| tch::Tensor::zeros(size, tch::kind::FLOAT_CPU);
            zeros(&three) + zeros(&four)
        })
        .unwrap_err();
        assert_eq!(
            panic_message(payload.as_ref()),
            "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 0"
        );
    }
}
