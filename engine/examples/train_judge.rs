//! Trains MNIST's judges anew: `make judge`, or `train_judge SEED FILE`. `train_judge FILE` keeps the weights of a
//! judge, and measures its floor and controls again.

use std::process::ExitCode;

use sparring_engine::eval::{Judge, RealData};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match make(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn make(arguments: &[String]) -> anyhow::Result<()> {
    let mut progress = |words: &str, done: u64, total: u64| eprintln!("{done} of {total}: {words}");
    let data = RealData::mnist()?;
    let (path, judge) = match arguments {
        [seed, path] => (path, Judge::train(&data, seed.parse()?, &mut progress)?),
        [path] => {
            let judge = Judge::read(&std::fs::read(path)?)?;
            (path, judge.measured_again(&data, &mut progress))
        }
        _ => anyhow::bail!("give a seed and the file to write, or a file to measure again"),
    };
    let bytes = judge.write()?;
    std::fs::write(path, &bytes)?;
    let record = judge.record();
    println!(
        "{path}: {} bytes, {:.2} % of the test digits right, bias {:.0}/n",
        bytes.len(),
        record.accuracy * 100.0,
        record.bias
    );
    for control in &record.controls {
        let figures = &control.figures;
        let shown = |value: Option<f64>| value.unwrap_or(f64::NAN);
        println!(
            "{:18} {:7.1} × floor  fine {:8.3}  recall {:.3}  coverage {:.3}  classes {:.3}  nearest {:.3}  confidence {:.3}",
            control.name,
            shown(figures.frechet) / control.floor,
            shown(figures.fine),
            shown(figures.recall),
            shown(figures.coverage),
            shown(figures.class_variation),
            shown(figures.nearest),
            shown(figures.confidence),
        );
    }
    Ok(())
}
