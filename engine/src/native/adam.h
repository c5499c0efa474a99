// Adam's pass over the parameters of a network.
#pragma once
#include <ATen/core/Tensor.h>

#include <vector>

namespace sparring {

struct AdamStep {
  double learning_rate, beta1, beta2, epsilon;
  // How far the averages move towards the parameters, as a share of the distance.
  double average_rate;
};

// Scalars of f32 on the device of the parameters.
struct AdamScalars {
  // The number of this step, from 1.
  at::Tensor step;
  // Becomes one if a gradient is not finite; such a gradient is not applied.
  at::Tensor fault;
  // The step size, for a device: unlike the number in AdamStep, a graph that was recorded reads it anew.
  at::Tensor learning_rate;
  // One.
  at::Tensor scale;
};

// One step of Adam in one pass over all parameters: libtorch's fused kernel on a GPU, the team's on the CPU. `averages`
// move towards the parameters; there may be none.
void adam(const std::vector<at::Tensor>& parameters, std::vector<at::Tensor> gradients,
          const std::vector<at::Tensor>& exp_avgs, const std::vector<at::Tensor>& exp_avg_sqs,
          const std::vector<at::Tensor>& averages, const AdamScalars& scalars, const AdamStep& numbers);

// Moves each of `averages` towards its target, by a share `rate` of the distance, 0 to 1.
void move_towards(const std::vector<at::Tensor>& averages, const std::vector<at::Tensor>& targets, double rate);

}  // namespace sparring
