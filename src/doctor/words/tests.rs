use sparring_contract::protocol::{DeviceChoice, DriverFacts, Libtorch};

use super::super::{Settings, WorkerFacts};
use super::*;

fn device(index: usize) -> DeviceFacts {
    DeviceFacts {
        device: format!("cuda:{index}"),
        name: "NVIDIA H100 80GB HBM3".to_owned(),
        uuid: "GPU-6d1b2c3d-0000-4000-8000-00000000000a".to_owned(),
        architecture: "sm_90".to_owned(),
        is_supported: true,
        memory: 85_045_870_592,
        memory_free: Some(84_000_000_000),
        mode: "shared".to_owned(),
        mig: Some(false),
        failure: None,
        seconds: 1.234,
    }
}

/// A box with two devices, of which one is taken by somebody else, seen over ssh.
fn gpu_box() -> Findings {
    let folder = |for_what, path: &str| Folder {
        for_what,
        path: path.into(),
        exists: true,
        free: Some(212 << 30),
        failure: None,
    };
    Findings {
        version: "0.1.0",
        build: "0123456789abcdef",
        worker: WorkerFacts {
            examination: Some(Examination {
                libtorch: Libtorch {
                    version: Some("2.13.0".to_owned()),
                    library: Some("/home/ada/.local/lib/sparring/torch/lib/libtorch_cpu.so".into()),
                    cpu_capability: "AVX512".to_owned(),
                    products: "AVX-512".to_owned(),
                    cuda: Some("13.0".to_owned()),
                    architectures: "sm_75, sm_80, sm_86, sm_90, sm_100, sm_120".to_owned(),
                },
                choice: DeviceChoice {
                    asked: "auto".to_owned(),
                    device: Some("cuda:1".to_owned()),
                    reason: None,
                },
                driver: Some(DriverFacts {
                    cuda: "13.0".to_owned(),
                    version: Some("580.159.03".to_owned()),
                }),
                no_cuda: None,
                devices: vec![
                    DeviceFacts {
                        mode: "exclusive".to_owned(),
                        memory_free: Some(1_000_000_000),
                        failure: Some(
                            "CUDA-capable device(s) is/are busy or unavailable".to_owned(),
                        ),
                        ..device(0)
                    },
                    device(1),
                ],
            }),
            failure: None,
        },
        machine: MachineFacts {
            cpu: Some("AMD EPYC 9654 96-Core Processor".to_owned()),
            vector_units: ["avx2", "fma", "avx512f"].map(str::to_owned).to_vec(),
            cores: Some(192),
            cores_by_affinity: Some(192),
            cores_usable: 16,
            memory: Some(1 << 40),
            memory_available: Some(900 << 30),
            memory_limit: Some(128 << 30),
            open_files: Some(1024),
        },
        terminal: TerminalFacts {
            is_terminal: true,
            columns: 120,
            rows: 34,
            colors: 1 << 24,
            colors_because: "TERM=xterm-kitty".to_owned(),
            unicode: false,
            unicode_because: "LANG is not set".to_owned(),
            pictures: "ascii",
            pictures_because: "the terminal takes no pictures".to_owned(),
        },
        settings: Settings {
            file: Some("/home/ada/.config/sparring/config.toml".into()),
            exists: false,
            failure: None,
            threads: 16,
        },
        folders: vec![
            folder(FolderUse::Runs, "/home/ada/.local/share/sparring/runs"),
            folder(FolderUse::Sockets, "/tmp/sparring-1000"),
            folder(FolderUse::Cache, "/home/ada/.cache/sparring/data"),
        ],
        logout: Logout {
            slurm_job: None,
            kills_at_logout: false,
            lingers: false,
            note: None,
        },
    }
}

#[test]
fn a_gpu_box_fits_on_a_screen() {
    let lines = lines(&gpu_box(), 100, true);
    insta::assert_snapshot!("gpu_box", lines.join("\n"));
}

#[test]
fn what_stands_in_the_way_is_marked_and_told_at_the_end() {
    let mut findings = gpu_box();
    let examination = findings.worker.examination.as_mut().unwrap();
    examination.choice = DeviceChoice {
        asked: "cuda:0".to_owned(),
        device: None,
        reason: Some(
            "--device cuda:0: busy\u{1b}[2J; use --device cpu, or another device".to_owned(),
        ),
    };
    findings.folders[0].failure = Some(
        "/home/ada/.local/share/sparring/runs: nothing can be written there: Read-only file system"
            .to_owned(),
    );
    findings.folders[2].failure = Some("/home/ada/.cache/sparring/data: no".to_owned());
    let lines = lines(&findings, 60, false);
    insta::assert_snapshot!("in_the_way", lines.join("\n"));
}

#[test]
fn no_line_is_wider_than_the_terminal_unless_a_word_is() {
    for width in 40..130 {
        for line in lines(&gpu_box(), width, true) {
            let longest = line.split(' ').map(UnicodeWidthStr::width).max();
            let room = usize::from(width).max(longest.unwrap_or_default() + 2 + NAME);
            assert!(line.width() <= room, "{width}: {line:?}");
        }
    }
}
