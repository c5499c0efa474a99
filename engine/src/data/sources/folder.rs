//! A folder of pictures.

use std::path::Path;

use sparring_contract::config::DataSource;
use sparring_contract::protocol::SourceSizes;

use super::classes::{self, index};
use super::layout::{Item, items};
use super::loaded::{About, Loaded, check_bytes, default_side};
use super::pairs;
use super::picture::{Limits, decode, size};
use super::shrink::{Square, collate};
use super::walk::Walk;
use crate::data::parallel::{Progress, map};
use crate::data::{DataError, Images, Part};

/// A picture and its size before it was brought to the one of all.
type Decoded = (Square, [u32; 2]);

pub(super) fn load(
    path: &Path,
    walk: &Walk,
    source: &DataSource,
    progress: &mut dyn FnMut(Progress),
) -> Result<Loaded, DataError> {
    let mut about = About::of("folder");
    for (relative, reason) in &walk.bad {
        about.skip(relative, reason.clone());
    }
    let items = items(walk, &mut about)?;
    about.check(path, items.len())?;
    let side = match source.image_size {
        0 => side_of(&items, progress),
        side => side,
    };
    check_bytes(path, items.len(), [3, side as usize, side as usize])?;

    let limits = Limits::default();
    let work = |item: &Item| -> Result<Decoded, String> {
        let flat = decode(&item.file.path, source.background, &limits)?;
        let own = [flat.width, flat.height];
        Ok((flat.reduced(source.channels).square(side), own))
    };
    let decoded = map("decoding pictures", &items, work, progress);

    let mut good = Vec::new();
    let mut squares = Vec::new();
    let mut source_sizes = Vec::new();
    for (item, decoded) in items.into_iter().zip(decoded) {
        match decoded {
            Ok((square, own)) => {
                good.push(item);
                squares.push(square);
                source_sizes.push(own);
            }
            Err(reason) => about.skip(&item.file.relative, reason),
        }
    }
    about.skipped_files.sort_by(|a, b| a.name.cmp(&b.name));
    about.check(path, good.len())?;
    about.source_sizes = Some(summary(&source_sizes));
    mention(walk, &mut about);
    let all = collate(squares, source.channels, [side as usize; 2]);
    if source.pairs {
        return pairs::paired(path, &good, &all, about);
    }
    Ok(parted(&good, all, about))
}

/// The default side for these pictures, by what their headers say.
fn side_of(items: &[Item], progress: &mut dyn FnMut(Progress)) -> u32 {
    let headers = map(
        "measuring pictures",
        items,
        |item| size(&item.file.path),
        progress,
    );
    let mut short: Vec<_> = headers.iter().flatten().map(|(w, h)| *w.min(h)).collect();
    default_side(median(&mut short))
}

/// The lower median; 0 of nothing.
fn median(numbers: &mut [u32]) -> u32 {
    numbers.sort_unstable();
    numbers
        .get(numbers.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or_default()
}

/// The extremes of widths and heights.
fn summary(sizes: &[[u32; 2]]) -> SourceSizes {
    let area = |[width, height]: &&[u32; 2]| u64::from(*width) * u64::from(*height);
    let short = sizes.iter().map(|[width, height]| *width.min(height));
    let mut short: Vec<_> = short.collect();
    SourceSizes {
        smallest: sizes.iter().min_by_key(area).copied().unwrap_or_default(),
        largest: sizes.iter().max_by_key(area).copied().unwrap_or_default(),
        median_side: median(&mut short),
    }
}

/// Says what was passed over besides bad files.
fn mention(walk: &Walk, about: &mut About) {
    let (count, first) = &walk.others;
    if *count > 0 {
        let files = if *count == 1 { "file" } else { "files" };
        about.notes.push(format!(
            "{count} {files} that are no pictures by their names were passed over, first {}",
            first.display()
        ));
    }
    for repeated in &walk.repeated {
        about.warnings.push(format!(
            "{} is a link to a folder that was read already: it is passed over",
            repeated.display()
        ));
    }
}

/// The pictures as parts, with their classes as indices.
fn parted(items: &[Item], all: Images, mut about: About) -> Loaded {
    let places = |is_test: bool| -> Vec<usize> {
        let places = items.iter().enumerate();
        places
            .filter(|(_, item)| item.is_test == is_test)
            .map(|(place, _)| place)
            .collect()
    };
    let (train, test) = (places(false), places(true));
    let names = |places: &[usize]| -> Option<Vec<String>> {
        places
            .iter()
            .map(|place| items[*place].class.clone())
            .collect()
    };
    let indexed = names(&train)
        .zip(names(&test))
        .map(|(train, test)| index(&train, &test));
    let (class_names, labels) = match indexed {
        Some(Some(indexed)) if indexed.labels.len() > 1 => {
            (indexed.labels, Some((indexed.train, indexed.test)))
        }
        Some(None) => {
            about.warnings.push(classes::too_many());
            (Vec::new(), None)
        }
        _ => (Vec::new(), None),
    };
    let (of_train, of_test) = labels.unzip();
    // A data set whose training folder is empty still has its pictures.
    let (train, test) = match (train.is_empty(), test.is_empty()) {
        (_, true) => (part(all, of_train), None),
        (true, false) => (part(all, of_test), None),
        (false, false) => (
            part(all.select(&train), of_train),
            Some(part(all.select(&test), of_test)),
        ),
    };
    Loaded {
        train,
        test,
        class_names,
        about,
    }
}

fn part(images: Images, labels: Option<Vec<u16>>) -> Part {
    Part {
        images,
        labels,
        partners: None,
    }
}
