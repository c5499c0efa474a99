//! What is typed wrong is said in one line, with the right exit code, and leaves nothing behind.

use std::path::Path;
use std::process::{Command, Stdio};

use sparring_contract::launch::Launch;

use crate::lab::{Lab, Said, tensors};
use crate::terminal::eventually;

#[test]
fn help_presets_and_configuration_answer_without_a_run() {
    let lab = Lab::new();
    let help = lab.sparring(&["--help"]);
    assert_eq!(help.code, 0);
    for command in [
        "train",
        "sample",
        "attach",
        "pause",
        "unpause",
        "step",
        "checkpoint",
        "set",
        "note",
        "stop",
        "runs",
        "logs",
        "wait",
        "doctor",
        "presets",
        "config",
    ] {
        assert!(
            help.out.contains(&format!("  {command} ")),
            "{command} is missing in {}",
            help.out
        );
    }
    let presets = lab.sparring(&["presets"]).out;
    let first = presets.lines().next().unwrap();
    assert!(first.starts_with("r3 ") && first.ends_with("(default)"));
    assert!(
        lab.sparring(&["config", "keys"])
            .out
            .contains("[generator]")
    );
}

#[test]
fn the_configuration_that_is_shown_is_one_that_can_be_read_again() {
    let lab = Lab::new();
    let shown = lab
        .sparring(&[
            "config",
            "show",
            "--batch-size",
            "32",
            "--set",
            "generator.hidden=[8, 9]",
        ])
        .out;
    let line = |start: &str| {
        shown
            .lines()
            .find(|line| line.starts_with(start))
            .unwrap()
            .to_owned()
    };
    assert!(line("batch_size = 32").ends_with("# --batch-size"));
    assert!(line("generator.hidden = [8, 9]").ends_with("# --set generator.hidden"));
    assert!(line("epochs = 100").ends_with("# preset r3"));
    assert!(line("threads = 0").ends_with("# the defaults"));

    let file = lab.path().join("again.toml");
    std::fs::write(&file, &shown).unwrap();
    let again = lab
        .sparring(&["config", "show", "--config", file.to_str().unwrap()])
        .out;
    let values = |text: &str| {
        text.lines()
            .map(|line| line.split("  #").next().unwrap().trim_end().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(values(&again), values(&shown));
}

#[test]
fn the_configuration_that_is_shown_is_the_one_that_train_would_take() {
    let lab = Lab::new();
    let shown = |arguments: &[&str]| {
        let said = lab.sparring(&[&["config", "show"], arguments].concat());
        (said.out, said.err)
    };
    let (repair, _) = shown(&["--task", "repair"]);
    assert!(repair.contains("preset = \"pix2pix\""), "{repair}");

    let data = lab.data();
    let (of_data, note) = shown(&["--data", data.to_str().unwrap()]);
    let started = lab.sparring(&[
        "train",
        "--json",
        "--steps",
        "1",
        "--data",
        data.to_str().unwrap(),
    ]);
    let preset = &started.started().preset;
    assert!(
        of_data.contains(&format!("preset = \"{preset}\"")),
        "{of_data}"
    );
    assert!(note.contains("chosen because"), "{note}");

    // A value with a line break stays on its line, and is read again as it was.
    let odd = "a\nb\"c";
    let (lines, _) = shown(&["--preset", "r3", "--set", &format!("data={odd}")]);
    assert!(lines.contains(r#"data = "a\u000ab\"c""#), "{lines}");
    let file = lab.path().join("odd.toml");
    std::fs::write(&file, &lines).unwrap();
    assert_eq!(
        shown(&["--config", file.to_str().unwrap()])
            .0
            .lines()
            .count(),
        lines.lines().count()
    );
}

#[test]
fn the_users_file_yields_to_a_file_on_the_command_line_and_that_to_a_flag() {
    let lab = Lab::new();
    let own = lab.sparring(&["config", "path"]).out;
    let own = Path::new(own.trim_end());
    std::fs::create_dir_all(own.parent().unwrap()).unwrap();
    std::fs::write(own, "batch_size = 10\nlatent_dim = 11\nseed = 12\n").unwrap();
    let file = lab.path().join("mine.toml");
    std::fs::write(&file, "latent_dim = 21\nseed = 22\n").unwrap();
    let shown = lab
        .sparring(&[
            "config",
            "show",
            "--config",
            file.to_str().unwrap(),
            "--seed",
            "32",
        ])
        .out;
    for (value, origin) in [
        ("batch_size = 10", own.display().to_string()),
        ("latent_dim = 21", file.display().to_string()),
        ("seed = 32", "--seed".to_owned()),
    ] {
        assert!(
            shown
                .lines()
                .any(|line| line.starts_with(value) && line.ends_with(&origin)),
            "{value}: {shown}"
        );
    }
}

#[test]
fn values_that_cannot_be_are_refused_by_name() {
    let lab = Lab::new();
    let refused = |arguments: &[&str], message: &str| {
        lab.sparring(&[&["train"], arguments].concat())
            .refused(2, &format!("error: {message}"));
    };
    refused(
        &["--batch-size", "0"],
        "batch_size = 0 (from --batch-size): expected a whole number from 1 to 65536",
    );
    refused(
        &["--epochs", "many"],
        "epochs = \"many\" (from --epochs): expected a whole number from 1 to 1000000000",
    );
    refused(
        &["--minutes", "-1"],
        "minutes = -1 (from --minutes): expected a number from 0 to 1000000000",
    );
    refused(
        &["--learning-rate", "0"],
        "generator.learning_rate = 0 (from --learning-rate): expected a number above 0 and at most 10",
    );
    refused(
        &["--device", "tpu"],
        "device = \"tpu\" (from --device): expected \"auto\", \"cpu\", \"cuda\" or \"cuda:N\"",
    );
    refused(
        &["--set", "seed"],
        "`--set seed`: expected key=value, such as --set batch_size=128",
    );
    refused(
        &["--set", "generator.hiden=[1]"],
        "unknown key `generator.hiden` (from --set generator.hiden); did you mean `generator.hidden`?; \
         `sparring config keys` lists them",
    );
    refused(
        &["--preset", "vae"],
        "unknown preset `vae` (from --preset): choose r3, cgan, tutorial, mlp, dcgan, cdcgan, resnet, few, resnet-large, pix2pix, pix2pix-large",
    );
    assert!(
        !lab.path().join("runs").exists(),
        "a refused command left something behind"
    );
}

#[test]
fn a_broken_configuration_file_is_named_with_its_line() {
    let lab = Lab::new();
    let file = lab.path().join("broken.toml");
    std::fs::write(&file, "seed = 1\nepochs = = 3\n").unwrap();
    let said = lab.sparring(&["train", "--config", file.to_str().unwrap()]);
    assert_eq!(said.code, 2);
    assert!(
        said.err
            .starts_with(&format!("error: {}: line 2: ", file.display())),
        "{said:?}"
    );

    let missing = lab.path().join("missing.toml");
    lab.sparring(&["train", "--config", missing.to_str().unwrap()])
        .refused(
            2,
            &format!(
                "error: cannot read the configuration {}: No such file or directory (os error 2)",
                missing.display()
            ),
        );
}

#[test]
fn a_device_that_is_not_there_is_refused_and_leaves_no_run() {
    let lab = Lab::new();
    if Path::new("/proc/driver/nvidia/version").exists() {
        println!("skipped: this machine has CUDA");
        return;
    }
    let said = lab.train(&["--device", "cuda", "--name", "nowhere"]);
    said.refused(
        1,
        "error: --device cuda: no NVIDIA driver was found (libcuda.so.1); use --device cpu, or see docs/SETUP.md for \
         CUDA",
    );
    assert!(!lab.path().join("runs/nowhere").exists());
}

#[test]
fn a_precision_that_the_processor_gains_nothing_from_is_refused() {
    let lab = Lab::new();
    for (precision, why) in [
        (
            "tf32",
            "is for CUDA devices, and this run is on the CPU: use --device cuda, or precision = \"float32\"",
        ),
        (
            "bfloat16",
            "needs a CUDA device or a processor with AVX512-BF16, which this one lacks: use precision = \"float32\"",
        ),
    ] {
        let mut command = lab.command(&["train", "--json", "--device", "cpu", "--name", "short"]);
        command
            .args(["--set", &format!("precision={precision}")])
            // As on a processor without AVX-512.
            .env("SPARRING_PRODUCTS", "avx2");
        Said::by(&mut command).refused(1, &format!("error: precision = \"{precision}\" {why}"));
        assert!(!lab.path().join("runs/short").exists());
    }
}

#[test]
fn a_run_in_bfloat16_goes_on_to_the_same_bits_and_not_to_those_of_float32() {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    if !cpu.contains("avx512_bf16") {
        eprintln!("skipped: this processor has no AVX512-BF16");
        return;
    }
    let wide = [
        "--set",
        "generator.hidden=[32]",
        "--set",
        "discriminator.hidden=[32]",
    ];
    let trained = |steps: &str, precision: &str| {
        let lab = Lab::new();
        let precision = format!("precision={precision}");
        let arguments = [
            "--device", "cpu", "--name", "run", "--steps", steps, "--set", &precision,
        ];
        let said = lab.train(&[&arguments[..], &wide].concat());
        assert_eq!(said.code, 0, "{said:?}");
        lab
    };
    let [whole, halves, float] = [("20", "bfloat16"), ("10", "bfloat16"), ("20", "float32")]
        .map(|(steps, precision)| trained(steps, precision));
    let resumed = halves.sparring(&["train", "--json", "--resume", "run", "--steps", "20"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    let [whole, halves, float] = [whole, halves, float].map(|lab| tensors(&lab.run("run"), 20));
    assert!(whole == halves);
    assert!(whole != float);
}

#[test]
fn a_face_without_its_worker_says_how_to_build_one() {
    let lab = Lab::new();
    let alone = lab.path().join("sparring");
    std::fs::copy(env!("CARGO_BIN_EXE_sparring"), &alone).unwrap();
    let said = Said::by(
        Command::new(&alone)
            .arg("train")
            .env("SPARRING_HOME", lab.path()),
    );
    said.refused(
        3,
        &format!(
            "error: sparring-worker is not beside sparring in {}: build both with `cargo build` (or `make build`)",
            lab.path().display()
        ),
    );
}

#[test]
fn a_worker_of_another_build_says_so() {
    let worker = Path::new(env!("CARGO_BIN_EXE_sparring")).with_file_name("sparring-worker");
    let said = Said::by(Command::new(worker).args(["0123456789abcdef", "{}"]));
    said.refused(
        3,
        "error: this sparring-worker is of another build than the sparring that started it; build both again with \
         `cargo build` (or `make build`)",
    );
}

#[test]
fn a_worker_that_is_started_without_its_environment_starts_anew_with_it() {
    let mut command =
        Command::new(Path::new(env!("CARGO_BIN_EXE_sparring")).with_file_name("sparring-worker"));
    Launch::Task.on(&mut command);
    // It waits for its task meanwhile.
    let mut worker = command
        .env_clear()
        .env("CUBLAS_WORKSPACE_CONFIG", "the user's own")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let file = format!("/proc/{}/environ", worker.id());
    let variables = eventually("the environment", || {
        let text = std::fs::read_to_string(&file).ok()?;
        let variables: Vec<_> = text.split('\0').map(str::to_owned).collect();
        let tuned = "GLIBC_TUNABLES=glibc.malloc.hugetlb=1";
        variables
            .iter()
            .any(|one| one == tuned)
            .then_some(variables)
    });
    worker.kill().unwrap();
    worker.wait().unwrap();
    let own = "CUBLAS_WORKSPACE_CONFIG=the user's own";
    assert!(variables.iter().any(|one| one == own), "{variables:?}");
}
