//! A convolution of single pixels over the channels of two pictures.

use std::ffi::c_char;

use tch::Tensor;
use torch_sys::C_tensor;

use super::made;

unsafe extern "C" {
    fn sparring_merged(
        out: *mut *mut C_tensor,
        a: *const C_tensor,
        b: *const C_tensor,
        weight: *const C_tensor,
    ) -> *mut c_char;
}

/// The convolution of single pixels of two pictures joined, `[n, c, h, w]` and `[n, d, h, w]`, with weights
/// `[outputs, c + d, 1, 1]`: `[n, outputs, h, w]`. The two are never joined, which saves a copy of both, forwards and
/// backwards. Differentiable any number of times.
///
/// # Panics
/// With libtorch's message if the shapes do not fit.
pub fn merged(a: &Tensor, b: &Tensor, weight: &Tensor) -> Tensor {
    // SAFETY: the tensors are live.
    made(|out| unsafe { sparring_merged(out, a.as_ptr(), b.as_ptr(), weight.as_ptr()) })
}
