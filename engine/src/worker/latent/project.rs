//! The noise that comes closest to a user's pictures.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use sparring_contract::protocol::{Closeness, Projected, TaskReply, write_frame};
use tch::{Device, Kind, Tensor};

use super::model::{Model, numbers};
use crate::data::{NamedImages, from_bytes, to_bytes, with_channels};
use crate::eval::Judge;
use crate::latent::{Query, SAMPLES, search};

/// What the pictures of a reply are.
const PARTS: [&str; 6] = ["picture", "nearest", "10", "30", "100", "found"];

pub(super) fn project(
    model: &Model,
    out: &mut impl Write,
    inputs: &[PathBuf],
    class: Option<u64>,
    seed: u64,
) -> anyhow::Result<()> {
    let [channels, height, width] = model.header.shape;
    if class.is_some() {
        model.class(class)?;
    }
    let side = u32::try_from(height).ok().filter(|_| height == width);
    for input in inputs {
        let NamedImages { images, names } = NamedImages::load(input, side)?;
        let found = [images.height, images.width].map(|side| side as i64);
        if found != [height, width] {
            bail!(
                "cannot use {}: its pictures are {}x{}, and the run makes pictures of {height}x{width}: resize them first",
                input.display(),
                found[0],
                found[1]
            );
        }
        let given = with_channels(&from_bytes(&images.tensor()), channels);
        let given = given.to_device(model.space.device());
        let total = names.len() as u64;
        let mut wire = Ok(());
        let query = Query {
            pictures: &given,
            missing: None,
            class: class.map(u64::cast_signed),
            seed,
        };
        let found = search(&model.space, &query, None, &mut |done| {
            let doing = "searching".to_owned();
            let counted = TaskReply::Counted { doing, done, total };
            wire = write_frame(out, &counted).and_then(|()| Ok(out.flush()?));
        });
        wire?;

        let pixels =
            |noise: &Tensor, classes: &Option<Tensor>| model.space.pixels(noise, classes.as_ref());
        let truth = to_bytes(&given).to_device(Device::Cpu);
        let made = pixels(&found.noise, &found.classes);
        let nearest = pixels(&found.nearest, &found.nearest_classes);
        let mut strip = vec![truth.shallow_clone(), nearest.shallow_clone()];
        strip.extend(found.way.iter().map(|noise| pixels(noise, &found.classes)));
        strip.push(made.shallow_clone());
        let strip = Tensor::stack(&strip, 1);
        let judge = model.judge();
        let [close, near] = [&made, &nearest].map(|pictures| closeness(pictures, &truth, judge));
        for (index, name) in names.into_iter().enumerate() {
            let row = index as i64;
            let projected = Projected {
                name,
                z: numbers(&found.noise.get(row)),
                class: found
                    .classes
                    .as_ref()
                    .and_then(|classes| u64::try_from(classes.int64_value(&[row])).ok()),
                found: close[index],
                nearest_sample: near[index],
                samples: SAMPLES.unsigned_abs(),
                pictures: model.message(&strip.get(row), &PARTS),
            };
            write_frame(out, &TaskReply::Projected(Box::new(projected)))
                .with_context(|| format!("cannot send {}", input.display()))?;
        }
    }
    Ok(())
}

/// How close each picture is to the true one, both `[n, channels, h, w]`, u8, on the CPU.
fn closeness(pictures: &Tensor, truth: &Tensor, judge: Option<&Judge>) -> Vec<Closeness> {
    let scaled = |of: &Tensor| of.to_kind(Kind::Float) / 255.0;
    let squares = (scaled(pictures) - scaled(truth)).square();
    let mse = numbers(&squares.mean_dim([1, 2, 3].as_slice(), false, Kind::Float));
    let judged = judge.map(|judge| {
        let [made, real] = [pictures, truth].map(|of| judge.classifier().predict(of));
        let apart = (made.features - real.features).square();
        let apart = apart
            .sum_dim_intlist([1].as_slice(), false, Kind::Double)
            .sqrt();
        (
            numbers(&apart),
            numbers(&made.classes.eq_tensor(&real.classes)),
        )
    });
    mse.iter()
        .enumerate()
        .map(|(index, mse)| Closeness {
            mse: f64::from(*mse),
            feature_distance: judged.as_ref().map(|(apart, _)| f64::from(apart[index])),
            same_label: judged.as_ref().map(|(_, same)| same[index] > 0.0),
        })
        .collect()
}
