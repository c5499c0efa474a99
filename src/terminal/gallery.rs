//! Lays out pictures: as many as fit, as large as they fit.

use ratatui::layout::{Rect, Size};

use super::{Brush, Colors, Render, Scale};

/// Which pictures to lay out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// How many there are.
    pub count: usize,
    /// So many in a row belong together: they stand below each other, or beside each other where that shows more, and
    /// none without the others.
    pub group: usize,
    /// If so many can be shown larger, the others may be left out.
    pub enough: usize,
}

/// Rows of whole pictures with a blank column and row between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gallery {
    /// How the pictures are drawn.
    pub brush: Brush,
    /// Pictures in a row.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// The place of each picture, row by row; empty if not even one fits.
    pub places: Vec<Rect>,
}

impl Wanted {
    /// All of so many pictures.
    pub fn all(count: usize, group: usize) -> Self {
        Self {
            count,
            group,
            enough: count,
        }
    }
}

impl Gallery {
    /// Lays out pictures of `width`×`height` pixels from the top left of an area: at the largest scale at which enough of
    /// them have room, or else as many as fit at the smallest scale.
    pub fn within(
        area: Rect,
        Wanted {
            count: wanted,
            group,
            enough,
        }: Wanted,
        (width, height): (usize, usize),
        render: Render,
        colors: Colors,
    ) -> Self {
        let brush = |scale| Brush {
            render,
            scale,
            colors,
        };
        let at = |scale| {
            let brush = brush(scale);
            let each = brush.cells(width, height);
            let [below, beside] = [Along::Down, Along::Across].map(|along| {
                Self::at(
                    area,
                    wanted,
                    &Group {
                        of: group,
                        along,
                        each,
                    },
                    brush,
                )
            });
            if beside.places.len() > below.places.len() {
                beside
            } else {
                below
            }
        };
        let mut choices = Scale::choices(render, width, height).map(at).peekable();
        while let Some(gallery) = choices.next() {
            if gallery.places.len() >= enough || choices.peek().is_none() {
                return gallery;
            }
        }
        at(Scale::Full)
    }

    /// Lays out up to `wanted` pictures in groups, as square as there is room for.
    fn at(area: Rect, wanted: usize, group: &Group, brush: Brush) -> Self {
        let (across, down) = group.pictures();
        let wanted = wanted / group.of.max(1);
        let columns_there = fitting(area.width, group.each.width) / across;
        let rows_there = fitting(area.height, group.each.height) / down;
        let mut columns = square_side(wanted).min(columns_there);
        let mut rows = rows_for(wanted, columns).min(rows_there);
        if rows > 0 && columns * rows < wanted {
            columns = wanted.div_ceil(rows).min(columns_there);
            rows = rows_for(wanted, columns).min(rows_there);
        }
        let places = (0..wanted.min(columns * rows))
            .flat_map(|index| {
                let (column, row) = (index % columns * across, index / columns * down);
                (0..group.of).map(move |part| match group.along {
                    Along::Down => place(area, group.each, column, row + part),
                    Along::Across => place(area, group.each, column + part, row),
                })
            })
            .collect();
        Self {
            brush,
            columns: columns * across,
            rows: rows * down,
            places,
        }
    }

    /// The smallest area that holds all the pictures.
    pub fn bounds(&self) -> Rect {
        self.places
            .iter()
            .copied()
            .reduce(Rect::union)
            .unwrap_or_default()
    }
}

/// Pictures that stand together.
struct Group {
    /// How many, at least 1.
    of: usize,
    along: Along,
    /// Cells of one of them.
    each: Size,
}

/// Where the next picture of a group stands.
#[derive(Clone, Copy)]
enum Along {
    Down,
    Across,
}

impl Group {
    /// Its pictures across and down.
    fn pictures(&self) -> (usize, usize) {
        match self.along {
            Along::Down => (1, self.of.max(1)),
            Along::Across => (self.of.max(1), 1),
        }
    }
}

/// How many pictures of this side fit beside each other, one blank cell between them.
pub fn fitting(space: u16, side: u16) -> usize {
    if side == 0 {
        0
    } else {
        (usize::from(space) + 1) / (usize::from(side) + 1)
    }
}

/// The number of columns of the squarest grid for this many pictures.
pub fn square_side(count: usize) -> usize {
    let root = count.isqrt();
    if root * root == count { root } else { root + 1 }
}

fn rows_for(wanted: usize, columns: usize) -> usize {
    if columns == 0 {
        0
    } else {
        wanted.div_ceil(columns)
    }
}

fn place(area: Rect, each: Size, column: usize, row: usize) -> Rect {
    let offset = |index: usize, side: u16| {
        u16::try_from(index * (usize::from(side) + 1)).unwrap_or(u16::MAX)
    };
    Rect {
        x: area.x.saturating_add(offset(column, each.width)),
        y: area.y.saturating_add(offset(row, each.height)),
        width: each.width,
        height: each.height,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn digits(
        width: u16,
        height: u16,
        wanted: usize,
        render: Render,
    ) -> (Scale, usize, usize, usize) {
        let area = Rect::new(3, 2, width, height);
        let gallery = Gallery::within(area, Wanted::all(wanted, 1), (28, 28), render, Colors::True);
        (
            gallery.brush.scale,
            gallery.columns,
            gallery.rows,
            gallery.places.len(),
        )
    }

    #[test]
    fn sixteen_digits_are_four_by_four_at_the_larger_scale_that_fits() {
        assert_eq!(digits(115, 59, 16, Render::Half), (Scale::Full, 4, 4, 16));
        assert_eq!(digits(115, 58, 16, Render::Half), (Scale::Half, 4, 4, 16));
        assert_eq!(digits(59, 31, 16, Render::Half), (Scale::Half, 4, 4, 16));
        assert_eq!(digits(59, 31, 16, Render::Braille), (Scale::Full, 4, 4, 16));
    }

    #[test]
    fn a_small_area_shows_as_many_as_fit() {
        assert_eq!(digits(44, 19, 16, Render::Half), (Scale::Half, 3, 2, 6));
        assert_eq!(digits(14, 7, 16, Render::Half), (Scale::Half, 1, 1, 1));
        assert_eq!(digits(13, 7, 16, Render::Half).3, 0);
        assert_eq!(digits(0, 0, 16, Render::Half).3, 0);
    }

    #[test]
    fn a_wide_or_high_area_is_used_all_the_same() {
        assert_eq!(digits(200, 16, 16, Render::Half), (Scale::Half, 8, 2, 16));
        assert_eq!(digits(14, 200, 16, Render::Half), (Scale::Half, 1, 16, 16));
        assert_eq!(digits(60, 14, 2, Render::Half), (Scale::Full, 2, 1, 2));
    }

    #[test]
    fn larger_pictures_shrink_until_they_fit_but_not_beyond_recognition() {
        let of = |side, width, height| {
            let area = Rect::new(0, 0, width, height);
            let gallery = Gallery::within(
                area,
                Wanted::all(16, 1),
                (side, side),
                Render::Half,
                Colors::True,
            );
            (gallery.brush.scale, gallery.places.len())
        };
        assert_eq!(of(64, 259, 131), (Scale::Full, 16));
        assert_eq!(of(64, 131, 67), (Scale::Half, 16));
        assert_eq!(of(64, 91, 47), (Scale::Third, 16));
        assert_eq!(of(64, 67, 35), (Scale::Quarter, 16));
        assert_eq!(of(64, 50, 17), (Scale::Quarter, 6));
        assert_eq!(of(48, 67, 35), (Scale::Third, 16));
        assert_eq!(of(32, 67, 35), (Scale::Half, 16));
        assert_eq!(of(32, 50, 17), (Scale::Half, 6));
        assert_eq!(of(8, 8, 4), (Scale::Full, 1));
    }

    #[test]
    fn where_a_few_are_enough_they_are_shown_larger() {
        let of = |width, height| {
            let area = Rect::new(0, 0, width, height);
            let few = Wanted {
                enough: 4,
                ..Wanted::all(16, 1)
            };
            let gallery = Gallery::within(area, few, (28, 28), Render::Half, Colors::True);
            (gallery.brush.scale, gallery.places.len())
        };
        assert_eq!(of(117, 29), (Scale::Full, 8));
        assert_eq!(of(57, 29), (Scale::Full, 4));
        assert_eq!(of(57, 28), (Scale::Half, 9));
    }

    #[test]
    fn in_pixels_every_whole_number_is_a_scale() {
        let of = |width, height| {
            let area = Rect::new(0, 0, width, height);
            let render = Render::Pixels((9, 18));
            let all = Wanted::all(16, 1);
            let gallery = Gallery::within(area, all, (28, 28), render, Colors::True);
            (gallery.brush.scale, gallery.places.len())
        };
        assert_eq!(of(117, 30), (Scale::Times(5), 16));
        assert_eq!(of(59, 31), (Scale::Times(4), 16));
        assert_eq!(of(20, 5), (Scale::Times(2), 2));
    }

    #[test]
    fn pictures_keep_a_blank_between_them() {
        let gallery = Gallery::within(
            Rect::new(3, 2, 59, 31),
            Wanted::all(16, 1),
            (28, 28),
            Render::Half,
            Colors::True,
        );
        assert_eq!(gallery.places[0], Rect::new(3, 2, 14, 7));
        assert_eq!(gallery.places[5], Rect::new(18, 10, 14, 7));
        assert_eq!(gallery.bounds(), Rect::new(3, 2, 59, 31));
    }

    #[test]
    fn pictures_that_belong_together_stand_together_and_none_is_left_out() {
        let of = |width, height| {
            let area = Rect::new(0, 0, width, height);
            let gallery = Gallery::within(
                area,
                Wanted::all(48, 3),
                (28, 28),
                Render::Half,
                Colors::True,
            );
            (gallery.columns, gallery.rows, gallery.places)
        };
        let (columns, rows, places) = of(59, 23);
        assert_eq!(
            (columns, rows, places.len()),
            (4, 3, 12),
            "below each other"
        );
        assert_eq!(
            places[..2],
            [Rect::new(0, 0, 14, 7), Rect::new(0, 8, 14, 7)]
        );
        let (columns, rows, places) = of(44, 15);
        assert_eq!(
            (columns, rows, places.len()),
            (3, 2, 6),
            "beside each other"
        );
        assert_eq!(places[1], Rect::new(15, 0, 14, 7));
        assert!(of(43, 22).2.is_empty());
    }

    proptest! {
        #[test]
        fn every_place_lies_within_the_area_and_no_two_meet(
            (x, y, width, height) in (any::<u16>(), any::<u16>(), 0..300u16, 0..300u16),
            (wanted, group) in (0..70usize, 1..5usize),
            picture in (0..70usize, 0..70usize),
        ) {
            let area = Rect::new(x, y, width.min(u16::MAX - x), height.min(u16::MAX - y));
            let wanted_of_group = Wanted::all(wanted, group);
            let gallery =
                Gallery::within(area, wanted_of_group, picture, Render::Half, Colors::None);
            prop_assert!(gallery.places.len() <= wanted);
            prop_assert_eq!(gallery.places.len() % group, 0);
            for (index, place) in gallery.places.iter().enumerate() {
                prop_assert_eq!(area.intersection(*place), *place);
                prop_assert!(gallery.places[..index].iter().all(|other| !other.intersects(*place)));
            }
        }
    }
}
