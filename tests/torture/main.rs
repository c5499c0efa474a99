//! `make torture`: breaks the programs systematically, and says in a table what held.
//!
//! ```text
//! make torture                                   30 minutes on two cores
//! make torture MINUTES=600                       goes on with other seeds
//! make torture ARGS="--list"                     the parts
//! make torture ARGS="--only faults --case start:kill:37"    one case again
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod connections;
mod disk;
mod faults;
mod kills;
#[path = "../lab.rs"]
#[allow(dead_code)] // the tests use all of it
mod lab;
mod long;
mod machine;
mod options;
mod part;
mod rig;
mod runner;
mod summary;
#[path = "../terminal.rs"]
#[allow(dead_code)] // the tests use all of it
mod terminal;

use std::process::ExitCode;

use options::Options;
use part::Part;
use rig::Rig;
use runner::torture;

/// All parts, in the order in which they run.
const PARTS: [&dyn Part; 6] = [
    &faults::Faults,
    &kills::Kills,
    &disk::Disk,
    &machine::Machine,
    &connections::Connections,
    &long::Long,
];

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(2);
        }
    };
    let parts = match options.parts(&PARTS) {
        Ok(parts) => parts,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(2);
        }
    };
    if options.list {
        for part in parts {
            println!("{:<12} {}", part.name(), part.about());
        }
        return ExitCode::SUCCESS;
    }
    let rig = Rig::new();
    println!(
        "seed {}; the undisturbed job makes {} calls that write, and {} when it goes on after a kill",
        options.seed,
        rig.calls.len(),
        rig.calls_again.len()
    );
    let tallies = torture(&parts, &rig, &options);
    print!("{}", summary::table(&tallies));
    if tallies.iter().all(summary::Tally::held) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
