//! Data that is read, and data that cannot be used: each file is named, with what is wrong.

mod cache;
mod files;
mod folders;
pub mod pictures;

use std::fs::{self, File};
use std::io::{BufReader, Write as _};

use sparring_contract::run::CheckpointHeader;

use crate::lab::{Lab, idx_header, write_images};

fn refused(lab: &Lab, message: &str) {
    let said = lab.train(&["--name", "unfed", "--steps", "1"]);
    said.refused(1, &format!("error: {message}"));
    assert!(
        !lab.path().join("runs/unfed").exists(),
        "a run that never began was left behind"
    );
}

#[test]
fn a_folder_that_is_not_there_or_holds_no_images() {
    let lab = Lab::new();
    fs::remove_dir_all(lab.data()).unwrap();
    refused(
        &lab,
        &format!(
            "cannot read {}: No such file or directory (os error 2)",
            lab.data().display()
        ),
    );
    fs::create_dir(lab.data()).unwrap();
    refused(
        &lab,
        &format!(
            "no pictures in {}: expected PNG, JPEG, WebP, BMP or GIF files, with or without a sub-folder per class, or IDX files such as train-images-idx3-ubyte",
            lab.data().display()
        ),
    );
}

#[test]
fn a_file_that_is_cut_short_too_long_or_of_another_kind() {
    let lab = Lab::new();
    let file = lab.data().join("train-images-idx3-ubyte");
    let whole = fs::read(&file).unwrap();
    let at = file.display();

    fs::write(&file, &whole[..whole.len() - 5]).unwrap();
    refused(
        &lab,
        &format!(
            "{at} is cut short: its header promises 12816 bytes and it holds 12811; fetch it again"
        ),
    );
    fs::write(&file, &whole[..7]).unwrap();
    refused(
        &lab,
        &format!("{at} is cut short: its header promises 16 bytes and it holds 7; fetch it again"),
    );
    fs::write(&file, [whole.as_slice(), b"more"].concat()).unwrap();
    refused(
        &lab,
        &format!(
            "{at} is too long: its header promises 12816 bytes and it holds 12820; fetch it again"
        ),
    );
    fs::write(&file, b"P5 8 8 255 no idx at all").unwrap();
    refused(
        &lab,
        &format!("{at} begins with 0x50352038, not with 0x00000803: not an IDX file of images"),
    );
    fs::write(&file, idx_header(0x803, &[0, 8, 8])).unwrap();
    refused(
        &lab,
        &format!("{at} holds 0 images of 8x8 pixels: nothing to train on"),
    );
}

#[test]
fn labels_that_are_not_those_of_the_images() {
    let lab = Lab::new();
    let labels = lab.data().join("train-labels-idx1-ubyte");
    fs::write(&labels, [idx_header(0x801, &[7]), vec![0; 7]].concat()).unwrap();
    refused(
        &lab,
        &format!(
            "{} holds 7 labels for the 200 images of {}: the files do not belong together",
            labels.display(),
            lab.data().join("train-images-idx3-ubyte").display()
        ),
    );
}

#[test]
fn a_gzipped_file_is_read_and_a_broken_one_is_named() {
    let lab = Lab::new();
    let plain = lab.data().join("train-images-idx3-ubyte");
    let packed = lab.data().join("train-images-idx3-ubyte.gz");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&fs::read(&plain).unwrap()).unwrap();
    let mut bytes = gzip.finish().unwrap();
    fs::remove_file(&plain).unwrap();

    fs::write(&packed, &bytes).unwrap();
    assert_eq!(lab.train(&["--steps", "2"]).code, 0);

    let last = bytes.len() - 1;
    bytes[last - 6] ^= 1;
    fs::write(&packed, &bytes).unwrap();
    refused(
        &lab,
        &format!(
            "cannot read {}: corrupt gzip stream does not have a matching checksum",
            packed.display()
        ),
    );
}

#[test]
fn several_files_that_could_be_meant() {
    let lab = Lab::new();
    let train = lab.data().join("train-images-idx3-ubyte");
    for name in ["a-idx3-ubyte", "b-idx3-ubyte"] {
        fs::copy(&train, lab.data().join(name)).unwrap();
    }
    fs::remove_file(train).unwrap();
    refused(
        &lab,
        &format!(
            "several image files in {} (a-idx3-ubyte, b-idx3-ubyte): name one of them, or name the one to train on train-images-idx3-ubyte",
            lab.data().display()
        ),
    );
}

#[test]
fn a_file_without_permission() {
    use std::os::unix::fs::PermissionsExt as _;
    let lab = Lab::new();
    if rustix::process::geteuid().is_root() {
        println!("skipped: nothing is unreadable to root");
        return;
    }
    let file = lab.data().join("train-images-idx3-ubyte");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    refused(
        &lab,
        &format!(
            "cannot read {}: Permission denied (os error 13)",
            file.display()
        ),
    );
}

#[test]
fn images_of_any_size_train() {
    let lab = Lab::new();
    fs::remove_dir_all(lab.data()).unwrap();
    write_images(&lab.data(), 3, 5);
    let said = lab.train(&["--steps", "4", "--name", "tiny"]);
    assert_eq!(said.code, 0, "{said:?}");
    let started = said.started();
    assert_eq!((started.images, started.steps_per_epoch), (3, 1));
    let stats = said.ended().stats;
    assert_eq!((stats.step, stats.images_seen), (4, 12));
    assert!(stats.metrics.get("d_loss").is_finite() && stats.metrics.get("g_loss").is_finite());
    let run = lab.run("tiny");
    let header = CheckpointHeader::read(&run.checkpoint_file(4)).unwrap();
    assert_eq!(header.shape, [1, 5, 5]);
    // Four by four pictures of five pixels, with gaps of two.
    let grid = File::open(run.samples_dir().join("epoch-0001.png")).unwrap();
    let size = png::Decoder::new(BufReader::new(grid)).read_info().unwrap();
    assert_eq!(size.info().size(), (26, 26));
}

#[test]
fn images_that_do_not_fit_the_networks() {
    let lab = Lab::new();
    let refused = |settings: &[&str], message: &str| {
        let said = lab.train(&[&["--name", "unfit"], settings].concat());
        said.refused(1, &format!("error: {message}"));
        assert!(!lab.path().join("runs/unfit").exists());
    };
    refused(
        &[
            "--preset",
            "dcgan",
            "--set",
            "discriminator.hidden=[2, 2, 2, 2]",
        ],
        "discriminator.hidden has 4 widths, which halve the pictures 4 times, and these are 8x8: give it fewer widths, so that both sides can be halved as often",
    );
    let resnet = |settings: &[&'static str]| [&["--preset", "resnet"], settings].concat();
    refused(
        &resnet(&["--set", "generator.hidden=[]"]),
        "generator.hidden is empty: architecture = \"resnet\" needs a width for each resolution",
    );
    refused(
        &resnet(&["--set", "discriminator.hidden=[24]"]),
        "discriminator.hidden has the width 24, and 1 times that cannot be divided into groups of 16: change discriminator.group_width or the width",
    );
    refused(
        &resnet(&["--set", "generator.normalization=batch"]),
        "generator.normalization is set, and architecture = \"resnet\" has no place for it: take it out, or choose another architecture",
    );
    refused(
        &[
            "--batch-size",
            "199",
            "--set",
            "generator.normalization=batch",
        ],
        "generator.normalization = \"batch\" needs two pictures a step or more, and with batch_size = 199 of 200 images a step has one: choose another batch_size",
    );
}
