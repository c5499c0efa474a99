//! The figures of a run that translates between two domains, beside plain methods.

use sparring_contract::protocol::{Direction, UnpairedReport};
use sparring_contract::text::printable;

use super::table::{aligned, cell};

/// The report for people; `subject` says what was evaluated.
pub(super) fn lines(subject: &str, report: &UnpairedReport) -> Vec<String> {
    let mut lines = vec![subject.to_owned()];
    for direction in &report.directions {
        let [from, to, against] =
            [&direction.from, &direction.to, &direction.against].map(|text| printable(text));
        lines.extend([
            String::new(),
            format!(
                "from {from} to {to}: {} {} pictures, compared with {against}; «there and back» is the PSNR of what comes \
                 back from {to}",
                direction.pictures,
                if direction.held_out {
                    "held-out"
                } else {
                    "training"
                },
            ),
        ]);
        lines.extend(table(direction, &to));
    }
    if let Some(left_out) = &report.left_out {
        lines.extend([String::new(), format!("left out: {}", printable(left_out))]);
    }
    lines
}

fn table(direction: &Direction, to: &str) -> Vec<String> {
    let is_judged = direction
        .methods
        .iter()
        .any(|method| method.taken.is_some());
    let judged = |text: String| is_judged.then_some(text);
    let heading = [
        Some(String::new()),
        judged(format!("taken for {to}")),
        Some("Fréchet / floor".to_owned()),
        Some("there and back dB".to_owned()),
    ];
    let rows = direction.methods.iter().map(|method| {
        [
            Some(printable(&method.words)),
            judged(cell(method.taken, |share| {
                format!("{:.1} %", share * 100.0)
            })),
            Some(cell(method.frechet, |times| format!("{times:.2} ×"))),
            Some(cell(method.back, |psnr| format!("{psnr:.2}"))),
        ]
    });
    let rows: Vec<Vec<_>> = [heading]
        .into_iter()
        .chain(rows)
        .map(|row| row.into_iter().flatten().collect())
        .collect();
    aligned(&rows)
}

#[cfg(test)]
mod tests {
    use sparring_contract::protocol::TranslatedBy;

    use super::*;

    #[test]
    fn each_direction_stands_beside_plain_methods_and_real_pictures() {
        let method = |words: &str, taken, frechet, back| TranslatedBy {
            name: String::new(),
            words: words.to_owned(),
            taken,
            frechet: Some(frechet),
            back,
        };
        let direction = |from: &str, to: &str, taken: Option<f64>| Direction {
            from: from.to_owned(),
            to: to.to_owned(),
            pictures: 980,
            held_out: taken.is_some(),
            against: "958 test pictures".to_owned(),
            methods: vec![
                method("this run", taken, 6.0, Some(17.25)),
                method("unchanged", taken.map(|_| 0.001), 141.5, None),
                method("real ones", taken.map(|_| 0.99), 1.0, None),
            ],
        };
        let report = UnpairedReport {
            directions: [
                direction("0", "6", Some(0.95)),
                direction("6", "0\u{1b}", None),
            ],
            left_out: Some("something".to_owned()),
        };
        insta::assert_snapshot!(lines("otter, seed 1", &report).join("\n"));
    }
}
