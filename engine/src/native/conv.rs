//! Convolutions and batch norms, each with its activation as one differentiable operation.

use std::ffi::c_char;

use tch::Tensor;
use torch_sys::C_tensor;

use super::{Activation, made};

unsafe extern "C" {
    fn sparring_conv(
        out: *mut *mut C_tensor,
        input: *const C_tensor,
        weight: *const C_tensor,
        bias: *const C_tensor,
        stride: i64,
        padding: i64,
        transposed: bool,
        groups: i64,
        activation: i64,
        slope: f64,
    ) -> *mut c_char;
    fn sparring_batch_norm(
        out: *mut *mut C_tensor,
        input: *const C_tensor,
        weight: *const C_tensor,
        bias: *const C_tensor,
        running_mean: *const C_tensor,
        running_var: *const C_tensor,
        training: bool,
        activation: i64,
        slope: f64,
    ) -> *mut c_char;
}

/// How a kernel moves over pictures; the same vertically and horizontally.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConvOptions {
    /// Pixels from one position to the next, 1 or more.
    pub stride: i64,
    /// Rows and columns of zeros around the picture.
    pub padding: i64,
    /// Whether the convolution is transposed, which makes pictures larger.
    pub transposed: bool,
    /// Groups of channels, each of which is convolved by itself; a divisor of inputs and outputs.
    pub groups: i64,
}

impl Default for ConvOptions {
    /// Every pixel by itself.
    fn default() -> Self {
        Self {
            stride: 1,
            padding: 0,
            transposed: false,
            groups: 1,
        }
    }
}

/// `activation(conv(x, W) + b)`, with x `[n, in, h, w]`, W `[out, in/groups, k, k]`, or `[in, out/groups, k, k]` if
/// transposed, and b `[out]`: `[n, out, h', w']`, as `torch.nn.Conv2d` and `ConvTranspose2d` compute it.
///
/// # Panics
/// With libtorch's message if the shapes do not fit.
pub fn conv(
    input: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    options: ConvOptions,
    activation: Activation,
) -> Tensor {
    let (number, slope) = activation.numbers();
    // SAFETY: the tensors are live.
    made(|out| unsafe {
        sparring_conv(
            out,
            input.as_ptr(),
            weight.as_ptr(),
            bias.map_or(std::ptr::null(), Tensor::as_ptr),
            options.stride,
            options.padding,
            options.transposed,
            options.groups,
            number,
            slope,
        )
    })
}

/// The parameters and running statistics of a batch norm, `[channels]` each.
#[derive(Debug)]
pub struct BatchNormState {
    /// Scale.
    pub weight: Tensor,
    /// Shift.
    pub bias: Tensor,
    /// Running mean.
    pub running_mean: Tensor,
    /// Running variance, unbiased.
    pub running_var: Tensor,
}

/// `activation((x − mean) / √(var + 1e-5) · weight + bias)` (Ioffe and Szegedy 2015), with x `[n, channels]` or
/// `[n, channels, h, w]`.
///
/// In `training`, mean and variance are those of x over all dimensions but the channels, and the running statistics
/// move a tenth of the way towards them. Otherwise the running statistics are used. All as in `torch.nn.BatchNorm2d`.
///
/// # Panics
/// With libtorch's message when the shapes do not fit, or in training with a single value per channel.
pub fn batch_norm(
    input: &Tensor,
    norm: &BatchNormState,
    training: bool,
    activation: Activation,
) -> Tensor {
    let (number, slope) = activation.numbers();
    // SAFETY: the tensors are live.
    made(|out| unsafe {
        sparring_batch_norm(
            out,
            input.as_ptr(),
            norm.weight.as_ptr(),
            norm.bias.as_ptr(),
            norm.running_mean.as_ptr(),
            norm.running_var.as_ptr(),
            training,
            number,
            slope,
        )
    })
}
