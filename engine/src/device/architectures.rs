//! The devices that libtorch has kernels for.

/// The architectures that libtorch's CUDA backend was compiled for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Architectures {
    /// Compute capabilities of machine code, such as 90, in ascending order.
    machine: Vec<i64>,
    /// Compute capabilities of code that the driver can compile for newer devices.
    intermediate: Vec<i64>,
}

impl Architectures {
    /// Reads the compiler's flags from libtorch's description of its backend, such as
    /// `-gencode;arch=compute_90,code=sm_90`.
    pub fn in_description(description: &str) -> Self {
        let numbers = |prefix: &str| {
            let mut found: Vec<i64> = description
                .split("code=")
                .skip(1)
                .filter_map(|code| code.trim_start_matches('[').strip_prefix(prefix))
                .filter_map(|number| {
                    let digits = number.find(|c: char| !c.is_ascii_digit());
                    number[..digits.unwrap_or(number.len())].parse().ok()
                })
                .collect();
            found.sort_unstable();
            found.dedup();
            found
        };
        Self {
            machine: numbers("sm_"),
            intermediate: numbers("compute_"),
        }
    }

    /// Whether a device of this compute capability can run the kernels: machine code runs on later devices of the same
    /// generation (NVIDIA's binary compatibility), other code on all later ones. Where nothing is known, true.
    pub fn run_on(&self, capability: i64) -> bool {
        let is_unknown = self.machine.is_empty() && self.intermediate.is_empty();
        let same_generation =
            |machine: &i64| machine / 10 == capability / 10 && *machine <= capability;
        is_unknown
            || self.machine.iter().any(same_generation)
            || self.intermediate.iter().any(|code| *code <= capability)
    }

    /// Such as `sm_75, sm_80, sm_90`.
    pub fn names(&self) -> String {
        let machine = self.machine.iter().map(|number| format!("sm_{number}"));
        let intermediate = self
            .intermediate
            .iter()
            .map(|number| format!("compute_{number}"));
        machine.chain(intermediate).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_of_the_same_generation_run_machine_code_and_newer_ones_what_can_be_compiled() {
        let wheel = "  - CUDA Runtime 13.0\n  - NVCC architecture flags: -gencode;arch=compute_75,code=sm_75;-gencode;\
                     arch=compute_80,code=sm_80;-gencode;arch=compute_90,code=sm_90;-gencode;\
                     arch=compute_120,code=sm_120;-gencode;arch=compute_120,code=compute_120\n  - CuDNN 91.3";
        let architectures = Architectures::in_description(wheel);
        assert_eq!(
            architectures.names(),
            "sm_75, sm_80, sm_90, sm_120, compute_120"
        );
        for capability in [75, 80, 86, 89, 90, 120, 121, 130] {
            assert!(architectures.run_on(capability), "{capability}");
        }
        for capability in [60, 61, 70, 72, 100, 103] {
            assert!(!architectures.run_on(capability), "{capability}");
        }
        assert!(Architectures::in_description("").run_on(60));
    }
}
