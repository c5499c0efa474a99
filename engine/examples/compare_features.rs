//! Compares features that need no labels with those of a judge: `compare_features DATA`, for labelled data that has a
//! judge (MNIST, or after `sparring judge train`). Some minutes. docs/JUDGE.md has the table.
//!
//! For every kind of features it prints the Fréchet distance of each control in multiples of that of real pictures, how
//! far the order of the controls agrees with the judge's (Spearman's rank correlation), the seconds that it takes to
//! prepare the features and to look at 2,000 pictures, and how much more 2,000 real pictures read than 10,000.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use sparring_engine::data::DataSource;
use sparring_engine::eval::{
    Defect, Gaussian, Judge, PICTURES, PatchFilters, RealData, Subject, judges, train,
};
use sparring_engine::native::no_grad;
use tch::{Device, Kind, Tensor};

/// Features `[n, d]`, f64, of pictures `[n, channels, height, width]`, u8.
type Features = Box<dyn Fn(&Tensor) -> Tensor>;

/// Pictures that a network is trained on, the same ones counted again.
const SEEN: i64 = 120_000;

fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        eprintln!("error: give a data set: mnist, or what `sparring judge train` was given");
        return ExitCode::FAILURE;
    };
    match compare(&name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn compare(name: &str) -> anyhow::Result<()> {
    let data = RealData::load(&DataSource::named(name), &mut |_| {})?;
    let judge = judges::find(&data.fingerprint)?.context("the data has no judge")?;
    let mut judge = Some(judge);
    let defects: Vec<_> = Defect::of(&data).collect();
    let controls: Vec<_> = defects
        .iter()
        .map(|defect| defect.pictures(&data))
        .collect();
    let names: Vec<_> = defects.iter().map(|defect| defect.name()).collect();
    println!("{:24} {}  rank  prepare  2000  bias", "", names.join("  "));

    let mut of_judge: Option<Vec<f64>> = None;
    for kind in [
        "judge",
        "pixels",
        "random convolutions",
        "patch filters",
        "network of clusters",
        "network of rotations",
    ] {
        let began = Instant::now();
        let features = match (kind, judge.take()) {
            (_, Some(judge)) => of_network(judge),
            ("pixels", _) => whitened(&data, pixels),
            ("random convolutions", _) => random_convolutions(&data),
            ("patch filters", _) => {
                let filters = PatchFilters::fitted(&data.training.pictures);
                Box::new(move |pictures: &Tensor| filters.features(pictures))
            }
            ("network of clusters", _) => of_clusters(&data),
            _ => of_rotations(&data),
        };
        let prepare = began.elapsed().as_secs_f64();
        let real = Gaussian::of(&features(&data.held_out.pictures));
        let distance = |pictures: &Tensor| Gaussian::of(&features(pictures)).distance(&real);
        let floor = distance(&data.training.narrow(0, PICTURES).pictures);
        let times: Vec<_> = controls.iter().map(|some| distance(some) / floor).collect();
        let began = Instant::now();
        let few = distance(&data.training.narrow(0, 2000).pictures);
        let quick = began.elapsed().as_secs_f64();
        let rank = of_judge
            .as_ref()
            .map_or(1.0, |judge| rank_correlation(judge, &times));
        let cells: Vec<_> = names
            .iter()
            .zip(&times)
            .map(|(name, times)| format!("{times:width$.1}", width = name.len()))
            .collect();
        println!(
            "{kind:24} {}  {rank:.2}  {prepare:7.1}  {quick:.2}  {:.2}",
            cells.join("  "),
            few / floor
        );
        of_judge.get_or_insert(times);
    }
    Ok(())
}

fn of_network(judge: Judge) -> Features {
    Box::new(move |pictures| judge.classifier().predict(pictures).features)
}

/// A judge's network, trained on labels that need nobody to give them.
fn trained(data: &RealData, pictures: &Tensor, labels: &Tensor, num_classes: i64) -> Features {
    let subject = Subject {
        shape: data.shape(),
        num_classes,
        pixels: data.pixel_statistics(),
    };
    let epochs = (SEEN / pictures.size()[0]).max(1);
    let network = train(3, epochs, subject, pictures, labels, |_, _| {});
    Box::new(move |pictures| network.predict(pictures).features)
}

/// The labels are 20 clusters of the pixels' components (k-means).
fn of_clusters(data: &RealData) -> Features {
    const CLUSTERS: i64 = 20;
    let points = whitened(data, pixels)(&data.training.pictures);
    let mut centres = points.narrow(0, 0, CLUSTERS).copy();
    let mut nearest = Tensor::zeros([points.size()[0]], (Kind::Int64, Device::Cpu));
    for _ in 0..15 {
        let squares = centres.square().sum_dim_intlist(1, false, Kind::Double);
        nearest = (squares - points.matmul(&centres.tr()) * 2.0).argmin(1, false);
        let members = nearest.one_hot(CLUSTERS).to_kind(Kind::Double);
        let counts = members.sum_dim_intlist(0, false, Kind::Double);
        centres = members.tr().matmul(&points) / counts.clamp_min(1.0).unsqueeze(1);
    }
    trained(data, &data.training.pictures, &nearest, CLUSTERS)
}

/// The labels say by how many quarter turns a picture was rotated (Gidaris et al. 2018,
/// <https://arxiv.org/abs/1803.07728>).
fn of_rotations(data: &RealData) -> Features {
    let some = data.training.narrow(0, 15_000).pictures;
    let turns = 0..4;
    let rotated: Vec<_> = turns.clone().map(|turn| some.rot90(turn, [2, 3])).collect();
    let labels: Vec<_> = turns
        .map(|turn| Tensor::full([some.size()[0]], turn, (Kind::Int64, Device::Cpu)))
        .collect();
    trained(data, &Tensor::cat(&rotated, 0), &Tensor::cat(&labels, 0), 4)
}

/// The 64 strongest principal components of what `raw` makes of pictures with values from 0 to 1, each scaled to a
/// variance of 1.
fn whitened(data: &RealData, raw: impl Fn(&Tensor) -> Tensor + 'static) -> Features {
    const COMPONENTS: i64 = 64;
    const CHUNK: i64 = 250;
    let points = move |pictures: &Tensor| {
        let parts: Vec<_> = pictures
            .split(CHUNK, 0)
            .iter()
            .map(|some| no_grad(|| raw(&(some.to_kind(Kind::Float) / 255.0))).to_kind(Kind::Double))
            .collect();
        Tensor::cat(&parts, 0)
    };
    let fitted = points(&data.training.narrow(0, PICTURES).pictures);
    let mean = fitted.mean_dim(0, true, Kind::Double);
    let centred = fitted - &mean;
    let covariance = centred.tr().matmul(&centred) / (centred.size()[0] - 1) as f64;
    let (values, vectors) = covariance.linalg_eigh("L");
    let all = values.size()[0];
    let kept = COMPONENTS.min(all);
    let deviations = values.narrow(0, all - kept, kept).clamp_min(1e-12).sqrt();
    let basis = vectors.narrow(1, all - kept, kept) / deviations.unsqueeze(0);
    Box::new(move |pictures| (points(pictures) - &mean).matmul(&basis))
}

fn pixels(pictures: &Tensor) -> Tensor {
    pictures.flatten(1, -1)
}

/// Three convolutions with random weights (He et al. 2015, <https://arxiv.org/abs/1502.01852>), every map averaged over a
/// grid of 4×4.
fn random_convolutions(data: &RealData) -> Features {
    const GRID: i64 = 4;
    const MAPS: i64 = 32;
    tch::manual_seed(7);
    let inputs = [data.shape()[0], MAPS, MAPS];
    let weights = inputs.map(|inputs| {
        let scale = (2.0 / (9 * inputs) as f64).sqrt();
        Tensor::randn([MAPS, inputs, 3, 3], (Kind::Float, Device::Cpu)) * scale
    });
    whitened(data, move |pictures| {
        let mut maps = pictures - 0.5;
        let averages: Vec<_> = weights
            .iter()
            .map(|weight| {
                let found = maps.conv2d(weight, None::<Tensor>, 1, 1, 1, 1).relu();
                maps = found.avg_pool2d([2, 2], [2, 2], [0, 0], false, true, None);
                found.adaptive_avg_pool2d([GRID, GRID]).flatten(1, -1)
            })
            .collect();
        Tensor::cat(&averages, 1)
    })
}

/// Spearman's rank correlation of numbers that are all different.
fn rank_correlation(a: &[f64], b: &[f64]) -> f64 {
    let rank = |of: &[f64], value: f64| of.iter().filter(|other| **other < value).count() as f64;
    let squares: f64 = a
        .iter()
        .zip(b)
        .map(|(x, y)| (rank(a, *x) - rank(b, *y)).powi(2))
        .sum();
    let count = a.len() as f64;
    1.0 - 6.0 * squares / (count * (count * count - 1.0))
}
