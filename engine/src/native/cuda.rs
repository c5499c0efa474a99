//! CUDA, looked for at run time: one program serves machines with and without it.

use std::sync::OnceLock;

use tch::{Cuda, Device};

/// Why a device that was asked for cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CudaError {
    /// libtorch here cannot use CUDA.
    #[error(
        "--device {asked}: {why}; use --device cpu, or see docs/SETUP.md for the CUDA set of libtorch"
    )]
    NoCuda {
        /// What was asked for.
        asked: String,
        /// Why it cannot be had.
        why: String,
    },
    /// There are fewer devices.
    #[error("--device {asked}: there {}; cuda:0 is the first", if *count == 1 { "is 1 CUDA device".to_owned() } else { format!("are {count} CUDA devices") })]
    NoSuchDevice {
        /// What was asked for.
        asked: String,
        /// How many there are.
        count: i64,
    },
}

/// The device of a configuration: `auto`, `cpu`, `cuda` or `cuda:N`.
pub fn device(asked: &str) -> Result<Device, CudaError> {
    if asked == "cpu" {
        return Ok(Device::Cpu);
    }
    let backend = load_backend();
    let count = if backend.is_ok() {
        Cuda::device_count()
    } else {
        0
    };
    if asked == "auto" {
        return Ok(if count > 0 {
            Device::Cuda(0)
        } else {
            Device::Cpu
        });
    }
    let asked_for = || asked.to_owned();
    let no_cuda = |why: String| CudaError::NoCuda {
        asked: asked_for(),
        why,
    };
    backend.map_err(no_cuda)?;
    if count == 0 {
        return Err(no_cuda(
            "no NVIDIA driver with a device was found".to_owned(),
        ));
    }
    let index: usize = asked
        .strip_prefix("cuda:")
        .and_then(|index| index.parse().ok())
        .unwrap_or_default();
    if (index as i64) < count {
        Ok(Device::Cuda(index))
    } else {
        Err(CudaError::NoSuchDevice {
            asked: asked_for(),
            count,
        })
    }
}

/// Registers libtorch's CUDA backend, once, by opening its library. It must happen before the first tensor.
fn load_backend() -> Result<(), String> {
    static LOADED: OnceLock<Result<(), String>> = OnceLock::new();
    LOADED.get_or_init(open_backend).clone()
}

#[cfg(target_os = "linux")]
fn open_backend() -> Result<(), String> {
    // Without a driver the backend is of no use, and opening its gigabytes takes seconds.
    if open(c"libcuda.so.1").is_err() {
        return Err("no NVIDIA driver was found (libcuda.so.1)".to_owned());
    }
    open(c"libtorch_cuda.so").map_err(|why| {
        format!("this libtorch has no CUDA backend ({why}); `make setup CUDA=1` gets one")
    })
}

#[cfg(target_os = "linux")]
fn open(library: &std::ffi::CStr) -> Result<(), String> {
    // SAFETY: both libraries are made to be opened so; neither is ever closed.
    let handle = unsafe { libc::dlopen(library.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
    if !handle.is_null() {
        return Ok(());
    }
    // SAFETY: dlerror gives null or a string that lives until the next call on this thread.
    let why = unsafe { libc::dlerror() };
    if why.is_null() {
        return Err("unknown error".to_owned());
    }
    // SAFETY: as above.
    Err(unsafe { std::ffi::CStr::from_ptr(why) }
        .to_string_lossy()
        .into_owned())
}

#[cfg(not(target_os = "linux"))]
fn open_backend() -> Result<(), String> {
    Err("CUDA is looked for on Linux alone".to_owned())
}
