//! NVIDIA's driver, asked directly: it counts devices as CUDA does, and can say why there are none.

use std::ffi::{CStr, c_char, c_int, c_void};

/// The driver, and the devices that it offers to this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Driver {
    /// The newest CUDA version that it can run, such as 13000 for 13.0.
    pub cuda_version: i64,
    /// In the order of their numbers; `CUDA_VISIBLE_DEVICES` hides and orders them.
    pub devices: Vec<Hardware>,
}

/// A CUDA device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hardware {
    /// Such as `NVIDIA H100 80GB HBM3`.
    pub name: String,
    /// As NVIDIA's management library writes it, such as `GPU-6d1b…`.
    pub uuid: String,
    /// Compute capability, such as 90 for 9.0.
    pub capability: i64,
    /// Bytes of memory.
    pub memory: u64,
    /// Who may use it.
    pub mode: ComputeMode,
}

/// Who may use a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComputeMode {
    /// Every process.
    Shared,
    /// One process at a time.
    Exclusive,
    /// No process.
    Prohibited,
}

/// Why the driver offers nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DriverError {
    /// It is not installed.
    #[error("no NVIDIA driver was found (libcuda.so.1)")]
    Missing,
    /// It finds no device.
    #[error("NVIDIA's driver finds no device{}", hidden())]
    NoDevice,
    /// It cannot be used.
    #[error("NVIDIA's driver cannot be used: {0}")]
    Unusable(String),
}

/// What hides devices, if something does.
fn hidden() -> String {
    std::env::var("CUDA_VISIBLE_DEVICES").map_or_else(
        |_| String::new(),
        |devices| format!(" (CUDA_VISIBLE_DEVICES is {devices:?})"),
    )
}

/// From NVIDIA's cuda.h.
mod cuda_h {
    use super::{c_char, c_int};

    pub(super) const SUCCESS: c_int = 0;
    pub(super) const ERROR_NO_DEVICE: c_int = 100;
    pub(super) const COMPUTE_MODE: c_int = 20;
    pub(super) const CAPABILITY_MAJOR: c_int = 75;
    pub(super) const CAPABILITY_MINOR: c_int = 76;
    pub(super) const MODE_PROHIBITED: c_int = 2;
    pub(super) const MODE_EXCLUSIVE_PROCESS: c_int = 3;

    pub(super) type Init = unsafe extern "C" fn(flags: u32) -> c_int;
    pub(super) type DriverGetVersion = unsafe extern "C" fn(*mut c_int) -> c_int;
    pub(super) type DeviceGetCount = unsafe extern "C" fn(*mut c_int) -> c_int;
    pub(super) type DeviceGet = unsafe extern "C" fn(device: *mut c_int, ordinal: c_int) -> c_int;
    pub(super) type DeviceGetName =
        unsafe extern "C" fn(*mut c_char, length: c_int, device: c_int) -> c_int;
    pub(super) type DeviceGetAttribute =
        unsafe extern "C" fn(*mut c_int, attribute: c_int, device: c_int) -> c_int;
    pub(super) type DeviceTotalMem = unsafe extern "C" fn(*mut usize, device: c_int) -> c_int;
    pub(super) type DeviceGetUuid = unsafe extern "C" fn(*mut [u8; 16], device: c_int) -> c_int;
    pub(super) type GetErrorString =
        unsafe extern "C" fn(error: c_int, text: *mut *const c_char) -> c_int;
}

impl Driver {
    /// Asks the driver, which this initialises.
    pub fn open() -> Result<Self, DriverError> {
        Library::open()
            .ok_or(DriverError::Missing)
            .and_then(|library| library.driver())
    }
}

/// `libcuda.so.1`, which is never closed.
struct Library(*mut c_void);

impl Library {
    #[cfg(target_os = "linux")]
    fn open() -> Option<Self> {
        // SAFETY: opening the driver's library runs its initialisers, which touch nothing of ours.
        let library = unsafe { libc::dlopen(c"libcuda.so.1".as_ptr(), libc::RTLD_NOW) };
        (!library.is_null()).then_some(Self(library))
    }

    #[cfg(not(target_os = "linux"))]
    fn open() -> Option<Self> {
        None
    }

    /// A function of the library.
    ///
    /// # Safety
    /// `F` is the function's type, as the driver's header declares it.
    unsafe fn function<F: Copy>(&self, name: &CStr) -> Result<F, DriverError> {
        // SAFETY: the library is open.
        let found = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        if found.is_null() {
            let name = name.to_string_lossy();
            return Err(DriverError::Unusable(format!("it has no {name}")));
        }
        // SAFETY: a pointer to a function of this type, as the caller promises.
        Ok(unsafe { std::mem::transmute_copy(&found) })
    }

    fn driver(&self) -> Result<Driver, DriverError> {
        // SAFETY: the functions have the types of their names, and are given pointers to what they write.
        unsafe {
            let init: cuda_h::Init = self.function(c"cuInit")?;
            self.check(init(0))?;
            let version: cuda_h::DriverGetVersion = self.function(c"cuDriverGetVersion")?;
            let count: cuda_h::DeviceGetCount = self.function(c"cuDeviceGetCount")?;
            let (mut cuda_version, mut devices) = (0, 0);
            self.check(version(&raw mut cuda_version))?;
            self.check(count(&raw mut devices))?;
            if devices == 0 {
                return Err(DriverError::NoDevice);
            }
            let devices = (0..devices).map(|ordinal| self.hardware(ordinal));
            Ok(Driver {
                cuda_version: cuda_version.into(),
                devices: devices.collect::<Result<_, _>>()?,
            })
        }
    }

    fn hardware(&self, ordinal: c_int) -> Result<Hardware, DriverError> {
        // SAFETY: as in `driver`; a name is a C string that fits its buffer.
        unsafe {
            let get: cuda_h::DeviceGet = self.function(c"cuDeviceGet")?;
            let name_of: cuda_h::DeviceGetName = self.function(c"cuDeviceGetName")?;
            let total_memory: cuda_h::DeviceTotalMem = self.function(c"cuDeviceTotalMem_v2")?;
            let uuid_of: cuda_h::DeviceGetUuid = self.function(c"cuDeviceGetUuid")?;
            let (mut device, mut memory, mut uuid) = (0, 0, [0; 16]);
            let mut name: [c_char; 256] = [0; 256];
            self.check(get(&raw mut device, ordinal))?;
            self.check(name_of(name.as_mut_ptr(), 255, device))?;
            self.check(total_memory(&raw mut memory, device))?;
            self.check(uuid_of(&raw mut uuid, device))?;
            let major = self.attribute(cuda_h::CAPABILITY_MAJOR, device)?;
            let minor = self.attribute(cuda_h::CAPABILITY_MINOR, device)?;
            let mode = match self.attribute(cuda_h::COMPUTE_MODE, device)? {
                cuda_h::MODE_PROHIBITED => ComputeMode::Prohibited,
                cuda_h::MODE_EXCLUSIVE_PROCESS => ComputeMode::Exclusive,
                _ => ComputeMode::Shared,
            };
            Ok(Hardware {
                name: CStr::from_ptr(name.as_ptr()).to_string_lossy().into_owned(),
                uuid: uuid_text(&uuid),
                capability: (major * 10 + minor).into(),
                memory: memory as u64,
                mode,
            })
        }
    }

    fn attribute(&self, attribute: c_int, device: c_int) -> Result<c_int, DriverError> {
        let mut value = 0;
        // SAFETY: as in `driver`.
        unsafe {
            let get: cuda_h::DeviceGetAttribute = self.function(c"cuDeviceGetAttribute")?;
            self.check(get(&raw mut value, attribute, device))?;
        }
        Ok(value)
    }

    /// Turns the driver's error numbers into its words.
    fn check(&self, error: c_int) -> Result<(), DriverError> {
        match error {
            cuda_h::SUCCESS => Ok(()),
            cuda_h::ERROR_NO_DEVICE => Err(DriverError::NoDevice),
            error => Err(DriverError::Unusable(self.words(error))),
        }
    }

    fn words(&self, error: c_int) -> String {
        let mut text = std::ptr::null();
        // SAFETY: as in `driver`; the driver's texts live as long as it.
        unsafe {
            let known = self
                .function::<cuda_h::GetErrorString>(c"cuGetErrorString")
                .is_ok_and(|words| words(error, &raw mut text) == cuda_h::SUCCESS);
            if known && !text.is_null() {
                let text = CStr::from_ptr(text).to_string_lossy();
                return format!("{text} (error {error})");
            }
        }
        format!("error {error}")
    }
}

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

#[cfg(test)]
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
}
