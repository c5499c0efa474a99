//! Pictures of twice and of half the side.

use std::ffi::c_char;

use tch::Tensor;
use torch_sys::C_tensor;

use super::made;

unsafe extern "C" {
    fn sparring_upsampled(out: *mut *mut C_tensor, pictures: *const C_tensor) -> *mut c_char;
    fn sparring_downsampled(out: *mut *mut C_tensor, pictures: *const C_tensor) -> *mut c_char;
}

/// Pictures `[n, c, h, w]` of twice the side, by bilinear interpolation: `[n, c, 2h, 2w]`, as
/// `torch.nn.functional.interpolate` makes them. Differentiable any number of times.
///
/// # Panics
/// If the tensor does not have four dimensions.
pub fn upsampled(pictures: &Tensor) -> Tensor {
    // SAFETY: the tensor is live.
    made(|out| unsafe { sparring_upsampled(out, pictures.as_ptr()) })
}

/// Pictures `[n, c, h, w]` of half the side, filtered by `[1 3 3 1] / 8` in both directions with the edge repeated:
/// `[n, c, h/2, w/2]`. Differentiable any number of times.
///
/// # Panics
/// If the tensor does not have four dimensions, or a side is odd.
pub fn downsampled(pictures: &Tensor) -> Tensor {
    // SAFETY: the tensor is live.
    made(|out| unsafe { sparring_downsampled(out, pictures.as_ptr()) })
}
