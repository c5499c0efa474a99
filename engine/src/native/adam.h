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

// One step of Adam in one pass over all parameters: libtorch's fused kernel on a GPU, the team's on the CPU. `averages`
// move towards the parameters; there may be none. A gradient that is not finite is not applied; it sets `fault`, a
// scalar f32, to one.
void adam(const std::vector<at::Tensor>& parameters, std::vector<at::Tensor> gradients,
          const std::vector<at::Tensor>& exp_avgs, const std::vector<at::Tensor>& exp_avg_sqs,
          const std::vector<at::Tensor>& averages, const at::Tensor& step, const at::Tensor& fault,
          const AdamStep& numbers);

}  // namespace sparring
