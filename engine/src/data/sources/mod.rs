//! The kinds of data that are read: each becomes pictures of one size.

mod array;
mod classes;
mod folder;
mod found;
mod idx;
mod idx_format;
mod labels;
mod layout;
mod loaded;
mod mnist;
mod npy;
mod npz;
mod pairs;
mod picture;
mod sheet;
mod shrink;
mod walk;

pub(super) use found::{embedded, find};
pub(super) use idx::{find_images as find_idx_images, has_idx_files};
pub(super) use idx_format::read_images as read_idx_images;
pub(super) use loaded::{About, Loaded, MOST_BYTES};
pub(super) use mnist::load as load_mnist;
pub(super) use npz::read_samples;
pub(super) use picture::{Limits, decode};
pub(super) use shrink::{Square, collate};
pub(super) use walk::{Stamp, is_picture_name, walk};
