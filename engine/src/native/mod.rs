//! Operations of our own in C++, parts of libtorch that its Rust bindings do not expose, and the set-up of both.

mod about;
mod conv;
mod cuda;
mod layout;
mod malloc;
mod merge;
mod random;
mod resample;
mod residual;

use std::ffi::{CStr, c_char, c_int};

use tch::Tensor;
use torch_sys::C_tensor;

pub use about::{AboutLibtorch, libtorch};
pub use conv::{BatchNormState, ConvOptions, batch_norm, conv};
pub use cuda::{
    CudaSettings, Graph, autocast, cuda_description, cuda_version, fetched, prepare_cuda, sent,
};
pub use layout::{flattened, unflattened};
pub use merge::merged;
pub use random::Random;
pub use resample::{downsampled, upsampled};
pub use residual::{ResidualWeights, residual_block};

/// Makes the calling thread ready to train, as the leader of a team of `threads` threads. Call it once per process,
/// before the first tensor; further calls form no other team.
///
/// # Panics
/// If the system does not allow that many threads.
pub fn prepare(threads: u32) {
    malloc::keep_freed_memory();
    // SAFETY: the first sets a flag of the processor, for this thread and those that it starts from here on; the
    // second starts threads.
    unsafe {
        sparring_flush_denormals();
        check(sparring_form_team(
            c_int::try_from(threads).unwrap_or(1).max(1),
        ));
    }
}

/// Makes the calling thread one that computes beside the team: alone, and with numbers that are flushed as the team's are.
pub fn work_alone() {
    // SAFETY: it sets flags of this thread.
    unsafe { sparring_work_alone() };
}

/// Whether this processor multiplies numbers that are rounded to bfloat16 faster than floats.
pub fn rounds_fast() -> bool {
    // SAFETY: it takes nothing.
    unsafe { sparring_rounds_fast() }
}

/// Calls a function whose products on the CPU, on this thread and its team, round their inputs to bfloat16 if that is fast.
/// Sums are f32. The thread is left as it was, also by a panic.
pub fn rounded<T>(function: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            // SAFETY: it sets a flag of this thread.
            unsafe { sparring_set_rounding(self.0) };
        }
    }
    // SAFETY: as above.
    let _restore = Restore(unsafe { sparring_set_rounding(true) });
    function()
}

/// Calls a function that tracks no gradients. Unlike tch's own, it leaves the thread as it was if the function panics.
pub fn no_grad<T>(function: impl FnOnce() -> T) -> T {
    let _guard = tch::no_grad_guard();
    function()
}

unsafe extern "C" {
    fn sparring_flush_denormals();
    fn sparring_form_team(threads: c_int) -> *mut c_char;
    fn sparring_work_alone();
    fn sparring_rounds_fast() -> bool;
    fn sparring_set_rounding(rounding: bool) -> bool;
    fn sparring_dense(
        out: *mut *mut C_tensor,
        input: *const C_tensor,
        weight: *const C_tensor,
        bias: *const C_tensor,
        activation: i64,
        slope: f64,
    ) -> *mut c_char;
    fn sparring_matmul(
        out: *mut *mut C_tensor,
        left: *const C_tensor,
        right: *const C_tensor,
    ) -> *mut c_char;
    fn sparring_mean_softplus(
        out: *mut *mut C_tensor,
        input: *const C_tensor,
        sign: f64,
    ) -> *mut c_char;
    fn sparring_sharpened(
        out: *mut *mut C_tensor,
        pictures: *const C_tensor,
        amount: f64,
    ) -> *mut c_char;
    fn sparring_scaled_images(
        out: *mut *mut C_tensor,
        images: *const C_tensor,
        indices: *const C_tensor,
    ) -> *mut c_char;
    fn sparring_move_towards(
        averages: *const *const C_tensor,
        targets: *const *const C_tensor,
        count: i64,
        rate: f64,
    ) -> *mut c_char;
    fn sparring_adam(
        parameters: *const *const C_tensor,
        gradients: *const *const C_tensor,
        exp_avgs: *const *const C_tensor,
        exp_avg_sqs: *const *const C_tensor,
        averages: *const *const C_tensor,
        count: i64,
        averages_count: i64,
        step: *const C_tensor,
        fault: *const C_tensor,
        learning_rate_on_device: *const C_tensor,
        scale: *const C_tensor,
        learning_rate: f64,
        beta1: f64,
        beta2: f64,
        epsilon: f64,
        average_rate: f64,
    ) -> *mut c_char;
}

/// Applied to the outputs of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// Nothing.
    Identity,
    /// max(0, x)
    Relu,
    /// x above zero, slope·x below.
    LeakyRelu {
        /// The slope, 0 to 1.
        slope: f64,
    },
    /// Hyperbolic tangent.
    Tanh,
}

impl Activation {
    /// The standard deviation of weights, times √`fan_in`, with which outputs have the variance of the inputs:
    /// `torch.nn.init.calculate_gain`.
    pub fn gain(self) -> f64 {
        match self {
            Self::Identity => 1.0,
            Self::Relu => std::f64::consts::SQRT_2,
            Self::LeakyRelu { slope } => (2.0 / (1.0 + slope * slope)).sqrt(),
            Self::Tanh => 5.0 / 3.0,
        }
    }

    /// Its number in C++, and its slope.
    fn numbers(self) -> (i64, f64) {
        match self {
            Self::Identity => (0, 0.0),
            Self::Relu => (1, 0.0),
            Self::LeakyRelu { slope } => (2, slope),
            Self::Tanh => (3, 0.0),
        }
    }
}

/// `activation(x Wᵀ + b)` as one differentiable operation, with x `[n, in]`, W `[out, in]` and b `[out]`: `[n, out]`.
///
/// # Panics
/// With libtorch's message if the shapes do not fit.
pub fn dense(input: &Tensor, weight: &Tensor, bias: &Tensor, activation: Activation) -> Tensor {
    let (number, slope) = activation.numbers();
    // SAFETY: the tensors are live.
    made(|out| unsafe {
        sparring_dense(
            out,
            input.as_ptr(),
            weight.as_ptr(),
            bias.as_ptr(),
            number,
            slope,
        )
    })
}

/// `left · right`, computed by the team, differentiable: `[m, k]` and `[k, n]` give `[m, n]`.
///
/// # Panics
/// With libtorch's message if the shapes do not fit.
pub fn matmul(left: &Tensor, right: &Tensor) -> Tensor {
    // SAFETY: the tensors are live.
    made(|out| unsafe { sparring_matmul(out, left.as_ptr(), right.as_ptr()) })
}

/// The mean of softplus(sign·x) = log(1 + exp(sign·x)) over all x, differentiable: −log σ(x) with a sign of −1, and
/// −log(1 − σ(x)) with 1. A scalar.
pub fn mean_softplus(input: &Tensor, sign: f64) -> Tensor {
    // SAFETY: the tensor is live.
    made(|out| unsafe { sparring_mean_softplus(out, input.as_ptr(), sign) })
}

/// `images[indices] / 127.5 − 1` in one pass: images `[count, …]` of bytes and indices `[n]`, i64, give `[n, …]`, f32,
/// in [-1, 1].
///
/// # Panics
/// With a message when an index is none of an image.
pub fn scaled_images(images: &Tensor, indices: &Tensor) -> Tensor {
    // SAFETY: the tensors are live.
    made(|out| unsafe { sparring_scaled_images(out, images.as_ptr(), indices.as_ptr()) })
}

/// Sharpened pictures `[n, c, h, w]`: `pictures + amount · (pictures − means)`, where a pixel's mean is that of the 3×3
/// pixels around it, with zeros outside the picture. Differentiable.
///
/// # Panics
/// If the tensor does not have four dimensions.
pub fn sharpened(pictures: &Tensor, amount: f64) -> Tensor {
    // SAFETY: the tensor is live.
    made(|out| unsafe { sparring_sharpened(out, pictures.as_ptr(), amount) })
}

/// The numbers of one step of Adam.
#[derive(Clone, Copy, Debug)]
pub struct AdamStep {
    /// Step size.
    pub learning_rate: f64,
    /// Decay rates of the two moments.
    pub betas: [f64; 2],
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// How far the averages move towards the parameters, as a share of the distance, 0 to 1.
    pub average_rate: f64,
}

/// The tensors that Adam updates. All lists have the same length, and tensors at the same index the same shape.
#[derive(Clone, Copy, Debug)]
pub struct AdamTensors<'a> {
    /// The weights.
    pub parameters: &'a [Tensor],
    /// Decaying means of the gradients.
    pub exp_avgs: &'a [Tensor],
    /// Decaying means of their squares.
    pub exp_avg_sqs: &'a [Tensor],
    /// Moving averages of the parameters; may be empty.
    pub averages: &'a [Tensor],
    /// The number of this step, from 1: a scalar f32.
    pub step: &'a Tensor,
    /// A scalar f32 that becomes 1 if a gradient is not finite; such a gradient is not applied.
    pub fault: &'a Tensor,
    /// The step size, a scalar f32 on the device.
    pub learning_rate: &'a Tensor,
    /// 1, a scalar f32 on the device.
    pub scale: &'a Tensor,
}

/// One step of Adam in one pass over all parameters: our own kernel on the CPU, libtorch's fused one elsewhere, as in
/// `torch.optim.Adam(fused=True)`.
///
/// # Panics
/// If the lists differ in length.
pub fn adam(tensors: AdamTensors<'_>, gradients: &[Tensor], numbers: AdamStep) {
    let count = tensors.parameters.len();
    assert!(
        [
            gradients.len(),
            tensors.exp_avgs.len(),
            tensors.exp_avg_sqs.len()
        ] == [count; 3]
            && (tensors.averages.is_empty() || tensors.averages.len() == count),
        "Adam needs a gradient and two moments for each of {count} parameters, and an average for all or none"
    );
    // SAFETY: each list holds as many pointers to tensors as is said, and they outlive the call.
    unsafe {
        check(sparring_adam(
            pointers(tensors.parameters).as_ptr(),
            pointers(gradients).as_ptr(),
            pointers(tensors.exp_avgs).as_ptr(),
            pointers(tensors.exp_avg_sqs).as_ptr(),
            pointers(tensors.averages).as_ptr(),
            count as i64,
            tensors.averages.len() as i64,
            tensors.step.as_ptr(),
            tensors.fault.as_ptr(),
            tensors.learning_rate.as_ptr(),
            tensors.scale.as_ptr(),
            numbers.learning_rate,
            numbers.betas[0],
            numbers.betas[1],
            numbers.epsilon,
            numbers.average_rate,
        ));
    }
}

/// Moves each average towards its target by a share `rate` of the distance, 0 to 1, without tracking gradients.
///
/// # Panics
/// If the lists differ in length.
pub fn move_towards(averages: &[Tensor], targets: &[Tensor], rate: f64) {
    let count = averages.len();
    assert_eq!(count, targets.len(), "a target for each average");
    // SAFETY: both lists hold that many pointers to tensors, which outlive the call.
    unsafe {
        check(sparring_move_towards(
            pointers(averages).as_ptr(),
            pointers(targets).as_ptr(),
            count as i64,
            rate,
        ));
    }
}

fn pointers(tensors: &[Tensor]) -> Vec<*const C_tensor> {
    tensors.iter().map(Tensor::as_ptr).collect()
}

/// The tensor that a C++ function makes: it sets the pointer, or returns a message.
fn made(operation: impl FnOnce(*mut *mut C_tensor) -> *mut c_char) -> Tensor {
    let mut out = std::ptr::null_mut();
    let message = operation(&raw mut out);
    // SAFETY: the message is null or from `strdup`; where it is null, `out` was written.
    unsafe {
        check(message);
        Tensor::from_ptr(out)
    }
}

/// Panics with libtorch's message, as tch's own operations do; the worker turns such a panic into one line.
///
/// # Safety
/// `message` is null or a C string from `malloc` that nobody else frees.
unsafe fn check(message: *mut c_char) {
    if message.is_null() {
        return;
    }
    // SAFETY: as this function demands.
    let text = unsafe { CStr::from_ptr(message) }
        .to_string_lossy()
        .into_owned();
    unsafe { libc::free(message.cast()) };
    std::panic::panic_any(tch::TchError::Torch(text));
}
