//! Pictures as rows of numbers, and back.

use std::ffi::c_char;

use tch::Tensor;
use torch_sys::C_tensor;

use super::made;

unsafe extern "C" {
    fn sparring_flattened(out: *mut *mut C_tensor, pictures: *const C_tensor) -> *mut c_char;
    fn sparring_unflattened(
        out: *mut *mut C_tensor,
        numbers: *const C_tensor,
        channels: i64,
        height: i64,
        width: i64,
    ) -> *mut c_char;
}

/// Pictures `[n, c, h, w]` as `[n, c·h·w]`, in the order of `torch.flatten`. Other tensors are flattened from the second
/// dimension on, too. Differentiable any number of times.
pub fn flattened(pictures: &Tensor) -> Tensor {
    // SAFETY: the tensor is live.
    made(|out| unsafe { sparring_flattened(out, pictures.as_ptr()) })
}

/// `[n, c·h·w]` as pictures `[n, c, h, w]` of a shape `[c, h, w]`. Differentiable any number of times.
///
/// # Panics
/// If the numbers are too many or too few.
pub fn unflattened(numbers: &Tensor, [channels, height, width]: [i64; 3]) -> Tensor {
    // SAFETY: the tensor is live.
    made(|out| unsafe { sparring_unflattened(out, numbers.as_ptr(), channels, height, width) })
}
