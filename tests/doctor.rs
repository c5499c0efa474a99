//! `sparring doctor`: what training would find, and what stands in its way.

use std::fs;
use std::process::Command;

use serde_json::Value;
use sparring_fake_cuda as fake;

use crate::device::with_fake;
use crate::lab::{Lab, Said, after};

fn told(command: &mut Command) -> (i32, Value) {
    let said = Said::by(command);
    assert_eq!(said.err, "", "{said:?}");
    assert_eq!(said.out.lines().count(), 1, "{said:?}");
    (said.code, serde_json::from_str(&said.out).unwrap())
}

fn problems(found: &Value) -> Vec<&str> {
    let problems = found["problems"].as_array().unwrap();
    problems.iter().map(|line| line.as_str().unwrap()).collect()
}

#[test]
fn a_machine_on_which_training_would_work_is_told_on_one_screen() {
    let lab = Lab::new();
    let said = lab.sparring(&["doctor", "--device", "cpu"]);
    assert_eq!(said.code, 0, "{said:?}");
    let lines: Vec<_> = said.out.lines().collect();
    assert!(lines.len() <= 24, "{}", said.out);
    // Only a path, which has a line of its own, may be wider: here libtorch's may be anywhere.
    let is_one_word = |line: &str| !line.chars().skip(13).any(|letter| letter == ' ');
    assert!(
        lines
            .iter()
            .all(|line| line.chars().count() <= 80 || is_one_word(line)),
        "{}",
        said.out
    );
    assert_eq!(*lines.last().unwrap(), "Training would work.");
    for name in [
        "libtorch",
        "driver",
        "device",
        "CPU",
        "memory",
        "terminal",
        "runs",
        "sockets",
        "cache",
        "judges",
        "settings",
        "at logout",
    ] {
        let is_told = |line: &&&str| {
            line.strip_prefix("  ")
                .is_some_and(|line| line.starts_with(name))
        };
        assert_eq!(
            lines.iter().filter(is_told).count(),
            1,
            "{name}: {}",
            said.out
        );
    }
    assert!(
        said.out.contains("  device     cpu, as asked\n"),
        "{}",
        said.out
    );
    // Nothing is left behind but the folder of sockets.
    assert!(!lab.path().join("runs").exists());
}

#[test]
fn what_is_found_is_there_for_programs_too() {
    let lab = Lab::new();
    let (code, found) = told(&mut lab.command(&["doctor", "--device", "cpu", "--json"]));
    assert_eq!((code, problems(&found).len()), (0, 0));
    let examination = &found["worker"]["examination"];
    let version = examination["libtorch"]["version"].as_str().unwrap();
    assert!(version.starts_with("2."), "{version}");
    let library = examination["libtorch"]["library"].as_str().unwrap();
    assert!(library.ends_with("libtorch_cpu.so"), "{library}");
    assert_eq!(examination["choice"]["device"], "cpu");
    assert!(found["machine"]["cores_usable"].as_u64().unwrap() >= 1);
    let runs = &found["folders"][0];
    assert_eq!(runs["for"], "runs");
    assert_eq!(runs["path"], lab.path().join("runs").to_str().unwrap());
    assert_eq!(found["terminal"]["is_terminal"], false);
}

#[test]
fn a_device_is_tried_and_told() {
    let lab = Lab::new();
    let mut command = lab.command(&["doctor", "--json"]);
    let Some(command) = with_fake(&mut command, &[(fake::DEVICES, "2")]) else {
        return;
    };
    let (code, found) = told(command);
    assert_eq!(code, 0, "{found}");
    let examination = &found["worker"]["examination"];
    assert_eq!(examination["choice"]["device"], "cuda:0");
    let devices = examination["devices"].as_array().unwrap();
    assert_eq!(devices.len(), 2);
    for (index, device) in devices.iter().enumerate() {
        assert_eq!(device["device"], format!("cuda:{index}"));
        assert_eq!(device["is_supported"], true);
        assert_eq!(device["failure"], Value::Null);
        assert!(device["seconds"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn a_device_that_does_not_compute_stands_in_the_way_of_whoever_asks_for_it() {
    let lab = Lab::new();
    let broken = (fake::BROKEN, "no kernel image is available");
    let mut auto = lab.command(&["doctor", "--json"]);
    let Some(auto) = with_fake(&mut auto, &[broken]) else {
        return;
    };
    let (code, found) = told(auto);
    assert_eq!((code, problems(&found).len()), (0, 0));
    let examination = &found["worker"]["examination"];
    assert_eq!(examination["choice"]["device"], "cpu");
    for why in [
        &examination["choice"]["reason"],
        &examination["devices"][0]["failure"],
    ] {
        assert!(why.as_str().unwrap().contains(broken.1), "{why}");
    }

    let mut cuda = lab.command(&["doctor", "--device", "cuda"]);
    let said = Said::by(with_fake(&mut cuda, &[broken]).unwrap());
    assert_eq!(said.code, 1, "{said:?}");
    let end: Vec<_> = said.out.lines().rev().take(2).collect();
    assert_eq!(end[1], "Training would fail:");
    assert!(
        end[0].contains("--device cuda: ") && end[0].contains(broken.1),
        "{}",
        said.out
    );
}

#[test]
fn a_driver_that_is_too_old_is_told_with_its_devices() {
    let lab = Lab::new();
    let mut command = lab.command(&["doctor", "--json"]);
    let Some(command) = with_fake(&mut command, &[(fake::DRIVER, "12080")]) else {
        return;
    };
    let (code, found) = told(command);
    assert_eq!(code, 0);
    let examination = &found["worker"]["examination"];
    assert_eq!(examination["driver"]["cuda"], "12.8");
    let why = examination["no_cuda"].as_str().unwrap();
    assert!(why.contains("driver is too old"), "{why}");
    assert_eq!(examination["devices"][0]["failure"], why);
}

#[test]
fn what_stands_in_the_way_on_a_cpu_is_told_a_line_each() {
    let lab = Lab::new();
    let command = lab.command(&["doctor", "--device", "cpu", "--json"]);
    // A file where the runs would be, and a configuration that is wrong.
    fs::write(lab.path().join("runs"), "").unwrap();
    let settings = lab.sparring(&["config", "path"]).out;
    let settings = std::path::Path::new(settings.trim_end());
    fs::create_dir_all(settings.parent().unwrap()).unwrap();
    fs::write(settings, "batch_size = 0\n").unwrap();
    let (code, found) = told(&mut after("ulimit -n 40", &command));
    assert_eq!(code, 1);
    let problems = problems(&found);
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(
        problems[0].starts_with("batch_size = 0 (from "),
        "{problems:?}"
    );
    assert!(problems[1].ends_with("runs is no folder"), "{problems:?}");
    assert!(problems[2].contains("only 40 files"), "{problems:?}");
}

#[test]
fn a_worker_that_cannot_start_is_a_problem_and_the_rest_is_told() {
    let lab = Lab::new();
    let folder = lab.path().join("bin");
    fs::create_dir(&folder).unwrap();
    let alone = folder.join("sparring");
    fs::copy(env!("CARGO_BIN_EXE_sparring"), &alone).unwrap();
    let like = lab.command(&["doctor"]);
    let mut command = Command::new(&alone);
    command.args(like.get_args());
    for (name, value) in like.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    let said = Said::by(&mut command);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(
        said.out
            .contains("✗ libtorch   sparring-worker is not beside sparring"),
        "{}",
        said.out
    );
    assert!(said.out.contains("  CPU  "), "{}", said.out);
}
