//! What a data set holds, in words.

use indicatif::HumanCount;
use sparring_contract::config::{Config, TaskKind, choose_preset};
use sparring_contract::protocol::DataReport;
use sparring_contract::text::printable;

/// Classes and skipped files that are listed at most.
const LISTED: usize = 20;

/// Columns that the name of a class takes before its count is pushed aside.
const WIDEST: usize = 40;

/// The report, a line each, fit for a terminal.
pub(super) fn lines(report: &DataReport, config: &Config) -> Vec<String> {
    let title = format!(
        "{}: {}, {} pictures",
        report.origin,
        report.kind,
        count(report.images)
    );
    let mut rows = vec![
        ("pictures", pictures(report)),
        ("split", split(report, config)),
    ];
    rows.extend(classes(report));
    rows.extend(skipped(report));
    rows.extend(report.notes.iter().map(|note| ("note", note.clone())));
    let (preset, reason) = choose_preset(&report.facts(), TaskKind::Generate);
    rows.push(("preset", format!("{preset}, chosen because {reason}")));
    let fingerprint = report.fingerprint.chars().take(16).collect();
    rows.push(("fingerprint", fingerprint));
    let rows = rows
        .into_iter()
        .map(|(name, text)| format!("  {name:<11}  {}", printable(&text)));
    std::iter::once(printable(&title)).chain(rows).collect()
}

fn count(number: u64) -> String {
    HumanCount(number).to_string()
}

/// The size of the pictures, and that of their files where it is another.
fn pictures(report: &DataReport) -> String {
    let (width, height) = (report.width, report.height);
    let colour = if report.channels == 3 {
        "in colour"
    } else {
        "grey"
    };
    let size = format!("{width}x{height}, {colour}");
    match report.source_sizes {
        Some(sizes) if sizes.smallest != sizes.largest => {
            let ([w, h], [x, y]) = (sizes.smallest, sizes.largest);
            let median = sizes.median_side;
            format!(
                "{size}; in their files from {w}x{h} to {x}x{y}, median of the smaller sides {median}"
            )
        }
        Some(sizes) if sizes.smallest != [width, height] => {
            let [w, h] = sizes.smallest;
            format!("{size}; in their files {w}x{h}")
        }
        _ => size,
    }
}

fn split(report: &DataReport, config: &Config) -> String {
    let train = count(report.images.saturating_sub(report.test_images));
    let test = count(report.test_images);
    match (report.test_images, report.held_out) {
        (0, _) => format!("{train} to train on, none to test with"),
        (_, false) => format!("{train} to train on, {test} to test with"),
        (_, true) => format!(
            "{train} to train on, {test} held out to test with (test_fraction {}, test_seed {})",
            config.test_fraction, config.test_seed
        ),
    }
}

fn classes(report: &DataReport) -> Vec<(&'static str, String)> {
    let number = match report.classes.len() {
        0 => "none".to_owned(),
        number => number.to_string(),
    };
    let mut rows = vec![("classes", number)];
    let listed = || report.classes.iter().take(LISTED);
    let names: Vec<_> = listed().map(|class| printable(&class.name)).collect();
    let width = |name: &String| name.chars().count().min(WIDEST);
    let width = names.iter().map(width).max().unwrap_or_default();
    for (name, class) in names.iter().zip(listed()) {
        rows.push(("", format!("{name:width$}  {:>9}", count(class.count))));
    }
    if report.classes.len() > LISTED {
        rows.push(("", format!("and {} more", report.classes.len() - LISTED)));
    }
    rows
}

fn skipped(report: &DataReport) -> Vec<(&'static str, String)> {
    let number = match report.skipped {
        0 => "none".to_owned(),
        1 => "1 file".to_owned(),
        skipped => format!("{} files", count(skipped)),
    };
    let mut rows = vec![("skipped", number)];
    let listed = report.skipped_files.iter().take(LISTED);
    let named = listed.len() as u64;
    rows.extend(listed.map(|file| ("", format!("{}: {}", file.name, file.reason))));
    if report.skipped > named {
        rows.push(("", format!("and {} more", count(report.skipped - named))));
    }
    rows
}

#[cfg(test)]
mod tests {
    use sparring_contract::config::{Request, resolve};
    use sparring_contract::protocol::{ClassCount, Skipped, SourceSizes};

    use super::*;

    fn report() -> DataReport {
        DataReport {
            origin: "pets".to_owned(),
            kind: "folder".to_owned(),
            images: 1234,
            test_images: 123,
            held_out: true,
            channels: 3,
            height: 32,
            width: 32,
            classes: Vec::new(),
            source_sizes: None,
            skipped: 0,
            skipped_files: Vec::new(),
            notes: Vec::new(),
            fingerprint: "0123456789abcdef0123".to_owned(),
            is_mnist: false,
            cached: false,
        }
    }

    fn said(report: &DataReport) -> String {
        lines(report, &resolve(&Request::default()).unwrap().config).join("\n")
    }

    #[test]
    fn a_small_report_says_what_there_is_and_what_there_is_not() {
        assert_eq!(
            said(&report()),
            "pets: folder, 1,234 pictures\n  \
             pictures     32x32, in colour\n  \
             split        1,111 to train on, 123 held out to test with (test_fraction 0.1, test_seed 0)\n  \
             classes      none\n  \
             skipped      none\n  \
             preset       few, chosen because the pictures are 32x32 in colour, without labels, and there are only 1234\n  \
             fingerprint  0123456789abcdef"
        );
    }

    #[test]
    fn long_lists_are_cut_and_counted_and_nothing_is_obeyed_by_a_terminal() {
        let mut long = report();
        long.classes = (0..25)
            .map(|class| ClassCount {
                name: format!("\x1b{class}"),
                count: class,
            })
            .collect();
        long.skipped = 4000;
        long.skipped_files = vec![Skipped {
            name: "a\nb.png".to_owned(),
            reason: "it is\x07 empty".to_owned(),
        }];
        long.notes = vec!["\u{9b}31m".to_owned()];
        let said = said(&long);
        assert!(
            said.contains(r"\u{1b}19") && !said.contains(r"\u{1b}20"),
            "{said}"
        );
        assert!(said.contains("and 5 more"), "{said}");
        assert!(said.contains(r"a\nb.png: it is\u{7} empty"), "{said}");
        assert!(said.contains("and 3,999 more"), "{said}");
        assert!(
            said.chars()
                .all(|letter| letter == '\n' || !letter.is_control()),
            "{said}"
        );
    }

    #[test]
    fn sizes_of_files_are_told_where_they_are_others() {
        let sizes = |smallest, largest| {
            let source_sizes = Some(SourceSizes {
                smallest,
                largest,
                median_side: 40,
            });
            pictures(&DataReport {
                source_sizes,
                ..report()
            })
        };
        assert_eq!(sizes([32, 32], [32, 32]), "32x32, in colour");
        assert_eq!(
            sizes([64, 64], [64, 64]),
            "32x32, in colour; in their files 64x64"
        );
        assert_eq!(
            sizes([30, 40], [90, 70]),
            "32x32, in colour; in their files from 30x40 to 90x70, median of the smaller sides 40"
        );
    }
}
