//! A sprite sheet: one picture file, cut into square tiles.

use std::path::Path;

use sparring_contract::config::DataSource;

use super::loaded::{About, Loaded, check_bytes, default_side};
use super::picture::{Limits, decode};
use super::shrink::{Flat, collate};
use crate::data::parallel::{Progress, map};
use crate::data::{DataError, Part};

/// Cuts the tiles row by row. Tiles of one colour alone are empty places of the sheet, and are left out.
pub(super) fn load(
    path: &Path,
    source: &DataSource,
    progress: &mut dyn FnMut(Progress),
) -> Result<Loaded, DataError> {
    let sheet = decode(path, source.background, &Limits::default())
        .map_err(|why| DataError::unusable(path, why))?
        .reduced(source.channels);
    let tile = source.tile;
    let (columns, rows) = (sheet.width / tile, sheet.height / tile);
    if columns == 0 || rows == 0 {
        return Err(DataError::unusable(
            path,
            format!(
                "the sheet is {}x{}, smaller than a tile of {tile}x{tile}: set tile to the side of its tiles",
                sheet.width, sheet.height
            ),
        ));
    }
    let side = match source.image_size {
        0 => default_side(tile),
        side => side,
    };
    check_bytes(
        path,
        columns as usize * rows as usize,
        [sheet.channels, side as usize, side as usize],
    )?;
    let places: Vec<_> = (0..rows)
        .flat_map(|row| (0..columns).map(move |column| (column * tile, row * tile)))
        .collect();
    let work = |&(left, top): &(u32, u32)| {
        let pixels = sheet.part(left, top, tile);
        let mut colours = pixels.chunks(sheet.channels);
        let first = colours.next();
        let is_blank = colours.all(|colour| Some(colour) == first);
        let flat = Flat {
            channels: sheet.channels,
            width: tile,
            height: tile,
            pixels,
        };
        (!is_blank).then(|| flat.reduced(source.channels).square(side))
    };
    let tiles = map("cutting tiles", &places, work, progress);
    let squares: Vec<_> = tiles.into_iter().flatten().collect();
    if squares.is_empty() {
        return Err(DataError::unusable(path, "all its tiles are of one colour"));
    }
    let mut about = About::of("sprite sheet");
    let blank = places.len() - squares.len();
    if blank > 0 {
        about
            .notes
            .push(format!("{blank} tiles of one colour alone were left out"));
    }
    let (across, down) = (sheet.width % tile, sheet.height % tile);
    if across > 0 || down > 0 {
        about.warnings.push(format!(
            "tiles of {tile} do not fill the sheet of {}x{}: {across} pixels on the right and {down} at the bottom are \
             left out",
            sheet.width, sheet.height
        ));
    }
    Ok(Loaded {
        train: Part {
            partners: None,
            images: collate(squares, source.channels, [side as usize; 2]),
            labels: None,
        },
        test: None,
        class_names: Vec::new(),
        about,
    })
}
