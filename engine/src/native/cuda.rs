//! CUDA, found at run time: one program serves machines with and without it.

use std::sync::OnceLock;

use tch::{Cuda, Device};

/// Why a device is not available.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CudaError {
    /// libtorch cannot use CUDA on this machine.
    #[error(
        "--device {asked}: {why}; use --device cpu, or see docs/SETUP.md for the CUDA set of libtorch"
    )]
    NoCuda {
        /// The device that was asked for.
        asked: String,
        /// Why it is not available.
        why: String,
    },
    /// The machine has fewer devices.
    #[error("--device {asked}: there {}; cuda:0 is the first", if *count == 1 { "is 1 CUDA device".to_owned() } else { format!("are {count} CUDA devices") })]
    NoSuchDevice {
        /// The device that was asked for.
        asked: String,
        /// Number of devices.
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

/// Registers libtorch's CUDA backend, once per process, by opening its library. Must happen before the first tensor.
fn load_backend() -> Result<(), String> {
    static LOADED: OnceLock<Result<(), String>> = OnceLock::new();
    LOADED.get_or_init(open_backend).clone()
}

/// The UUID of a CUDA device as NVIDIA's management library writes it, such as `GPU-6d1b…`; `None` without a driver.
///
/// The driver is asked, because it counts devices as CUDA does: it respects `CUDA_VISIBLE_DEVICES`.
#[cfg(target_os = "linux")]
pub fn uuid(index: usize) -> Option<String> {
    use std::ffi::{c_int, c_void};
    type Init = unsafe extern "C" fn(u32) -> c_int;
    type Get = unsafe extern "C" fn(*mut c_int, c_int) -> c_int;
    type Uuid = unsafe extern "C" fn(*mut [u8; 16], c_int) -> c_int;
    let index = c_int::try_from(index).ok()?;
    // SAFETY: the three functions are looked up by the names, and called with the signatures, of NVIDIA's cuda.h; 0 is
    // CUDA_SUCCESS. The library is the process's own since CUDA was loaded and is never closed.
    unsafe {
        let library = libc::dlopen(c"libcuda.so.1".as_ptr(), libc::RTLD_NOW);
        let find = |name: &std::ffi::CStr| -> Option<*mut c_void> {
            let found = if library.is_null() {
                library
            } else {
                libc::dlsym(library, name.as_ptr())
            };
            (!found.is_null()).then_some(found)
        };
        let init: Init = std::mem::transmute::<*mut c_void, Init>(find(c"cuInit")?);
        let get: Get = std::mem::transmute::<*mut c_void, Get>(find(c"cuDeviceGet")?);
        let ask: Uuid = std::mem::transmute::<*mut c_void, Uuid>(find(c"cuDeviceGetUuid")?);
        let mut device = 0;
        let mut bytes = [0; 16];
        (init(0) == 0 && get(&raw mut device, index) == 0 && ask(&raw mut bytes, device) == 0)
            .then(|| uuid_text(&bytes))
    }
}

#[cfg(not(target_os = "linux"))]
pub fn uuid(_index: usize) -> Option<String> {
    None
}

#[cfg(target_os = "linux")]
fn uuid_text(bytes: &[u8; 16]) -> String {
    use std::fmt::Write as _;
    let mut text = "GPU".to_owned();
    for (place, byte) in bytes.iter().enumerate() {
        if [0, 4, 6, 8, 10].contains(&place) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(target_os = "linux")]
fn open_backend() -> Result<(), String> {
    // Without a driver the backend is useless, and opening its gigabytes takes seconds.
    if open(c"libcuda.so.1").is_err() {
        return Err("no NVIDIA driver was found (libcuda.so.1)".to_owned());
    }
    open(c"libtorch_cuda.so").map_err(|why| {
        format!("this libtorch has no CUDA backend ({why}); `make setup CUDA=1` gets one")
    })
}

#[cfg(target_os = "linux")]
fn open(library: &std::ffi::CStr) -> Result<(), String> {
    // SAFETY: both libraries may be opened this way; neither is ever closed.
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
    Err("CUDA is only supported on Linux".to_owned())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_formatted_as_nvidia_does() {
        let bytes = [0xd6, 0xc5, 0xa4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13];
        assert_eq!(
            uuid_text(&bytes),
            "GPU-d6c5a401-0203-0405-0607-08090a0b0c0d"
        );
    }

    #[test]
    fn a_missing_device_has_no_uuid() {
        assert_eq!(uuid(4096), None);
    }
}
