//! Which device trains: what was asked for, whether it works, and why another one was taken.

mod architectures;
mod driver;
mod probe;

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::sync::{Mutex, OnceLock, PoisonError};

use sparring_contract::config::{Config, Precision};
use tch::{Cuda, Device};

pub use architectures::Architectures;
pub use driver::{ComputeMode, Driver, DriverError, Hardware};

use self::probe::probe;
use crate::native::{CudaSettings, cuda_description, cuda_version, prepare_cuda};

/// A device that works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The device.
    pub device: Device,
    /// Why `auto` took the CPU on a machine that has a CUDA device, or a driver for one.
    pub why_cpu: Option<String>,
}

/// Why a device cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// There is no CUDA here.
    #[error("--device {asked}: {why}; use --device cpu, or see docs/SETUP.md for CUDA")]
    NoCuda {
        /// The device that was asked for.
        asked: String,
        /// Why it is not available.
        why: Unavailable,
    },
    /// The machine has fewer devices.
    #[error("--device {asked}: there {}; cuda:0 is the first", if *count == 1 { "is 1 CUDA device".to_owned() } else { format!("are {count} CUDA devices") })]
    NoSuchDevice {
        /// The device that was asked for.
        asked: String,
        /// Number of devices.
        count: usize,
    },
    /// The device is there, but does not compute.
    #[error("--device {asked}: {why}; use --device cpu, or another device")]
    Fails {
        /// The device that was asked for.
        asked: String,
        /// What it said.
        why: String,
    },
}

/// Why libtorch cannot use CUDA.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The driver offers nothing.
    #[error(transparent)]
    Driver(#[from] DriverError),
    /// libtorch has no CUDA.
    #[error("this libtorch has no CUDA backend ({0}); `make setup CUDA=1` gets one")]
    NoBackend(String),
    /// The driver is older than libtorch's CUDA.
    #[error(
        "NVIDIA's driver is too old: it runs CUDA {}, and this libtorch needs {}",
        version(*driver),
        version(*libtorch)
    )]
    OldDriver {
        /// The newest CUDA that the driver runs, such as 12080.
        driver: i64,
        /// The CUDA that libtorch was built for.
        libtorch: i64,
    },
    /// libtorch finds no device, though the driver does.
    #[error("libtorch finds none of the driver's devices")]
    NoneFound,
}

/// A CUDA version in words: 13000 is `13.0`.
pub fn version(number: i64) -> String {
    format!("{}.{}", number / 1000, number % 1000 / 10)
}

/// The device that a configuration asks for, ready to train as it wants.
pub fn choose_for(config: &Config) -> Result<Choice, DeviceError> {
    let settings = CudaSettings {
        tf32: config.precision == Precision::Tf32,
        deterministic: config.deterministic,
    };
    choose(&config.device, settings)
}

/// The device of a name: `auto`, `cpu`, `cuda` or `cuda:N`. A CUDA device is made the calling thread's own, and
/// tried once per process. Call it before the first tensor.
pub fn choose(asked: &str, settings: CudaSettings) -> Result<Choice, DeviceError> {
    let on_cpu = |why_cpu| Choice {
        device: Device::Cpu,
        why_cpu,
    };
    match asked {
        "cpu" => Ok(on_cpu(None)),
        "auto" => Ok(match available() {
            // A machine without a driver is one for the CPU, and needs no explanation.
            Err(Unavailable::Driver(DriverError::Missing)) => on_cpu(None),
            Err(why) => on_cpu(Some(why.to_string())),
            Ok(driver) => {
                let attempts =
                    (0..driver.devices.len()).map(|index| take(index, &driver, settings));
                let mut failures = Vec::new();
                for (index, attempt) in attempts.enumerate() {
                    match attempt {
                        Ok(choice) => return Ok(choice),
                        Err(why) => failures.push(format!("cuda:{index}: {why}")),
                    }
                }
                on_cpu(Some(failures.join("; ")))
            }
        }),
        asked => {
            let no_cuda = |why| DeviceError::NoCuda {
                asked: asked.to_owned(),
                why,
            };
            let driver = available().map_err(no_cuda)?;
            let index = asked
                .strip_prefix("cuda:")
                .and_then(|index| index.parse().ok())
                .unwrap_or_default();
            let count = driver.devices.len();
            if index >= count {
                return Err(DeviceError::NoSuchDevice {
                    asked: asked.to_owned(),
                    count,
                });
            }
            take(index, &driver, settings).map_err(|why| DeviceError::Fails {
                asked: asked.to_owned(),
                why,
            })
        }
    }
}

/// The UUID of a CUDA device as NVIDIA's management library writes it.
pub fn uuid(index: usize) -> Option<String> {
    let driver = Driver::open().ok()?;
    Some(driver.devices.get(index)?.uuid.clone())
}

/// The architectures that the loaded CUDA backend was compiled for.
pub fn architectures() -> Architectures {
    Architectures::in_description(&cuda_description())
}

/// The driver, if libtorch can use its devices. Loads libtorch's CUDA backend.
pub fn available() -> Result<Driver, Unavailable> {
    let driver = Driver::open()?;
    load_backend().map_err(Unavailable::NoBackend)?;
    if let Some(libtorch) = cuda_version()
        // A driver runs all versions of the same CUDA generation (NVIDIA's minor version compatibility).
        && driver.cuda_version / 1000 < libtorch / 1000
    {
        return Err(Unavailable::OldDriver {
            driver: driver.cuda_version,
            libtorch,
        });
    }
    if Cuda::device_count() == 0 {
        return Err(Unavailable::NoneFound);
    }
    Ok(driver)
}

/// Makes a device the thread's own, and tries it unless this process has.
fn take(index: usize, driver: &Driver, settings: CudaSettings) -> Result<Choice, String> {
    static TRIED: Mutex<BTreeMap<usize, Result<(), String>>> = Mutex::new(BTreeMap::new());
    let device = Device::Cuda(index);
    let mut tried = TRIED.lock().unwrap_or_else(PoisonError::into_inner);
    let works = tried.entry(index).or_insert_with(|| {
        let hardware = driver.devices.get(index);
        probe(index, hardware, settings)
    });
    works.clone()?;
    prepare_cuda(index, settings);
    Ok(Choice {
        device,
        why_cpu: None,
    })
}

/// Registers libtorch's CUDA backend, once per process, by opening its library. Must happen before the first tensor.
fn load_backend() -> Result<(), String> {
    static LOADED: OnceLock<Result<(), String>> = OnceLock::new();
    LOADED.get_or_init(|| open(c"libtorch_cuda.so")).clone()
}

#[cfg(target_os = "linux")]
fn open(library: &CStr) -> Result<(), String> {
    // SAFETY: the library may be opened this way; it is never closed.
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
    Err(unsafe { CStr::from_ptr(why) }
        .to_string_lossy()
        .into_owned())
}

#[cfg(not(target_os = "linux"))]
fn open(_library: &CStr) -> Result<(), String> {
    Err("CUDA is only supported on Linux".to_owned())
}
