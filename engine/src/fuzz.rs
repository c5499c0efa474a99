//! Mutated examples of the files that people point the worker at.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;

use sparring_contract::config::{Config, DataSource, Request, resolve};
use sparring_contract::run::{CheckpointHeader, seal};
use sparring_fuzz::fuzz;
use tch::Device;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::data::{DataBundle, Images};
use crate::gan::{Noise, PictureSpec, Sampler};
use crate::trainer::load_checkpoint;

/// Reads a path as data to train on, and as pictures to judge. Returns whether it is one of them.
fn read(path: &Path) -> bool {
    let source = DataSource::named(path.to_str().unwrap());
    let data = DataBundle::uncached(&source);
    if let Ok(data) = &data {
        let _ = data.report();
        let _ = data.warnings();
    }
    Images::load_samples(path).is_ok() || data.is_ok()
}

#[test]
fn idx() {
    let folder = tempfile::tempdir().unwrap();
    let (images, labels) = (
        folder.path().join("train-images-idx3-ubyte"),
        folder.path().join("train-labels-idx1-ubyte"),
    );
    let sound = include_bytes!("../../fuzz/corpus/idx/images");
    fuzz("idx", |bytes| {
        fs::write(&images, bytes).unwrap();
        let _ = fs::remove_file(&labels);
        let as_images = read(folder.path());
        fs::remove_file(&images).unwrap();
        let zipped = folder.path().join("train-images-idx3-ubyte.gz");
        fs::write(&zipped, bytes).unwrap();
        let as_zipped = read(folder.path());
        fs::remove_file(zipped).unwrap();
        fs::write(&images, sound).unwrap();
        fs::write(&labels, bytes).unwrap();
        let as_labels = read(folder.path());
        as_images || as_zipped || as_labels
    });
}

#[test]
fn npz() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.npz");
    fuzz("npz", |bytes| {
        fs::write(&path, bytes).unwrap();
        read(&path)
    });
}

#[test]
fn an_array_in_an_npz() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.npz");
    fuzz("npy", |bytes| {
        // In an archive whose sums fit, or nothing in it would ever be looked at.
        let archived = |name: &str| {
            let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
            let options = SimpleFileOptions::default();
            zip.start_file(name, options).unwrap();
            zip.write_all(bytes).unwrap();
            if name == "train_labels.npy" {
                zip.start_file("train_images.npy", options).unwrap();
                zip.write_all(include_bytes!("../../fuzz/corpus/npy/images.npy"))
                    .unwrap();
            }
            fs::write(&path, zip.finish().unwrap().into_inner()).unwrap();
            read(&path)
        };
        let as_images = archived("train_images.npy");
        archived("train_labels.npy") || as_images
    });
}

#[test]
fn pictures() {
    let folder = tempfile::tempdir().unwrap();
    let sound = include_bytes!("../../fuzz/corpus/pictures/grey.png");
    fs::create_dir(folder.path().join("cats")).unwrap();
    fs::write(folder.path().join("cats/sound.png"), sound).unwrap();
    fuzz("pictures", |bytes| {
        let path = folder.path().join("cats/other.png");
        fs::write(&path, bytes).unwrap();
        read(folder.path())
    });
}

#[test]
fn tables_of_labels() {
    let folder = tempfile::tempdir().unwrap();
    let sound = include_bytes!("../../fuzz/corpus/pictures/grey.png");
    for name in ["a.png", "b.png"] {
        fs::write(folder.path().join(name), sound).unwrap();
    }
    fuzz("labels", |bytes| {
        fs::write(folder.path().join("labels.csv"), bytes).unwrap();
        read(folder.path())
    });
}

#[test]
fn a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("step-000000006.safetensors");
    let known: Config = resolve(&Request::default()).unwrap().config;
    fuzz("checkpoint", |bytes| {
        // With a digest that fits, or nothing behind it would ever be looked at.
        let mut bytes = bytes.to_vec();
        seal(&mut bytes);
        fs::write(&path, &bytes).unwrap();
        let Ok(header) = CheckpointHeader::read_intact(&path) else {
            return false;
        };
        let Ok(state) = load_checkpoint(&path, &header) else {
            return false;
        };
        let mut is_understood = false;
        for config in [&header.config, &known] {
            let spec = PictureSpec::new(config, header.shape, &header.class_names);
            if let Ok(mut sampler) = Sampler::new(config, spec, &state, Device::Cpu) {
                let mut noise = Noise::seeded(1, config.latent_dim);
                let pictures = sampler.sample(&noise.draw(2));
                assert_eq!(pictures.size()[0], 2);
                is_understood = true;
            }
        }
        is_understood
    });
}
