//! Runs on a CUDA device: a real one where there is one, else one that computes on the CPU (`tests/fake_cuda`).

use std::process::Command;

use sparring_contract::protocol::{Event, Reason};
use sparring_contract::run::CheckpointHeader;
use sparring_fake_cuda as fake;

use crate::lab::{ENDLESS, Lab, Live, SMALL_UNET, Said, write_images};

use crate::terminal::Terminal;

/// Lets a command find a CUDA device.
fn with_device(command: &mut Command) -> &mut Command {
    if fake::has_real_device() {
        return command;
    }
    fake::on_fake_cuda(command)
}

/// Lets a command find a fake device with these settings; `None` on a machine with a real one, which has no such faults.
pub fn with_fake<'a>(
    command: &'a mut Command,
    settings: &[(&str, &str)],
) -> Option<&'a mut Command> {
    if fake::has_real_device() {
        println!("skipped: this machine has CUDA");
        return None;
    }
    Some(fake::on_fake_cuda(command).envs(settings.iter().copied()))
}

fn train(lab: &Lab, arguments: &[&str]) -> Said {
    let on_cuda = [&["--device", "cuda"], arguments].concat();
    Said::by(with_device(&mut lab.training(&on_cuda)))
}

/// Trains with these settings of the fake device.
fn train_with(lab: &Lab, settings: &[(&str, &str)], arguments: &[&str]) -> Option<Said> {
    Some(Said::by(with_fake(&mut lab.training(arguments), settings)?))
}

/// Asserts that a command that takes `--device` goes well on a CUDA device.
#[track_caller]
fn goes_well_on_device(lab: &Lab, arguments: &[&str]) {
    let on_device = [arguments, &["--device", "cuda"]].concat();
    let said = Said::by(with_device(&mut lab.command(&on_device)));
    assert_eq!(said.code, 0, "{arguments:?}: {said:?}");
}

fn checkpoint(lab: &Lab, name: &str, step: u64) -> Vec<u8> {
    std::fs::read(lab.run(name).checkpoint_file(step)).unwrap()
}

/// The tensors of a checkpoint, which follow its header.
fn tensors(checkpoint: &[u8]) -> &[u8] {
    let length = u64::from_le_bytes(checkpoint[..8].try_into().unwrap());
    &checkpoint[8 + usize::try_from(length).unwrap()..]
}

fn warnings(said: &Said) -> Vec<String> {
    let warning = |event| match event {
        Event::Warning { message, .. } => Some(message),
        _ => None,
    };
    said.events().into_iter().filter_map(warning).collect()
}

#[test]
fn a_run_on_a_device_is_trained_sampled_and_resumed_to_the_same_bits() {
    let lab = Lab::new();
    let settings = ["--set", "deterministic=true", "--epochs", "5"];
    let whole = train(&lab, &[&["--name", "whole"], &settings[..]].concat());
    assert_eq!(whole.code, 0, "{whole:?}");
    assert_eq!(whole.started().device, "cuda:0");
    assert_eq!(whole.ended().reason, Reason::Finished);
    assert_eq!(whole.err, "", "nothing is said on stderr");

    let mut parted = settings;
    parted[3] = "2";
    train(&lab, &[&["--name", "parted"], &parted[..]].concat());
    let resumed =
        Said::by(with_device(&mut lab.command(&[
            "train", "--json", "--resume", "parted", "--epochs", "5",
        ])));
    assert_eq!(resumed.code, 0, "{resumed:?}");
    let [whole, parted] = ["whole", "parted"].map(|name| checkpoint(&lab, name, 20));
    assert!(
        tensors(&whole) == tensors(&parted),
        "the resumed run differs"
    );

    let out = lab.path().join("pictures");
    let arguments = [
        "sample",
        "whole",
        "-n",
        "3",
        "--device",
        "cuda",
        "--out",
        out.to_str().unwrap(),
        "--format",
        "npz",
    ];
    let said = Said::by(with_device(&mut lab.command(&arguments)));
    assert_eq!(said.code, 0, "{said:?}");
}

#[test]
fn a_latent_space_is_explored_while_a_device_trains_and_looked_at_afterwards() {
    let lab = Lab::new();
    let mut command =
        lab.training(&[&["--name", "run", "--device", "cuda"], &ENDLESS[..]].concat());
    with_device(&mut command);
    let mut live = Live::start(command);
    live.until(|event| matches!(event, Event::Stats(_)));
    let mut terminal = Terminal::with(lab.command(&["attach", "run"]));
    terminal.shows("● training");
    terminal.types("e");
    terminal.shows("←→ brightness");
    terminal.types("\x1b[C");
    terminal.shows("+0.5");
    terminal.types("\r");
    terminal.shows("kept as point-1");
    terminal.types("\x1b");
    terminal.until(|screen| !screen.contents().contains("latent space"));
    terminal.types("d");
    assert_eq!(terminal.ends().code(), Some(0));
    assert_eq!(live.terminated(), 143);

    let picture = lab.run("run").samples_dir().join("point-1.png");
    let picture = picture.to_str().unwrap();
    for arguments in [
        &["sample", "run", "--point", "point-1"][..],
        &["interpolate", "run", "--seeds", "1,2"],
        &["edit", "run"],
        &["project", "run", picture],
    ] {
        goes_well_on_device(&lab, arguments);
    }
}

#[test]
fn two_domains_are_translated_on_a_device() {
    let lab = Lab::new();
    let mut all = vec!["train", "--json", "--name", "twin", "--device", "cuda"];
    all.extend(SMALL_UNET);
    all.extend(["--unpaired", "0", "6", "--steps", "12"]);
    let trained = Said::by(with_device(&mut lab.command(&all)));
    assert_eq!(trained.code, 0, "{trained:?}");
    assert_eq!(trained.started().device, "cuda:0");
    let data = lab.path().join("large");
    write_images(&data, 3, 28);
    goes_well_on_device(
        &lab,
        &["translate", "twin", data.to_str().unwrap(), "--to", "0"],
    );
    goes_well_on_device(&lab, &["eval", "twin"]);
}

#[test]
fn a_number_that_is_not_finite_takes_a_run_on_a_device_back() {
    let lab = Lab::new();
    let mut command = lab.training(&[
        "--device",
        "cuda",
        "--name",
        "r",
        "--epochs",
        "3",
        "--set",
        "loss=relativistic",
        "--set",
        "penalty.r1=0.5",
    ]);
    let said = Said::by(with_device(&mut command).env("SPARRING_FAULT", "nan@10"));
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.events()
            .iter()
            .any(|event| matches!(event, Event::Rollback(_))),
        "{said:?}"
    );
    let state = checkpoint(&lab, "r", 12);
    let numbers = tensors(&state)
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
    assert!(numbers.into_iter().all(f32::is_finite));
    assert_eq!(
        CheckpointHeader::read(&lab.run("r").checkpoint_file(12))
            .unwrap()
            .attempt,
        1
    );
}

#[test]
fn memory_that_runs_out_in_a_step_is_one_line_with_a_batch_that_fits() {
    let lab = Lab::new();
    let data = lab.path().join("many");
    write_images(&data, 4096, 8);
    let arguments = [
        "--device",
        "cuda",
        "--name",
        "r",
        "--set",
        "batch_size=4096",
        "--set",
        "generator.hidden=[256]",
        "--set",
        "test_fraction=0",
    ];
    let mut command = lab.training_on(&data, &arguments);
    let Some(command) = with_fake(&mut command, &[(fake::MEMORY, "12000000")]) else {
        return;
    };
    let said = Said::by(command);
    assert_eq!(said.code, 1, "{said:?}");
    let line = said.err.lines().last().unwrap();
    assert!(line.starts_with("error: CUDA out of memory."), "{said:?}");
    assert!(
        line.contains("try a smaller batch, `--set batch_size="),
        "{said:?}"
    );
    assert!(!lab.path().join("runs/r").exists());
}

#[test]
fn memory_that_runs_out_beside_a_step_costs_only_what_needed_it() {
    let lab = Lab::new();
    // Only a health check draws random whole numbers here.
    let checks = (fake::OUT_OF_MEMORY_IN, "aten::random_");
    let settings = [
        "--device",
        "cuda",
        "--name",
        "check",
        "--set",
        "health.time_fraction=1",
        "--epochs",
        "40",
    ];
    let Some(said) = train_with(&lab, &[checks], &settings) else {
        return;
    };
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        warnings(&said)
            .iter()
            .any(|line| line.contains("CUDA out of memory")),
        "{said:?}"
    );
    assert_eq!(said.ended().stats.step, 160);
}

#[test]
fn memory_that_runs_out_as_pictures_are_drawn_or_judged_is_one_line() {
    let lab = Lab::new();
    lab.train(&["--device", "cpu", "--name", "r", "--epochs", "1"]);
    for task in [&["sample", "r", "-n", "3"][..], &["eval", "r"]] {
        let mut command = lab.command(&[task, &["--device", "cuda"]].concat());
        let Some(command) = with_fake(&mut command, &[(fake::OUT_OF_MEMORY_IN, "aten::tanh")])
        else {
            return;
        };
        let said = Said::by(command);
        assert_eq!((said.code, said.err.lines().count()), (1, 1), "{said:?}");
        assert!(
            said.err.starts_with("error: CUDA out of memory."),
            "{said:?}"
        );
    }
}

#[test]
fn memory_that_runs_out_as_a_state_is_checked_costs_checkpoints_and_is_told() {
    let lab = Lab::new();
    // Only the check of a state, before it is kept or saved, looks for extremes.
    let saving = (fake::OUT_OF_MEMORY_IN, "aten::aminmax");
    let settings = ["--device", "cuda", "--name", "r", "--epochs", "2"];
    let Some(said) = train_with(&lab, &[saving], &settings) else {
        return;
    };
    // It trains to its end, but what it learnt is not saved.
    assert_eq!(said.ended().stats.step, 8, "{said:?}");
    said.refused(1, "error: the last steps could not be saved");
    assert!(
        warnings(&said)
            .iter()
            .any(|line| line.starts_with("the checkpoint could not be saved: CUDA out of memory")),
        "{said:?}"
    );
}

#[test]
fn each_of_two_devices_can_train() {
    let lab = Lab::new();
    let two = (fake::DEVICES, "2");
    let on = |device: &str, name: &str| {
        train_with(
            &lab,
            &[two],
            &[
                "--device",
                device,
                "--name",
                name,
                "--epochs",
                "2",
                "--set",
                "health.time_fraction=1",
            ],
        )
    };
    let (Some(first), Some(second), Some(third)) =
        (on("cuda", "a"), on("cuda:1", "b"), on("cuda:2", "c"))
    else {
        return;
    };
    assert_eq!(
        (first.code, first.started().device.as_str()),
        (0, "cuda:0"),
        "{first:?}"
    );
    assert_eq!(
        (second.code, second.started().device.as_str()),
        (0, "cuda:1"),
        "{second:?}"
    );
    third.refused(
        1,
        "error: --device cuda:2: there are 2 CUDA devices; cuda:0 is the first",
    );
}

#[test]
fn auto_takes_the_cpu_where_no_device_works_and_says_why() {
    let lab = Lab::new();
    let no_kernels = "CUDA error: no kernel image is available for execution on the device";
    for (number, (setting, why)) in [
        ((fake::BROKEN, no_kernels), format!("cuda:0: {no_kernels}")),
        (
            (fake::DRIVER, "12080"),
            "NVIDIA's driver is too old: it runs CUDA 12.8, and this libtorch needs 13.0"
                .to_owned(),
        ),
        (
            (fake::DEVICES, "0"),
            "NVIDIA's driver finds no device".to_owned(),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("r{number}");
        let Some(said) = train_with(
            &lab,
            &[setting],
            &["--device", "auto", "--name", &name, "--epochs", "1"],
        ) else {
            return;
        };
        assert_eq!(said.started().device, "cpu", "{said:?}");
        let warning = format!("training on the CPU: {why}");
        assert!(warnings(&said).contains(&warning), "{said:?}");
        let Some(said) = train_with(&lab, &[setting], &["--device", "cuda", "--name", "n"]) else {
            return;
        };
        assert_eq!(said.code, 1, "{said:?}");
    }
}
