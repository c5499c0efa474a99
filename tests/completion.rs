//! Completion in real shells.

use std::path::Path;
use std::process::Command;

use crate::lab::{Lab, Said};
use crate::terminal::Terminal;

/// An interactive bash that completes the words of sparring, and then only shows them.
fn bash(lab: &Lab) -> Terminal {
    let mut shell = lab.command_of(Path::new("bash"), &["--norc", "--noprofile"]);
    let programs = Path::new(env!("CARGO_BIN_EXE_sparring")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    shell
        .env("PATH", path)
        .env("PS1", "> ")
        .env("INPUTRC", "/dev/null")
        .env("HISTFILE", "")
        .current_dir(lab.path());
    let mut terminal = Terminal::with(shell);
    terminal.types(
        "source <(sparring completions bash); sparring() { printf '<%s>' \"$@\"; }; echo re'ad'y\n",
    );
    terminal.shows("\nready");
    terminal
}

#[test]
fn bash_completes_commands_runs_and_values() {
    let lab = Lab::new();
    for name in ["otter", "heron"] {
        assert_eq!(lab.train(&["--name", name, "--steps", "1"]).code, 0);
    }
    let mut bash = bash(&lab);
    for (typed, completed) in [
        ("logs ot", "<logs><otter>"),
        ("sample he", "<sample><heron>"),
        ("train --resume he", "<train><--resume><heron>"),
        ("train --preset cdc", "<train><--preset><cdcgan>"),
        ("train --task enl", "<train><--task><enlarge>"),
        (
            "train --set loss_weights.l",
            "<train><--set><loss_weights.l1=>",
        ),
        ("doc", "<doctor>"),
        ("data info ima", "<data><info><images/>"),
        (
            "--runs-dir elsewhere logs ot",
            "<--runs-dir><elsewhere><logs><ot>",
        ),
    ] {
        bash.types(&format!("sparring {typed}\t\n"));
        bash.shows(completed);
    }
    bash.types("exit\n");
    bash.ends();
}

#[test]
fn zsh_and_fish_read_their_scripts() {
    let lab = Lab::new();
    for (shell, check) in [
        (
            "zsh",
            "autoload -U compinit; compinit -u; source /dev/stdin",
        ),
        ("fish", "source /dev/stdin"),
    ] {
        let script = lab.sparring(&["completions", shell]);
        assert_eq!(script.code, 0, "{script:?}");
        assert!(script.out.contains("SPARRING_COMPLETE"), "{script:?}");
        if Command::new(shell).arg("--version").output().is_err() {
            println!("skipped: there is no {shell}");
            continue;
        }
        let file = lab.path().join(shell);
        std::fs::write(&file, script.out).unwrap();
        let run = check.replace("/dev/stdin", file.to_str().unwrap());
        let said = Said::by(&mut lab.command_of(Path::new(shell), &["-c", &run]));
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    }
}

#[test]
fn completion_says_nothing_about_what_is_wrong() {
    let lab = Lab::new();
    let ask = |words: &[&str]| {
        let last = (words.len() - 1).to_string();
        let words = [&["--"], words].concat();
        let mut command = lab.command(&words);
        command
            .env("SPARRING_COMPLETE", "bash")
            .env("_CLAP_COMPLETE_INDEX", last);
        command
    };
    let nothing = |said: Said| {
        assert_eq!((said.code, said.err.as_str()), (0, ""));
        assert!(!said.out.contains("otter"), "{said:?}");
    };
    assert_eq!(lab.train(&["--name", "otter", "--steps", "1"]).code, 0);
    let file = lab.data().join("train-images-idx3-ubyte");
    let file = file.to_str().unwrap();
    nothing(Said::by(&mut ask(&[
        "sparring",
        "--runs-dir",
        file,
        "logs",
        "",
    ])));
    nothing(Said::by(&mut ask(&["sparring", "no", "such", "command"])));
    nothing(Said::by(
        ask(&["sparring", "logs", ""]).env("SPARRING_COMPLETE", "no-shell"),
    ));
}

#[test]
fn every_exit_code_is_in_the_help() {
    let lab = Lab::new();
    let help = lab.sparring(&["--help"]).out;
    let codes = include_str!("../contract/src/exit.rs").lines();
    let codes = codes.filter_map(|line| line.strip_prefix("pub const ")?.split(" = ").nth(1));
    let mut seen = 0;
    for code in codes.map(|code| code.trim_end_matches(';')) {
        assert!(help.contains(&format!("\n  {code} ")), "{code}: {help}");
        seen += 1;
    }
    assert!(seen >= 8);
}
