//! Random numbers of one's own.

use std::ffi::c_char;
use std::ptr;

use tch::Tensor;
use torch_sys::C_tensor;

use super::{check, made};

#[repr(C)]
struct RawRandom {
    _private: [u8; 0],
}

unsafe extern "C" {
    fn sparring_random_new(out: *mut *mut RawRandom, seed: u64) -> *mut c_char;
    fn sparring_random_free(random: *mut RawRandom);
    fn sparring_random_normal(
        out: *mut *mut C_tensor,
        random: *mut RawRandom,
        rows: i64,
        columns: i64,
    ) -> *mut c_char;
}

/// A source of random numbers beside libtorch's generator, which everything else draws from.
#[derive(Debug)]
pub struct Random(*mut RawRandom);

// SAFETY: a source belongs to no thread; drawing needs `&mut`.
unsafe impl Send for Random {}

impl Random {
    /// The numbers that follow `torch.manual_seed(seed)` in Python.
    pub fn seeded(seed: u64) -> Self {
        let mut random = ptr::null_mut();
        // SAFETY: the pointer is written unless a message comes.
        unsafe { check(sparring_random_new(&raw mut random, seed)) };
        Self(random)
    }

    /// The next normal numbers, `[rows, columns]`, f32, on the CPU: one call of `torch.randn`.
    ///
    /// # Panics
    /// With libtorch's message if there is no memory for them.
    pub fn normal(&mut self, rows: i64, columns: i64) -> Tensor {
        // SAFETY: the source is live, and nobody else draws from it.
        made(|out| unsafe { sparring_random_normal(out, self.0, rows, columns) })
    }
}

impl Drop for Random {
    fn drop(&mut self) {
        // SAFETY: nothing uses it any more.
        unsafe { sparring_random_free(self.0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // torch.manual_seed(7); torch.randn(2, 2); torch.randn(4, 5), of which the first, the second and the last. Fewer than 16
    // numbers are drawn in another way than more.
    #[test]
    fn numbers_are_those_of_pytorch_whoever_else_draws() {
        let mut random = Random::seeded(7);
        tch::manual_seed(8);
        let few = random.normal(2, 2);
        let _ = Tensor::randn([3], tch::kind::FLOAT_CPU);
        let many = random.normal(4, 5);
        let of = |tensor: &Tensor| Vec::<f32>::try_from(tensor.flatten(0, -1)).unwrap();
        assert_eq!(
            of(&few),
            [-0.146_795_1, 0.786_141_3, 0.946_821_63, -1.114_344]
        );
        let many = of(&many);
        assert_eq!(
            [many[0], many[1], many[19]],
            [-0.176_437_93, 1.750_172_4, -1.056_684_1]
        );
    }
}
