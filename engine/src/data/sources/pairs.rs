//! Pairs: pictures in `b/`, and what each is to be made from in `a/`, under the same name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::layout::Item;
use super::loaded::{About, Loaded};
use crate::data::{DataError, Images, Part};

/// Matches pictures by their names, whatever their endings. Each needs its partner.
pub(super) fn paired(
    folder: &Path,
    items: &[Item],
    all: &Images,
    about: About,
) -> Result<Loaded, DataError> {
    let mut places: [BTreeMap<PathBuf, usize>; 2] = Default::default();
    for (place, item) in items.iter().enumerate() {
        let relative = &item.file.relative;
        let side = ["a", "b"]
            .iter()
            .position(|side| relative.starts_with(side));
        let name = side.and_then(|side| {
            let rest = relative.strip_prefix(["a", "b"][side]).ok()?;
            Some((side, rest.with_extension("")))
        });
        let Some((side, name)) = name else {
            return Err(DataError::unusable(
                &folder.join(relative),
                "it lies neither in a/ nor in b/, where pairs are looked for",
            ));
        };
        if places[side].insert(name, place).is_some() {
            return Err(DataError::unusable(
                &folder.join(relative),
                "another picture beside it has the same name and another ending",
            ));
        }
    }
    let [from, to] = &places;
    for (there, other, of) in [(from, to, "a"), (to, from, "b")] {
        if let Some(name) = there.keys().find(|name| !other.contains_key(*name)) {
            let missing = if of == "a" { "b" } else { "a" };
            return Err(DataError::unusable(
                &folder.join(of).join(name),
                format!("it has no partner of the same name in {missing}/"),
            ));
        }
    }
    if to.is_empty() {
        return Err(DataError::NoImages {
            path: folder.to_owned(),
        });
    }
    let select = |places: &BTreeMap<PathBuf, usize>| {
        let places: Vec<_> = places.values().copied().collect();
        all.select(&places)
    };
    Ok(Loaded {
        train: Part {
            images: select(to),
            labels: None,
            partners: Some(select(from)),
        },
        test: None,
        class_names: Vec::new(),
        about,
    })
}
