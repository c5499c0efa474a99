//! Training: what a run leaves behind, and that a run loses nothing when it is stopped.

use rustix::process::Signal;
use sparring_contract::protocol::{Event, Phase, Reason};
use sparring_contract::run::Run;

use crate::lab::{Lab, Live, Said, after, idx_header, tensors, write_images};
use crate::terminal::eventually;

#[test]
fn a_run_leaves_figures_pictures_and_checkpoints() {
    let lab = Lab::new();
    let said = lab.train(&[
        "--name",
        "first",
        "--epochs",
        "12",
        "--set",
        "output.checkpoint_every_epochs=5",
    ]);
    assert_eq!(said.code, 0, "{said:?}");

    let started = said.started();
    assert_eq!(
        (
            started.run.as_str(),
            started.images,
            started.steps_per_epoch
        ),
        ("first", 200, 4)
    );
    let ended = said.ended();
    assert_eq!((ended.reason, ended.exit_code), (Reason::Finished, 0));
    let stats = &ended.stats;
    let figure = |key: &str| stats.metrics.get(key);
    assert_eq!((stats.step, stats.epoch, stats.images_seen), (48, 12, 2400));
    for figure in [
        figure("d_loss"),
        figure("g_loss"),
        figure("d_grad_norm"),
        figure("g_grad_norm"),
        stats.images_per_second,
    ] {
        assert!(figure.is_finite() && figure > 0.0, "{stats:?}");
    }
    for probability in [figure("d_real"), figure("d_fake")] {
        assert!((0.0..=1.0).contains(&probability), "{stats:?}");
    }

    let run = lab.run("first");
    assert_eq!(ended.checkpoint, Some(run.checkpoint_file(48)));
    let steps: Vec<_> = run
        .checkpoints()
        .iter()
        .map(|checkpoint| checkpoint.step)
        .collect();
    assert_eq!(steps, [48, 40, 20]);
    let mut grids: Vec<_> = std::fs::read_dir(run.samples_dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    grids.sort();
    let last = "step-000000048.png";
    assert_eq!(grids, ["epoch-0001.png", "epoch-0010.png", last]);
    for file in [run.config_file(), run.events_file(), run.worker_log()] {
        assert!(
            std::fs::metadata(&file).unwrap().len() > 0,
            "{}",
            file.display()
        );
    }
    assert_eq!(
        std::fs::read_to_string(run.events_file()).unwrap(),
        said.out
    );
}

#[test]
fn a_run_loads_its_data_then_builds_its_networks_then_trains() {
    let lab = Lab::new();
    let said = lab.train(&["--name", "phases", "--steps", "1"]);
    let phases: Vec<_> = said
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::Phase { phase, step } => Some((*phase, *step)),
            _ => None,
        })
        .collect();
    // A face that connects before the first of them sees `Phase::Loading`.
    let expected = [
        (Phase::WarmingUp, 0),
        (Phase::Training, 0),
        (Phase::Saving, 1),
    ];
    assert_eq!(phases, expected);
}

#[test]
fn the_tutorial_trains_on_the_digits_inside_the_program() {
    let lab = Lab::new();
    let said = lab.sparring(&["train", "--preset", "tutorial", "--steps", "8", "--json"]);
    let started = said.started();
    assert_eq!(
        (started.images, started.steps_per_epoch, started.epochs),
        (60_000, 938, 1000)
    );
    assert_eq!(
        (
            started.parameters.generator,
            started.parameters.discriminator
        ),
        (1_486_352, 533_505)
    );
    assert_eq!(said.ended().stats.images_seen, 512);
}

/// Steps of the runs that are stopped, and how often they save.
const STEPS: &str = "3000";
const LONG: [&str; 6] = [
    "--steps",
    STEPS,
    "--set",
    "output.checkpoint_every_steps=500",
    "--set",
    "output.checkpoint_every_epochs=0",
];

fn unbroken(lab: &Lab) -> Vec<u8> {
    let said = lab.train(&[&["--name", "unbroken"], LONG.as_slice()].concat());
    assert_eq!(said.code, 0, "{said:?}");
    tensors(&lab.run("unbroken"), 3000)
}

/// Starts a long run and waits for its first checkpoint.
fn begun(lab: &Lab, name: &str) -> Live {
    let mut live = Live::start(lab.training(&[&["--name", name], LONG.as_slice()].concat()));
    live.until(|event| matches!(event, Event::Checkpoint(_)));
    live
}

#[test]
fn a_run_that_was_killed_and_resumed_is_the_unbroken_run_to_the_bit() {
    let lab = Lab::new();
    let live = begun(&lab, "killed");
    live.signal(Signal::KILL);
    let (code, events) = live.end();
    assert_eq!(code, -1);
    assert!(
        !events.iter().any(|event| matches!(event, Event::Ended(_))),
        "it ended before it was killed"
    );
    assert!(lab.sparring(&["runs"]).out.contains("crashed"));

    let resumed = lab.sparring(&["train", "--resume", "killed", "--json"]);
    assert!(resumed.started().step >= 500, "{resumed:?}");
    assert_eq!(tensors(&lab.run("killed"), 3000), unbroken(&lab));
}

#[test]
fn a_dcgan_goes_on_with_what_its_batch_norms_have_seen() {
    let lab = Lab::new();
    let train = |name: &str, steps: &str| {
        let said = lab.train(&["--preset", "dcgan", "--name", name, "--steps", steps]);
        assert_eq!(said.code, 0, "{said:?}");
    };
    train("unbroken", "40");
    train("broken", "18");
    let resumed = lab.sparring(&["train", "--resume", "broken", "--steps", "40", "--json"]);
    assert_eq!(resumed.started().step, 18);
    let state = tensors(&lab.run("broken"), 40);
    assert_eq!(state, tensors(&lab.run("unbroken"), 40));
    let file = std::fs::read(lab.run("broken").checkpoint_file(40)).unwrap();
    for name in ["running_mean", "running_var"] {
        let name = format!("generator.model.2.{name}");
        assert!(
            file.windows(name.len())
                .any(|window| window == name.as_bytes()),
            "{name} is not in the checkpoint"
        );
    }
    let sample = ["sample", "broken", "-n", "2", "--render", "ascii"];
    let drawn = lab.sparring(&sample);
    assert_eq!(drawn.code, 0, "{drawn:?}");
}

#[test]
fn ctrl_c_and_sigterm_save_and_the_resumed_run_is_the_unbroken_one() {
    let lab = Lab::new();
    let expected = unbroken(&lab);
    for (name, signal, reason, code) in [
        ("interrupted", Signal::INT, Reason::Interrupted, 130),
        ("terminated", Signal::TERM, Reason::Terminated, 143),
    ] {
        let live = begun(&lab, name);
        live.signal(signal);
        let (ended_with, events) = live.end();
        assert_eq!(ended_with, code);
        let Some(Event::Ended(ended)) = events.last() else {
            panic!("{events:?}")
        };
        assert_eq!(ended.reason, reason);
        assert_eq!(
            ended.checkpoint,
            Some(lab.run(name).checkpoint_file(ended.stats.step))
        );
        assert_eq!(lab.sparring(&["wait", name]).code, code);

        let resumed = lab.sparring(&["train", "--resume", name, "--json"]);
        assert_eq!(resumed.started().step, ended.stats.step);
        assert_eq!(tensors(&lab.run(name), 3000), expected, "{name}");
    }
}

#[test]
fn a_hangup_does_not_stop_a_run() {
    let lab = Lab::new();
    let live = begun(&lab, "hung-up");
    live.signal(Signal::HUP);
    let (code, events) = live.end();
    assert_eq!(code, 0);
    assert!(matches!(events.last(), Some(Event::Ended(ended)) if ended.stats.step == 3000));
}

#[test]
fn a_run_goes_on_when_the_reader_of_its_stdout_is_gone() {
    let lab = Lab::new();
    let mut child = lab
        .training(&[&["--name", "unheard"], LONG.as_slice()].concat())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
    assert_eq!(lab.run("unheard").newest_checkpoint().unwrap().step, 3000);
}

#[test]
fn a_run_can_be_made_longer_but_not_another_run() {
    let lab = Lab::new();
    assert_eq!(lab.train(&["--name", "short", "--epochs", "2"]).code, 0);
    let longer = lab.sparring(&["train", "--resume", "short", "--epochs", "3", "--json"]);
    assert_eq!(longer.ended().stats.step, 12);

    let other = lab.sparring(&["train", "--resume", "short", "--batch-size", "32"]);
    assert_eq!(other.code, 2);
    assert!(
        other.err.starts_with(
            "error: batch_size = 32 (from --batch-size): a resumed run keeps its batch_size (64); keys that can change: "
        ),
        "{other:?}"
    );
}

#[test]
fn a_requeued_job_starts_once_and_goes_on_after() {
    let lab = Lab::new();
    let job = ["--name", "job", "--resume-if-exists", "--epochs", "2"];
    assert_eq!(lab.train(&job).started().step, 0);
    let again = lab.command(&[
        "train",
        "--json",
        "--name",
        "job",
        "--resume-if-exists",
        "--epochs",
        "4",
    ]);
    let again = Said::by(&mut { again });
    assert_eq!(again.started().step, 8);
    assert_eq!(lab.run("job").newest_checkpoint().unwrap().step, 16);
}

#[test]
fn a_broken_checkpoint_is_passed_over_for_the_one_before() {
    let lab = Lab::new();
    assert_eq!(lab.train(&["--name", "torn", "--epochs", "3"]).code, 0);
    let newest = lab.run("torn").checkpoint_file(12);
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(&newest)
        .unwrap();
    file.set_len(file.metadata().unwrap().len() - 7).unwrap();

    let resumed = lab.sparring(&["train", "--resume", "torn", "--json"]);
    assert!(resumed.err.contains(&format!(
        "warning: {} is no usable checkpoint: it is cut short; an older one is taken, and it is kept as \
         broken-step-000000012.safetensors",
        newest.display()
    )));
    assert_eq!(resumed.started().step, 8);
}

#[test]
fn a_bit_that_flipped_on_the_disk_is_noticed_wherever_a_checkpoint_is_used() {
    let lab = Lab::new();
    assert_eq!(lab.train(&["--name", "whole", "--epochs", "3"]).code, 0);
    assert_eq!(lab.train(&["--name", "flipped", "--epochs", "3"]).code, 0);
    let run = lab.run("flipped");
    let flip = |step| {
        let path = run.checkpoint_file(step);
        let mut bytes = std::fs::read(&path).unwrap();
        let last = bytes.len() - 100;
        bytes[last] ^= 4;
        std::fs::write(path, bytes).unwrap();
    };
    flip(12);
    let warning = format!(
        "warning: {} is no usable checkpoint: its checksum does not match: some of its bytes have changed; an older \
         one is taken",
        run.checkpoint_file(12).display()
    );
    let sampled = lab.sparring(&["sample", "flipped", "-n", "1", "--seed", "1"]);
    assert_eq!(sampled.code, 0, "{sampled:?}");
    assert!(sampled.err.contains(&warning), "{sampled:?}");

    // The run goes on from the checkpoint before, to the same end.
    let resumed = lab.sparring(&["train", "--resume", "flipped", "--json"]);
    assert!(resumed.err.contains(&warning), "{resumed:?}");
    assert_eq!(resumed.started().step, 8);
    assert_eq!(tensors(&run, 12), tensors(&lab.run("whole"), 12));

    // Without any that is intact it begins anew, and what there was stays under other names.
    for checkpoint in run.checkpoints() {
        flip(checkpoint.step);
    }
    let anew = lab.sparring(&["train", "--resume", "flipped", "--json"]);
    assert!(
        anew.err
            .contains("; there is no older one, and it is kept as broken-step-"),
        "{anew:?}"
    );
    assert_eq!((anew.code, anew.started().step), (0, 0));
    assert_eq!(tensors(&run, 12), tensors(&lab.run("whole"), 12));
    let kept = std::fs::read_dir(run.checkpoints_dir()).unwrap();
    let kept = kept.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with("broken-")
    });
    assert!(kept.count() >= 2);
}

#[test]
fn a_worker_whose_face_is_killed_does_not_go_on_with_its_task() {
    let lab = Lab::new();
    assert_eq!(lab.train(&["--name", "otter", "--steps", "4"]).code, 0);
    // So many that they take minutes.
    let mut face = lab
        .command(&["sample", "otter", "-n", "10000000", "--out"])
        .arg(lab.path().join("many.npz"))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let worker = eventually("a worker", || child_of(face.id()));
    // The file is being written: nothing of it may stay.
    let has_begun = |link: std::path::PathBuf| link.starts_with(lab.path()) && !link.exists();
    eventually("the file", || {
        let open = std::fs::read_dir(format!("/proc/{}/fd", face.id())).unwrap();
        open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
            .any(has_begun)
            .then_some(())
    });
    face.kill().unwrap();
    face.wait().unwrap();
    let left: Vec<_> = std::fs::read_dir(lab.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().starts_with(".writing-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    eventually("the end of the worker", || {
        let stat = std::fs::read_to_string(format!("/proc/{worker}/stat")).unwrap_or_default();
        (stat.is_empty() || stat.contains(") Z ")).then_some(())
    });
}

#[test]
fn one_run_has_one_worker() {
    let lab = Lab::new();
    let live = begun(&lab, "taken");
    let second = lab.sparring(&["train", "--resume", "taken"]);
    assert_eq!(second.code, 1);
    assert!(
        second
            .err
            .starts_with("error: run `taken` is in use by process "),
        "{second:?}"
    );
    let removal = lab.sparring(&["runs", "rm", "taken"]);
    assert!(removal.err.contains("is in use by process"), "{removal:?}");
    assert!(lab.sparring(&["runs"]).out.contains("running"));
    live.signal(Signal::TERM);
    live.end();
}

#[test]
fn a_seed_decides_everything() {
    let lab = Lab::new();
    let train = |name: &str, seed: &str, threads: &str| {
        let said = lab.train(&[
            "--name",
            name,
            "--steps",
            "20",
            "--seed",
            seed,
            "--threads",
            threads,
        ]);
        assert_eq!(said.code, 0, "{said:?}");
        tensors(&lab.run(name), 20)
    };
    assert_eq!(train("one", "5", "1"), train("same", "5", "1"));
    assert_ne!(train("two", "6", "1"), train("again", "5", "1"));
}

#[test]
fn an_error_of_memory_says_which_batch_size_would_fit() {
    let lab = Lab::new();
    write_images(&lab.data(), 20_000, 8);
    let within_memory =
        |arguments: &[&str]| Said::by(&mut after("ulimit -v 2500000", &lab.training(arguments)));
    let wide = [
        "--steps",
        "2",
        "--threads",
        "2",
        "--device",
        "cpu",
        "--set",
        "generator.hidden=[20000]",
    ];

    let said = within_memory(&[&wide[..], &["--set", "batch_size=16384"]].concat());
    assert_eq!(said.code, 1, "{said:?}");
    let said = said.err.trim_end();
    let (error, advice) = said.split_once(": try a smaller batch, `--set ").unwrap();
    assert!(error.contains("can't allocate memory"), "{said}");
    assert!(!error.contains('\n'), "{said}");
    let setting = advice.strip_suffix('`').unwrap();

    let said = within_memory(&[&wide[..], &["--set", setting]].concat());
    assert_eq!(said.code, 0, "{said:?}");
}

#[test]
fn a_run_that_still_loads_its_data_ends_at_the_first_signal() {
    let lab = Lab::new();
    // Zeros that take no room on the disk, and some time to read.
    let data = lab.path().join("many");
    std::fs::create_dir(&data).unwrap();
    let path = data.join("train-images-idx3-ubyte");
    std::fs::write(&path, idx_header(0x803, &[300_000, 28, 28])).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(16 + 300_000 * 28 * 28).unwrap();

    let live = Live::start(lab.training_on(&data, &["--name", "otter"]));
    let runs = lab.path().join("runs/otter");
    eventually("a worker", || Run::open(&runs)?.presence());
    live.signal(Signal::TERM);
    let (code, events) = live.end();
    assert_eq!(code, 143);
    let Some(Event::Ended(ended)) = events.last() else {
        panic!("{events:?}")
    };
    assert_eq!(ended.message.as_deref(), Some("training had not begun"));
}

/// A process that another has started.
fn child_of(parent: u32) -> Option<u32> {
    let processes = std::fs::read_dir("/proc").unwrap();
    processes.into_iter().find_map(|process| {
        let process: u32 = process.unwrap().file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // Behind the name, in parentheses: the state and the parent.
        let own_parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok();
        (own_parent == Some(parent)).then_some(process)
    })
}
