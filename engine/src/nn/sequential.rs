//! Modules in a row.

use tch::Tensor;

use super::module::{Mode, Module, NamedTensors};

/// Modules applied one after the other. Each is named by its index in the equivalent `torch.nn.Sequential`, in which
/// activations are modules of their own.
#[derive(Debug, Default)]
pub struct Sequential {
    modules: Vec<(usize, Box<dyn Module>)>,
    /// The index of the next module.
    next: usize,
}

impl Sequential {
    /// Appends a module.
    pub fn push(&mut self, module: impl Module + 'static) {
        let index = self.next;
        self.next += module.torch_modules();
        self.modules.push((index, Box::new(module)));
    }

    /// The outputs of all modules but the last, and of the last.
    pub(super) fn forward_with_features(&self, input: &Tensor, mode: Mode) -> [Tensor; 2] {
        let Some(((_, last), before)) = self.modules.split_last() else {
            return [input.shallow_clone(), input.shallow_clone()];
        };
        let features = apply(before, input, mode);
        let output = last.forward(&features, mode);
        [features, output]
    }

    /// The index of the first module whose output is not finite on this input.
    pub(super) fn first_non_finite(&self, input: &Tensor) -> Option<usize> {
        let mut x = input.shallow_clone();
        self.modules.iter().find_map(|(index, module)| {
            x = module.forward(&x, Mode::Eval);
            (!is_finite(&x)).then_some(*index)
        })
    }

    fn named<'a>(&'a self, of: impl Fn(&'a dyn Module) -> NamedTensors<'a>) -> NamedTensors<'a> {
        let modules = self.modules.iter();
        modules
            .flat_map(|(index, module)| {
                let tensors = of(module.as_ref()).into_iter();
                tensors.map(move |(name, tensor)| (format!("{index}.{name}"), tensor))
            })
            .collect()
    }
}

impl Module for Sequential {
    fn forward(&self, input: &Tensor, mode: Mode) -> Tensor {
        apply(&self.modules, input, mode)
    }

    fn parameters(&self) -> NamedTensors<'_> {
        self.named(Module::parameters)
    }

    fn buffers(&self) -> NamedTensors<'_> {
        self.named(Module::buffers)
    }
}

fn apply(modules: &[(usize, Box<dyn Module>)], input: &Tensor, mode: Mode) -> Tensor {
    let start = input.shallow_clone();
    modules
        .iter()
        .fold(start, |x, (_, module)| module.forward(&x, mode))
}

/// Whether all numbers are finite. Waits for the device.
pub(super) fn is_finite(tensor: &Tensor) -> bool {
    tensor.isfinite().all().int64_value(&[]) != 0
}
