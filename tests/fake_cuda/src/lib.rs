//! A CUDA device that computes on the CPU, so that the code for CUDA can be tested on a machine without a GPU.
//!
//! It is two libraries with the names of the real ones, `libtorch_cuda.so` and `libcuda.so.1`. A program that finds them
//! first ([`on_fake_cuda`]) takes them for libtorch's CUDA backend and for NVIDIA's driver. Operations on CUDA tensors are
//! computed by the CPU's kernels, in memory that is labelled CUDA. As on a device, a CPU tensor that meets a CUDA tensor is an
//! error, memory can run out, and a graph that was captured makes the same operations again.
//!
//! It is blind to cuDNN and cuBLAS, to the kernels' own limits, to streams and to time. Its random numbers are the CPU's.

use std::ffi::{CStr, c_char, c_int};
use std::path::{Path, PathBuf};
use std::process::Command;

/// How many devices there are; 1 without it.
pub const DEVICES: &str = "FAKE_CUDA_DEVICES";

/// Bytes of memory of each device; endless without it.
pub const MEMORY: &str = "FAKE_CUDA_MEMORY";

/// The name of an operation, such as `aten::addmm`, for which there is never enough memory.
pub const OUT_OF_MEMORY_IN: &str = "FAKE_CUDA_OUT_OF_MEMORY_IN";

/// Makes every operation fail with this message, as on a device for which libtorch has no kernels.
pub const BROKEN: &str = "FAKE_CUDA_BROKEN";

/// The CUDA version of the driver, such as 12080; 13000 without it. libtorch finds no device with an older one.
pub const DRIVER: &str = "FAKE_CUDA_DRIVER";

/// The folder of the two libraries.
pub fn libraries() -> &'static Path {
    Path::new(env!("FAKE_CUDA_LIBRARIES"))
}

/// Whether this machine has a device of its own; then the tests use it.
pub fn has_real_device() -> bool {
    let is_fake = std::env::var_os("LD_LIBRARY_PATH")
        .is_some_and(|paths| std::env::split_paths(&paths).any(|path| path == libraries()));
    !is_fake && driver_devices().is_some_and(|count| count > 0)
}

/// The devices that NVIDIA's driver offers, if there is one.
fn driver_devices() -> Option<c_int> {
    // SAFETY: opening NVIDIA's library runs its initialisers, which touch nothing of ours; the functions have these types in
    // its header.
    unsafe {
        let library = libc::dlopen(c"libcuda.so.1".as_ptr(), libc::RTLD_NOW);
        if library.is_null() {
            return None;
        }
        let init = libc::dlsym(library, c"cuInit".as_ptr());
        let count = libc::dlsym(library, c"cuDeviceGetCount".as_ptr());
        if init.is_null() || count.is_null() {
            return None;
        }
        let init: unsafe extern "C" fn(u32) -> c_int = std::mem::transmute(init);
        let count: unsafe extern "C" fn(*mut c_int) -> c_int = std::mem::transmute(count);
        let mut devices = 0;
        (init(0) == 0 && count(&raw mut devices) == 0).then_some(devices)
    }
}

/// Lets a program find the fake first. The program must be started with this: libraries are looked for where the
/// environment says that a process starts with.
pub fn on_fake_cuda(command: &mut Command) -> &mut Command {
    let others = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let paths = [PathBuf::from(libraries())]
        .into_iter()
        .chain(std::env::split_paths(&others));
    // A folder of our own has no colon in its name, or the build would have failed.
    let paths = std::env::join_paths(paths).unwrap_or_default();
    command.env("LD_LIBRARY_PATH", paths)
}

/// Operations that this process has started on the fake device, which it must have loaded; `None` on a real one.
pub fn operations() -> Option<u64> {
    let count: unsafe extern "C" fn() -> u64 = counter(c"fake_cuda_operations")?;
    // SAFETY: the fake defines it like this.
    Some(unsafe { count() })
}

/// The names of the operations since the last call, each as often as it was started, a line each.
pub fn take_trace() -> Option<String> {
    let take: unsafe extern "C" fn() -> *const c_char = counter(c"fake_cuda_take_trace")?;
    // SAFETY: as above; the text stays as it is until the next call.
    let text = unsafe { CStr::from_ptr(take()) };
    Some(text.to_string_lossy().into_owned())
}

/// How often this process has waited for the fake device.
pub fn synchronizations() -> Option<u64> {
    let count: unsafe extern "C" fn() -> u64 = counter(c"fake_cuda_synchronizations")?;
    // SAFETY: as above.
    Some(unsafe { count() })
}

/// A function of the fake, if it is loaded.
fn counter<F: Copy>(name: &CStr) -> Option<F> {
    // SAFETY: only the fake defines these names, with the types that the callers give.
    unsafe {
        let found = libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr());
        (!found.is_null()).then(|| std::mem::transmute_copy(&found))
    }
}
