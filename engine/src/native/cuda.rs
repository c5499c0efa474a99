//! CUDA, as far as tch does not reach it.

use std::ffi::c_char;
use std::ptr;

use tch::{Device, Tensor};
use torch_sys::C_tensor;

use super::about::said;
use super::{check, made, pointers};

/// A graph in C++.
#[repr(C)]
struct RawGraph {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    fn sparring_prepare_cuda(index: i64, tf32: bool, deterministic: bool) -> *mut c_char;
    fn sparring_set_autocast(enabled: bool) -> bool;
    fn sparring_sent(out: *mut *mut C_tensor, tensor: *const C_tensor, index: i64) -> *mut c_char;
    fn sparring_fetched(
        out: *mut *mut C_tensor,
        tensors: *const *const C_tensor,
        count: i64,
    ) -> *mut c_char;
    fn sparring_cuda_version() -> i64;
    fn sparring_cuda_description() -> *mut c_char;
    fn sparring_graph_new(out: *mut *mut RawGraph) -> *mut c_char;
    fn sparring_graph_free(graph: *mut RawGraph);
    fn sparring_graph_begin(graph: *mut RawGraph) -> *mut c_char;
    fn sparring_graph_end(graph: *mut RawGraph) -> *mut c_char;
    fn sparring_graph_replay(graph: *mut RawGraph) -> *mut c_char;
}

/// How libtorch computes on CUDA devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CudaSettings {
    /// Whether products and convolutions may round their inputs to TF32.
    pub tf32: bool,
    /// Whether each operation gives the same bits every time.
    pub deterministic: bool,
}

/// Makes a CUDA device the calling thread's own, with a stream of its own there. Call it before the first tensor.
///
/// # Panics
/// With libtorch's message if there is no such device.
pub fn prepare_cuda(index: usize, settings: CudaSettings) {
    // SAFETY: it takes plain numbers.
    unsafe {
        check(sparring_prepare_cuda(
            index as i64,
            settings.tf32,
            settings.deterministic,
        ));
    }
}

/// A CPU tensor's copy on a device. A GPU fetches it on its own: nobody waits.
pub fn sent(tensor: &Tensor, device: Device) -> Tensor {
    match device {
        // SAFETY: the tensor is live.
        Device::Cuda(index) => {
            made(|out| unsafe { sparring_sent(out, tensor.as_ptr(), index as i64) })
        }
        device => tensor.to_device(device),
    }
}

/// Copies of tensors on the CPU. Waits for a GPU once, however many they are; all must be on the same device. What is on the
/// CPU already shares its memory.
pub fn fetched(tensors: &[Tensor]) -> Vec<Tensor> {
    if !tensors
        .first()
        .is_some_and(|first| first.device().is_cuda())
    {
        return tensors.iter().map(Tensor::shallow_clone).collect();
    }
    let mut copies = vec![ptr::null_mut(); tensors.len()];
    // SAFETY: the tensors are live, and there is room for as many copies; without a message all were written.
    unsafe {
        check(sparring_fetched(
            copies.as_mut_ptr(),
            pointers(tensors).as_ptr(),
            tensors.len() as i64,
        ));
        copies
            .into_iter()
            .map(|copy| Tensor::from_ptr(copy))
            .collect()
    }
}

/// The CUDA version that libtorch was built for, such as 13000; `None` if it has no CUDA backend, or none is loaded.
pub fn cuda_version() -> Option<i64> {
    // SAFETY: it takes nothing.
    Some(unsafe { sparring_cuda_version() }).filter(|version| *version > 0)
}

/// What libtorch says of its CUDA backend, several lines; empty if it has none, or none is loaded.
pub fn cuda_description() -> String {
    said(sparring_cuda_description)
}

/// Makes a forward pass in bfloat16 on CUDA: libtorch casts the inputs of products and convolutions, and a loss back to
/// f32. The thread is left as it was, also by a panic.
pub fn autocast<T>(forward: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            // SAFETY: it sets a flag of this thread.
            unsafe { sparring_set_autocast(self.0) };
        }
    }
    // SAFETY: as above.
    let _restore = Restore(unsafe { sparring_set_autocast(true) });
    forward()
}

/// Operations of a CUDA stream that were recorded once and are made again, on the same memory, by one call.
#[derive(Debug)]
pub struct Graph(*mut RawGraph);

// SAFETY: a graph belongs to no thread; it is used by one at a time.
unsafe impl Send for Graph {}

impl Graph {
    /// Records the operations of a function without making them. Nothing in it may wait for the device, and all tensors
    /// that it leaves must live as long as the graph.
    ///
    /// # Panics
    /// With libtorch's message if it has no graphs, or an operation cannot be recorded.
    pub fn record<T>(function: impl FnOnce() -> T) -> (Self, T) {
        /// Ends the recording also if the function panics; the stream would take no other operation.
        struct Recording<'a>(&'a Graph);
        impl Drop for Recording<'_> {
            fn drop(&mut self) {
                // SAFETY: the graph is live.
                let message = unsafe { sparring_graph_end(self.0.0) };
                if std::thread::panicking() {
                    // SAFETY: a message is from `strdup`; the panic under way says more.
                    unsafe { libc::free(message.cast()) };
                } else {
                    // SAFETY: as above.
                    unsafe { check(message) };
                }
            }
        }
        let mut graph = ptr::null_mut();
        // SAFETY: the pointer is written unless a message comes.
        unsafe { check(sparring_graph_new(&raw mut graph)) };
        let graph = Self(graph);
        // SAFETY: the graph is live.
        unsafe { check(sparring_graph_begin(graph.0)) };
        let recording = Recording(&graph);
        let made = function();
        drop(recording);
        (graph, made)
    }

    /// Makes the recorded operations.
    ///
    /// # Panics
    /// With libtorch's message if the device refuses.
    pub fn replay(&self) {
        // SAFETY: the graph is live and its recording has ended.
        unsafe { check(sparring_graph_replay(self.0)) };
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        // SAFETY: nothing uses it any more.
        unsafe { sparring_graph_free(self.0) };
    }
}
