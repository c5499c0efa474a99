//! Readings of the machine for the faces that watch: load, memory, and the GPU if one trains.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use nvml_wrapper::Nvml;
use nvml_wrapper::enum_wrappers::device::TemperatureSensor;
use sparring_contract::protocol::Machine;
use sysinfo::{MINIMUM_CPU_UPDATE_INTERVAL, ProcessRefreshKind, ProcessesToUpdate, System};
use tch::Device;

use super::hub::Hub;
use crate::device;

/// How often the machine is read while a face watches.
const EVERY: Duration = Duration::from_secs(2);

/// Reads the machine into the hub until the sender of `stop` is dropped. It reads nothing while no face watches.
pub(super) fn watch(hub: &Hub, device: Device, stop: &Receiver<()>) {
    let mut readings = Readings::of(device);
    while let Err(RecvTimeoutError::Timeout) =
        stop.recv_timeout(EVERY.max(MINIMUM_CPU_UPDATE_INTERVAL))
    {
        if hub.is_watched() {
            hub.measure(readings.read());
        }
    }
}

struct Readings {
    /// Absent if the system cannot be read.
    system: Option<System>,
    gpu: Option<Gpu>,
}

/// The GPU that trains, read through NVIDIA's management library.
struct Gpu {
    library: Nvml,
    uuid: String,
}

impl Readings {
    fn of(device: Device) -> Self {
        Self {
            system: System::new().ok(),
            gpu: Gpu::of(device),
        }
    }

    fn read(&mut self) -> Machine {
        let machine = self.system.as_mut().map(read_system).unwrap_or_default();
        match &self.gpu {
            Some(gpu) => gpu.read(machine),
            None => machine,
        }
    }
}

fn read_system(system: &mut System) -> Machine {
    system.refresh_cpu_usage();
    system.refresh_memory();
    let worker_bytes = sysinfo::get_current_pid().ok().and_then(|own| {
        let memory = ProcessRefreshKind::nothing().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), true, memory);
        system.process(own).map(sysinfo::Process::memory)
    });
    Machine {
        cpu_percent: Some(system.global_cpu_usage()),
        worker_bytes,
        memory_used: Some(system.used_memory()),
        memory_total: Some(system.total_memory()),
        ..Machine::default()
    }
}

/// NVIDIA's management library, if there is one. The driver brings it under the second name, a toolkit under the first.
pub(super) fn management_library() -> Option<Nvml> {
    let of_driver = || {
        Nvml::builder()
            .lib_path("libnvidia-ml.so.1".as_ref())
            .init()
    };
    Nvml::init().or_else(|_| of_driver()).ok()
}

impl Gpu {
    fn of(device: Device) -> Option<Self> {
        let Device::Cuda(index) = device else {
            return None;
        };
        // By UUID, since CUDA_VISIBLE_DEVICES gives CUDA numbers of its own.
        let uuid = device::uuid(index)?;
        let library = management_library()?;
        Some(Self { library, uuid })
    }

    fn read(&self, machine: Machine) -> Machine {
        let Ok(device) = self.library.device_by_uuid(self.uuid.as_str()) else {
            return machine;
        };
        let memory = device.memory_info().ok();
        Machine {
            gpu: device.name().ok(),
            #[allow(clippy::cast_precision_loss)] // a percentage
            gpu_percent: device.utilization_rates().ok().map(|rates| rates.gpu as f32),
            gpu_memory_used: memory.as_ref().map(|memory| memory.used),
            gpu_memory_total: memory.as_ref().map(|memory| memory.total),
            #[allow(clippy::cast_precision_loss)] // some tens of degrees
            gpu_celsius: device.temperature(TemperatureSensor::Gpu).ok().map(|celsius| celsius as f32),
            #[allow(clippy::cast_precision_loss)] // some hundreds of watts
            gpu_watts: device.power_usage().ok().map(|milliwatts| milliwatts as f32 / 1000.0),
            ..machine
        }
    }
}
