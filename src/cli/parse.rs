//! From words to flags.

use std::ffi::OsString;

use clap::Parser as _;
use sparring_contract::exit;
use sparring_contract::output::tell;
use sparring_contract::text::printable;

use super::Cli;

/// Parses the words of a command line, the program's own name first. What is wrong with them, or the help that they ask
/// for, is printed; then the error is the exit code.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Cli, u8> {
    let words: Vec<_> = words.into_iter().collect();
    let error = match Cli::try_parse_from(&words) {
        Ok(cli) => return Ok(cli),
        Err(error) => error,
    };
    // clap quotes the words. As a terminal can show them they are wrong in the same way, unless they are no text at all.
    let shown = words.iter().map(|word| printable(&word.to_string_lossy()));
    match Cli::try_parse_from(shown) {
        Err(same) if same.kind() == error.kind() => {
            // Where nobody reads it, nobody misses it.
            let _ = same.print();
        }
        _ => error.to_string().lines().for_each(tell),
    }
    Err(u8::try_from(error.exit_code()).unwrap_or(exit::USAGE))
}

/// A number of a flag that is more than 0, and `most` or less.
pub(super) fn above_zero(text: &str, most: f64) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if number > 0.0 && number <= most => Ok(number),
        _ => Err(format!("give a number above 0, up to {most}")),
    }
}
