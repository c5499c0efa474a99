//! A residual block as one operation.

use std::ffi::c_char;

use tch::Tensor;
use torch_sys::C_tensor;

use super::{Activation, made};

unsafe extern "C" {
    fn sparring_residual_block(
        out: *mut *mut C_tensor,
        input: *const C_tensor,
        expand: *const C_tensor,
        expand_bias: *const C_tensor,
        grouped: *const C_tensor,
        grouped_bias: *const C_tensor,
        project: *const C_tensor,
        activation: i64,
        slope: f64,
    ) -> *mut c_char;
}

/// The parameters of a residual block.
#[derive(Debug)]
pub struct ResidualWeights {
    /// `[inner, channels, 1, 1]`
    pub expand: Tensor,
    /// `[inner]`
    pub expand_bias: Tensor,
    /// `[inner, inner/groups, k, k]` with an odd k; the number of groups follows from the shape.
    pub grouped: Tensor,
    /// `[inner]`
    pub grouped_bias: Tensor,
    /// `[channels, inner, 1, 1]`
    pub project: Tensor,
}

/// `x + project · a(grouped ∗ a(expand · x + bias) + bias)`, with x `[n, channels, h, w]`; · is a convolution of single
/// pixels, ∗ one of k×k pixels that keeps the sizes, and a the activation. Differentiable any number of times.
///
/// # Panics
/// With libtorch's message if the shapes do not fit.
pub fn residual_block(input: &Tensor, weights: &ResidualWeights, activation: Activation) -> Tensor {
    let (number, slope) = activation.numbers();
    // SAFETY: the tensors are live.
    made(|out| unsafe {
        sparring_residual_block(
            out,
            input.as_ptr(),
            weights.expand.as_ptr(),
            weights.expand_bias.as_ptr(),
            weights.grouped.as_ptr(),
            weights.grouped_bias.as_ptr(),
            weights.project.as_ptr(),
            number,
            slope,
        )
    })
}
