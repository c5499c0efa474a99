// The few functions of libtorch that its Rust bindings do not reach. Each returns null, or a message that the caller
// frees with `free`.
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/leaky_relu.h>
#include <c10/core/GradMode.h>
#include <torch/types.h>

#include <cstdint>
#include <cstring>
#include <exception>
#include <vector>

namespace {

template <typename Work>
char* guarded(Work work) {
  try {
    work();
    return nullptr;
  } catch (const c10::Error& error) {
    return strdup(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return strdup(error.what());
  }
}

std::vector<at::Tensor> list(torch::Tensor* const* tensors, int64_t count) {
  std::vector<at::Tensor> out;
  out.reserve(count);
  for (int64_t i = 0; i < count; i++) out.push_back(*tensors[i]);
  return out;
}

}  // namespace

extern "C" {

char* sparring_leaky_relu(torch::Tensor** out, const torch::Tensor* input, double slope) {
  return guarded([&] { *out = new torch::Tensor(at::leaky_relu(*input, slope)); });
}

char* sparring_fused_adam(torch::Tensor* const* parameters, torch::Tensor* const* gradients,
                          torch::Tensor* const* exp_avgs, torch::Tensor* const* exp_avg_sqs, int64_t count,
                          const torch::Tensor* step, double learning_rate, double beta1, double beta2, double epsilon) {
  return guarded([&] {
    c10::NoGradGuard no_grad;
    std::vector<at::Tensor> steps(count, *step);
    at::_fused_adam_(list(parameters, count), list(gradients, count), list(exp_avgs, count),
                     list(exp_avg_sqs, count), /*max_exp_avg_sqs=*/{}, steps, learning_rate, beta1, beta2,
                     /*weight_decay=*/0.0, epsilon, /*amsgrad=*/false, /*maximize=*/false);
  });
}

}  // extern "C"
