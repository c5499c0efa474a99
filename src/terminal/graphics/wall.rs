//! Where pictures in pixels are on a screen of cells.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::{Graphics, Raster};
use crate::terminal::{Picture, Placed};

/// The pictures on a screen.
#[derive(Debug, Default)]
pub struct Wall {
    /// Where each hangs, and a digest of what it shows, in the order of their ids.
    hung: Vec<Hung>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hung {
    area: Rect,
    digest: u64,
}

impl Wall {
    /// Takes all pictures away, those that were forgotten as well: nobody knows what the terminal shows.
    pub fn strip(&mut self, graphics: Option<Graphics>, text: &mut String) {
        self.hung.clear();
        if let Some(graphics) = graphics {
            graphics.erase_all(text);
        }
    }

    /// Appends what takes away the pictures that are gone or will change, and draws those that are new, have changed, or
    /// whose cells have been drawn over. Only a picture whose cells are all there is drawn.
    pub fn rehang<'a>(
        &mut self,
        graphics: Graphics,
        (shown, next): (&Buffer, &Buffer),
        picture: impl Fn(Placed) -> Option<Picture<'a>>,
        text: &mut String,
    ) {
        let mut hung = Vec::new();
        for (placed, area) in whole(next) {
            let Some(picture) = picture(placed) else {
                continue;
            };
            let times = graphics.times(area.as_size(), &picture);
            let mut hasher = DefaultHasher::new();
            (picture.bytes(), times).hash(&mut hasher);
            let one = Hung {
                area,
                digest: hasher.finish(),
            };
            let id = hung.len();
            let stays = self.hung.get(id) == Some(&one)
                && area.positions().all(|at| shown.cell(at) == next.cell(at));
            if !stays {
                let _ = write!(text, "\x1b[{};{}H", area.y + 1, area.x + 1);
                let raster = Raster::of(&picture, times);
                graphics.draw(Some(name(id)), &raster, text);
            }
            hung.push(one);
        }
        for id in hung.len()..self.hung.len() {
            graphics.erase(name(id), text);
        }
        self.hung = hung;
    }
}

/// What the terminal calls a picture. Ids of other programs are hardly ever as high.
fn name(id: usize) -> u32 {
    u32::try_from(id).unwrap_or_default() + 0x5350_0000
}

/// The pictures of which every cell is there, and where.
fn whole(buffer: &Buffer) -> Vec<(Placed, Rect)> {
    let mut found: BTreeMap<Placed, (Rect, u32, Size)> = BTreeMap::new();
    for at in buffer.area.positions() {
        let Some((placed, size)) = buffer.cell(at).and_then(Placed::of) else {
            continue;
        };
        let cell = Rect::new(at.x, at.y, 1, 1);
        let (area, count, _) = found.entry(placed).or_insert((cell, 0, size));
        *area = area.union(cell);
        *count += 1;
    }
    found
        .into_iter()
        .filter(|(_, (area, count, size))| area.as_size() == *size && area.area() == *count)
        .map(|(placed, (area, ..))| (placed, area))
        .collect()
}
