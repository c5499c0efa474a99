//! What a worker finds out about libtorch and the devices of this machine.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a worker finds out about libtorch and the devices of this machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Examination {
    /// The library that computes.
    pub libtorch: Libtorch,
    /// What training would do with the device that was asked for.
    pub choice: DeviceChoice,
    /// NVIDIA's driver; `None` if there is none, or it offers no device.
    pub driver: Option<DriverFacts>,
    /// Why CUDA cannot be used, if so.
    pub no_cuda: Option<String>,
    /// The CUDA devices that the driver offers to this process.
    pub devices: Vec<DeviceFacts>,
}

/// The library that computes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Libtorch {
    /// Such as `2.13.0`; `None` if it does not say.
    pub version: Option<String>,
    /// The file of its CPU library.
    pub library: Option<PathBuf>,
    /// The vector units for which it chose its CPU kernels, such as `AVX2`.
    pub cpu_capability: String,
    /// How our own operations compute matrix products on the CPU, such as `AVX-512`.
    pub products: String,
    /// The CUDA that its backend was built for, such as `13.0`; `None` without a backend.
    pub cuda: Option<String>,
    /// The architectures that its backend has kernels for, such as `sm_90`.
    pub architectures: String,
}

/// NVIDIA's driver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverFacts {
    /// The newest CUDA that it runs, such as `13.0`.
    pub cuda: String,
    /// Its own version, such as `580.159.03`, if NVIDIA's management library tells it.
    pub version: Option<String>,
}

/// A CUDA device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceFacts {
    /// As `--device` takes it, such as `cuda:0`.
    pub device: String,
    /// Such as `NVIDIA H100 80GB HBM3`.
    pub name: String,
    /// As NVIDIA's management library writes it.
    pub uuid: String,
    /// Its architecture, such as `sm_90`.
    pub architecture: String,
    /// Whether libtorch has kernels for it.
    pub is_supported: bool,
    /// Bytes of memory.
    pub memory: u64,
    /// Bytes of it that are free, if NVIDIA's management library tells it.
    pub memory_free: Option<u64>,
    /// Who may use it: `shared`, `exclusive` (one process at a time) or `prohibited`.
    pub mode: String,
    /// Whether it is divided into instances (MIG), if NVIDIA's management library tells it.
    pub mig: Option<bool>,
    /// What came of computing on it: `None` if it was right.
    pub failure: Option<String>,
    /// How long that took, from the first call on.
    pub seconds: f64,
}

/// What training would do with the device that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceChoice {
    /// `auto`, `cpu`, `cuda` or `cuda:N`.
    pub asked: String,
    /// The device that trains; `None` if none does.
    pub device: Option<String>,
    /// Why `auto` took the CPU, or why there is none.
    pub reason: Option<String>,
}
