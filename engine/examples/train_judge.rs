//! Trains a judge anew: `make judge`, or `train_judge SEED FILE`. `train_judge FILE` keeps the weights of one that is
//! there, and measures with them what a report holds pictures against.

use std::process::ExitCode;

use sparring_engine::eval::Judge;

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
    let mut tell = |doing: &str| {
        // Of what goes on in a control its end is enough.
        if !doing.ends_with('%') || doing.ends_with("100 %") {
            eprintln!("{doing}");
        }
    };
    let (path, bytes) = match arguments {
        [seed, path] => (path, Judge::make(seed.parse()?, &mut tell)?),
        [path] => (path, Judge::measure(&std::fs::read(path)?, &mut tell)?),
        _ => anyhow::bail!("give a seed and the file to write, or a file to measure anew"),
    };
    std::fs::write(path, &bytes)?;
    let judge = Judge::read(&bytes)?;
    let about = judge.about();
    println!(
        "{path}: {} bytes, {:.2} % of the test digits right, bias {:.0}/n",
        bytes.len(),
        about.accuracy * 100.0,
        about.bias
    );
    for control in &about.controls {
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
