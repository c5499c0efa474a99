//! Every command of the README, run in its order: a page that promises what does not work is worse than none.

use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use sparring_contract::protocol::Event;

use crate::data::pictures::write_greys;
use crate::lab::{Lab, Live, Said};

/// The commands in the blocks of shell in the README that begin with a word.
fn commands(word: &str) -> Vec<String> {
    let text = include_str!("../README.md");
    let blocks = text
        .split("```sh\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap());
    blocks
        .flat_map(str::lines)
        .map(|line| line.split("  #").next().unwrap().trim().to_owned())
        .filter(|line| line.starts_with(&format!("{word} ")))
        .collect()
}

/// A home in which every training is small and short, by the user's own file.
fn hasty() -> Lab {
    let lab = Lab::new();
    let own = lab.sparring(&["config", "path"]).out;
    let own = Path::new(own.trim_end());
    std::fs::create_dir_all(own.parent().unwrap()).unwrap();
    let settings = format!(
        "data = '{}'\nepochs = 2\n[generator]\nhidden = [16]\n[discriminator]\nhidden = [16]\n",
        lab.data().display()
    );
    std::fs::write(own, settings).unwrap();
    for class in ["cats", "dogs"] {
        write_greys(&lab.path().join("pictures").join(class), 20);
    }
    lab
}

/// Runs a line as the shell does, with `sparring` on the path.
fn shell(lab: &Lab, line: &str) -> Said {
    let programs = Path::new(env!("CARGO_BIN_EXE_sparring")).parent().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(lab.path());
    for (name, value) in lab.command(&[]).get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    Said::by(command.env("PATH", path))
}

#[test]
fn every_command_of_the_readme_does_what_it_is_there_for() {
    let lab = hasty();
    let steering = [
        "pause",
        "set",
        "note",
        "step",
        "unpause",
        "checkpoint",
        "stop",
    ];
    let mut live = None;
    let mut seen = 0;
    for line in commands("sparring") {
        let verb = line.split(' ').nth(1).unwrap().to_owned();
        if line == "sparring train --name otter" {
            // As the README has it: it trains on while the commands that follow steer it.
            let mut run = Live::start(
                lab.command(&["train", "--name", "otter", "--epochs", "1000000", "--json"]),
            );
            run.until(|event| matches!(event, Event::Stats(_)));
            live = Some(run);
        } else if verb == "attach" {
            // Without a terminal it can only say so; tests/dashboard.rs attaches in one.
            assert!(shell(&lab, &line).err.contains("terminal"), "{line}");
        } else {
            let said = shell(&lab, &line);
            assert_eq!(said.code, 0, "{line}: {said:?}");
            assert!(
                !said.out.is_empty() || !said.err.is_empty() || !steering.contains(&verb.as_str()),
                "{line}"
            );
        }
        if verb == "stop" {
            assert_eq!(live.take().unwrap().end().0, 0);
        }
        seen += 1;
    }
    assert!(seen > 20, "only {seen} commands were found in the README");
    if let Some(live) = live {
        live.signal(Signal::TERM);
    }
    for made in [
        "digits.png",
        "digits.npz",
        "digits/00000.png",
        "made/train-images-idx3-ubyte",
    ] {
        assert!(lab.path().join(made).exists(), "{made}");
    }
}

#[test]
fn every_target_of_the_readme_is_in_the_makefile() {
    let makefile = include_str!("../Makefile");
    for line in commands("make") {
        let target = line.split(' ').nth(1).unwrap();
        assert!(makefile.contains(&format!("\n{target}:")), "{line}");
    }
}

/// What a page has in the same order in every language: the levels of its headings, its blocks of code, rows of tables
/// by their number of columns, items of lists, links and names of code.
fn bones(page: &str) -> Vec<String> {
    let mut bones = Vec::new();
    let mut in_code = false;
    for line in page.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
            bones.push(line.to_owned());
        } else if in_code {
            bones.push(line.to_owned());
        } else if line.starts_with('#') {
            let level = line.chars().take_while(|letter| *letter == '#').count();
            bones.push("#".repeat(level));
        } else if line.starts_with('|') {
            bones.push(format!("{} columns", line.matches('|').count()));
        } else if line.starts_with("- ") {
            bones.push("item".to_owned());
        }
        if !in_code {
            // In any order: languages differ in it.
            let mut words = [parts(line, "](", ")"), parts(line, "`", "`")].concat();
            words.retain(|word| !word.starts_with("README"));
            words.sort();
            bones.extend(words);
        }
    }
    bones
}

/// What stands between two marks.
fn parts(line: &str, begin: &str, end: &str) -> Vec<String> {
    let mut rest = line;
    let mut found = Vec::new();
    while let Some((_, after)) = rest.split_once(begin) {
        let Some((part, after)) = after.split_once(end) else {
            break;
        };
        found.push(part.to_owned());
        rest = after;
    }
    found
}

#[test]
fn the_chinese_edition_has_the_same_commands_headings_and_links() {
    let (english, chinese) = (
        bones(include_str!("../README.md")),
        bones(include_str!("../README.zh-CN.md")),
    );
    for (index, (one, other)) in english.iter().zip(&chinese).enumerate() {
        assert_eq!(
            one,
            other,
            "after {:?}",
            &english[index.saturating_sub(5)..index]
        );
    }
    assert_eq!(english.len(), chinese.len());
}
