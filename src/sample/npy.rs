//! The header of an array for `numpy.load`.

/// The header of an array of bytes in C order, version 1.0
/// (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).
pub fn header(shape: &[u64]) -> Vec<u8> {
    let sizes: Vec<_> = shape.iter().map(u64::to_string).collect();
    let mut about = format!(
        "{{'descr': '|u1', 'fortran_order': False, 'shape': ({}), }}",
        sizes.join(", ")
    );
    // Magic, version and length take 10 bytes; with the line end, the header fills whole blocks of 64 bytes.
    let padded = (10 + about.len() + 1).next_multiple_of(64) - 11;
    about.extend(std::iter::repeat_n(' ', padded - about.len()));
    about.push('\n');
    let length = u16::try_from(about.len()).unwrap_or(u16::MAX);
    [
        b"\x93NUMPY\x01\x00".as_slice(),
        &length.to_le_bytes(),
        about.as_bytes(),
    ]
    .concat()
}

/// Puts the channels of a picture `[channels, height, width]` last, as NumPy's users expect them.
pub fn channels_last(picture: &[u8], channels: usize, turned: &mut Vec<u8>) {
    turned.clear();
    let plane = picture.len() / channels.max(1);
    for pixel in 0..plane {
        turned.extend(picture.iter().skip(pixel).step_by(plane));
    }
}

/// The sizes of an array of pictures: `[n, height, width]`, or `[n, height, width, channels]` in colour.
pub fn sizes(count: u64, (channels, height, width): (u32, u32, u32)) -> Vec<u64> {
    let mut sizes = vec![count, height.into(), width.into()];
    if channels > 1 {
        sizes.push(channels.into());
    }
    sizes
}
