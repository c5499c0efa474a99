//! What this worker has to compute with: libtorch, NVIDIA's driver and its devices.

use std::time::Instant;

use nvml_wrapper::Nvml;
use sparring_contract::protocol::{DeviceChoice, DeviceFacts, DriverFacts, Examination, Libtorch};
use tch::Device;

use super::machine::management_library;
use crate::device::{self, ComputeMode, DeviceError, Driver, Hardware};
use crate::native::{self, CudaSettings};

/// Looks at everything, and tries each device as training would.
pub(super) fn examine(asked: &str) -> Examination {
    let available = device::available();
    let no_cuda = available.as_ref().err().map(ToString::to_string);
    // A driver that libtorch cannot use still tells of its devices.
    let driver = available.or_else(|_| Driver::open()).ok();
    let library = management_library();
    let devices = driver.iter().flat_map(|driver| &driver.devices);
    let devices = devices
        .enumerate()
        .map(|(index, hardware)| facts(index, hardware, library.as_ref(), no_cuda.as_deref()));
    Examination {
        devices: devices.collect(),
        libtorch: libtorch(),
        choice: choice(asked),
        driver: driver.as_ref().map(|driver| DriverFacts {
            cuda: device::version(driver.cuda_version),
            version: library.and_then(|library| library.sys_driver_version().ok()),
        }),
        no_cuda,
    }
}

fn libtorch() -> Libtorch {
    let about = native::libtorch();
    Libtorch {
        version: about.version,
        library: about.library,
        cpu_capability: about.cpu_capability,
        products: about.products,
        cuda: native::cuda_version().map(device::version),
        architectures: device::architectures().names(),
    }
}

fn choice(asked: &str) -> DeviceChoice {
    let (device, reason) = match device::choose(asked, CudaSettings::default()) {
        Ok(choice) => (Some(name(choice.device)), choice.why_cpu),
        Err(error) => (None, Some(error.to_string())),
    };
    DeviceChoice {
        asked: asked.to_owned(),
        device,
        reason,
    }
}

fn name(device: Device) -> String {
    match device {
        Device::Cuda(index) => format!("cuda:{index}"),
        _ => "cpu".to_owned(),
    }
}

/// What is known of a device, and what came of trying it, unless CUDA cannot be used at all.
fn facts(
    index: usize,
    hardware: &Hardware,
    library: Option<&Nvml>,
    no_cuda: Option<&str>,
) -> DeviceFacts {
    let name = name(Device::Cuda(index));
    let managed = library.and_then(|library| library.device_by_uuid(hardware.uuid.as_str()).ok());
    // Before the trial, which takes some itself.
    let free = managed
        .as_ref()
        .and_then(|device| Some(device.memory_info().ok()?.free));
    let started = Instant::now();
    let failure = match no_cuda {
        Some(why) => Some(why.to_owned()),
        None => match device::choose(&name, CudaSettings::default()) {
            Ok(_) => None,
            Err(DeviceError::Fails { why, .. }) => Some(why),
            Err(error) => Some(error.to_string()),
        },
    };
    DeviceFacts {
        device: name,
        name: hardware.name.clone(),
        uuid: hardware.uuid.clone(),
        architecture: format!("sm_{}", hardware.capability),
        is_supported: no_cuda.is_none() && device::architectures().run_on(hardware.capability),
        memory: hardware.memory,
        memory_free: free,
        mode: match hardware.mode {
            ComputeMode::Shared => "shared",
            ComputeMode::Exclusive => "exclusive",
            ComputeMode::Prohibited => "prohibited",
        }
        .to_owned(),
        mig: managed.and_then(|device| Some(device.mig_mode().ok()?.current != 0)),
        failure,
        seconds: started.elapsed().as_secs_f64(),
    }
}
