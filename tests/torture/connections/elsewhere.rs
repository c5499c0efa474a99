//! Commands that other programs run for us: ssh, tmux and screen.

use std::process::Command;

use crate::part::Miss;

/// A command for another program to run: its words, and what it needs in its environment.
pub fn words(command: &Command) -> Vec<String> {
    let variables = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={}", name.to_str()?, value?.to_str()?)));
    let arguments = command
        .get_args()
        .map(|word| word.to_str().unwrap().to_owned());
    let program = command.get_program().to_str().unwrap().to_owned();
    std::iter::once("env".to_owned())
        .chain(variables)
        .chain([program])
        .chain(arguments)
        .collect()
}

/// The same as a line for a shell.
pub fn line(command: &Command) -> String {
    let quoted: Vec<_> = words(command)
        .iter()
        .map(|word| format!("'{}'", word.replace('\'', "'\\''")))
        .collect();
    quoted.join(" ")
}

pub fn is_there(program: &str) -> Result<(), Miss> {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .output()
        .is_ok_and(|said| said.status.success());
    if found {
        Ok(())
    } else {
        Err(Miss::Skipped(format!("there is no {program} here")))
    }
}
