//! The figures of a run that makes pictures from pictures, beside plain methods.

use sparring_contract::protocol::{Fidelity, FidelityReport};
use sparring_contract::text::printable;

use super::table::{aligned, cell};

/// A column of the table.
struct Column {
    name: &'static str,
    of: fn(&Fidelity) -> Option<f64>,
    written: fn(f64) -> String,
}

const COLUMNS: [Column; 5] = [
    Column {
        name: "PSNR dB",
        of: |figures| Some(figures.psnr),
        written: |value| format!("{value:.2}"),
    },
    Column {
        name: "SSIM",
        of: |figures| Some(figures.ssim),
        written: |value| format!("{value:.3}"),
    },
    Column {
        name: "L1",
        of: |figures| Some(figures.l1),
        written: |value| format!("{value:.4}"),
    },
    Column {
        name: "label kept",
        of: |figures| figures.label_kept,
        written: |value| format!("{:.1} %", value * 100.0),
    },
    Column {
        name: "Fréchet / floor",
        of: |figures| figures.frechet,
        written: |value| format!("{value:.2} ×"),
    },
];

/// The report for people; `subject` says what was evaluated.
pub(super) fn lines(subject: &str, report: &FidelityReport) -> Vec<String> {
    let mut lines = vec![
        subject.to_owned(),
        format!(
            "{}: {} pictures made of what is left of {}{}",
            printable(&report.task),
            report.pictures,
            printable(&report.against),
            if report.missing_only {
                "; PSNR and L1 are of the missing pixels"
            } else {
                ""
            }
        ),
        String::new(),
    ];
    lines.extend(table(report));
    if let Some(diversity) = report.diversity {
        lines.extend([
            String::new(),
            format!(
                "two answers to the same question differ by {:.0} % of what an answer differs from the original by",
                diversity * 100.0
            ),
        ]);
    }
    if let Some(left_out) = &report.left_out {
        lines.extend([String::new(), format!("left out: {}", printable(left_out))]);
    }
    lines
}

fn table(report: &FidelityReport) -> Vec<String> {
    let columns: Vec<_> = COLUMNS
        .iter()
        .filter(|column| {
            let mut methods = report.methods.iter();
            methods.any(|method| (column.of)(&method.figures).is_some_and(f64::is_finite))
        })
        .collect();
    let heading = [String::new()]
        .into_iter()
        .chain(columns.iter().map(|column| column.name.to_owned()));
    let mut rows: Vec<Vec<String>> = vec![heading.collect()];
    for method in &report.methods {
        let cells = columns
            .iter()
            .map(|column| cell((column.of)(&method.figures), column.written));
        rows.push(
            [printable(&method.words)]
                .into_iter()
                .chain(cells)
                .collect(),
        );
    }
    aligned(&rows)
}

#[cfg(test)]
mod tests {
    use sparring_contract::protocol::MethodFigures;

    use super::*;

    #[test]
    fn a_run_stands_beside_plain_methods_and_the_originals() {
        let method = |words: &str, psnr, label_kept| MethodFigures {
            name: String::new(),
            words: words.to_owned(),
            figures: Fidelity {
                psnr,
                ssim: 0.9,
                l1: 0.012,
                label_kept,
                frechet: None,
            },
        };
        let report = FidelityReport {
            task: "enlarge, 4 times".to_owned(),
            pictures: 10_000,
            against: "10000 test digits".to_owned(),
            missing_only: false,
            methods: vec![
                method("this run", 19.5, Some(0.955)),
                method("bicubic interpolation", 14.6, Some(0.36)),
                method("the originals", f64::INFINITY, Some(0.994)),
            ],
            diversity: Some(0.1),
            left_out: None,
        };
        insta::assert_snapshot!(lines("otter, seed 1", &report).join("\n"));
    }
}
