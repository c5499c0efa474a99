// Adam's pass over the parameters of a network.
#pragma once
#include <ATen/core/Tensor.h>

#include <vector>

namespace sparring {

struct AdamStep {
  double learning_rate, beta1, beta2, epsilon;
};

// One step of Adam over all parameters in one pass: libtorch's fused kernel on a GPU, the team's on the CPU.
void adam(const std::vector<at::Tensor>& parameters, const std::vector<at::Tensor>& gradients,
          const std::vector<at::Tensor>& exp_avgs, const std::vector<at::Tensor>& exp_avg_sqs, const at::Tensor& step,
          const AdamStep& numbers);

}  // namespace sparring
