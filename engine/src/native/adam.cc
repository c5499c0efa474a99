#include "adam.h"

#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_fused_adam.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

#include "loops.h"
#include "team.h"

namespace sparring {
namespace {

// Floats per piece: a quarter of a megabyte in each of four lists.
constexpr int64_t PIECE = 1 << 16;
// Gradients that are checked, and then applied while they are still in the L1 cache.
constexpr int64_t STRIP = 1 << 11;

using Tensors = std::vector<at::Tensor>;

// The numbers of a step that are the same for all parameters.
struct Factors {
  // 1 - beta is computed in double precision before it is rounded, as in PyTorch: near 1 a float would lose most
  // digits.
  float mean_weight, beta2, square_weight, step_size, bias_correction2_sqrt, epsilon, average_rate;
};

// Infinities and NaNs have an exponent of all ones.
VECTORIZED bool is_finite(const float* __restrict values, int64_t n) {
  constexpr uint32_t EXPONENT = 0x7f800000;
  uint32_t found = 0;
  for (int64_t i = 0; i < n; i++) {
    uint32_t bits;
    std::memcpy(&bits, values + i, sizeof bits);
    found |= (bits & EXPONENT) == EXPONENT ? 1U : 0U;
  }
  return found == 0;
}

// Kingma and Ba 2015, algorithm 1, in the order of operations of PyTorch.
VECTORIZED void move(float* __restrict parameter, const float* __restrict gradient, float* __restrict exp_avg,
                     float* __restrict exp_avg_sq, int64_t n, const Factors& factors) {
  const auto [mean_weight, beta2, square_weight, step_size, bias_correction2_sqrt, epsilon, _] = factors;
  for (int64_t i = 0; i < n; i++) {
    exp_avg[i] += mean_weight * (gradient[i] - exp_avg[i]);
    exp_avg_sq[i] = beta2 * exp_avg_sq[i] + square_weight * gradient[i] * gradient[i];
    parameter[i] -= step_size * exp_avg[i] / (std::sqrt(exp_avg_sq[i]) / bias_correction2_sqrt + epsilon);
  }
}

VECTORIZED void follow(float* __restrict average, const float* __restrict parameter, int64_t n, float weight) {
  for (int64_t i = 0; i < n; i++) average[i] += weight * (parameter[i] - average[i]);
}

}  // namespace

void move_towards(const Tensors& averages, const Tensors& targets, double rate) {
  if (averages.empty()) return;
  c10::NoGradGuard no_grad;
  at::_foreach_lerp_(averages, targets, rate);
}

void adam(const Tensors& parameters, Tensors gradients, const Tensors& exp_avgs, const Tensors& exp_avg_sqs,
          const Tensors& averages, const AdamScalars& scalars, const AdamStep& numbers) {
  c10::NoGradGuard no_grad;
  const auto& [step, fault, learning_rate, scale] = scalars;
  // The gradient of a gradient penalty may have another memory layout than its parameter.
  for (at::Tensor& gradient : gradients) gradient = gradient.contiguous();
  if (!step.device().is_cpu()) {
    const Tensors steps(parameters.size(), step);
    // The kernels change nothing while `fault` is set, so nobody has to wait for the device to read it.
    at::_amp_foreach_non_finite_check_and_unscale_(gradients, const_cast<at::Tensor&>(fault), scale);
    at::_fused_adam_(parameters, gradients, exp_avgs, exp_avg_sqs, /*max_exp_avg_sqs=*/{}, steps, learning_rate,
                     numbers.beta1, numbers.beta2, /*weight_decay=*/0.0, numbers.epsilon, /*amsgrad=*/false,
                     /*maximize=*/false, /*grad_scale=*/{}, /*found_inf=*/fault);
    if (!averages.empty()) move_towards(averages, parameters, numbers.average_rate);
    return;
  }

  const double count = step.item<float>();
  const Factors factors{static_cast<float>(1.0 - numbers.beta1), static_cast<float>(numbers.beta2),
                        static_cast<float>(1.0 - numbers.beta2),
                        static_cast<float>(numbers.learning_rate / (1.0 - std::pow(numbers.beta1, count))),
                        static_cast<float>(std::sqrt(1.0 - std::pow(numbers.beta2, count))),
                        static_cast<float>(numbers.epsilon), static_cast<float>(numbers.average_rate)};
  struct Part {
    size_t tensor;
    int64_t start, length;
  };
  std::vector<Part> parts;
  for (size_t tensor = 0; tensor < parameters.size(); tensor++) {
    const int64_t numel = parameters[tensor].numel();
    for (int64_t start = 0; start < numel; start += PIECE)
      parts.push_back({tensor, start, std::min(PIECE, numel - start)});
  }
  std::atomic<bool> finite = true;
  share(static_cast<int64_t>(parts.size()), [&](int64_t index) {
    const auto [tensor, start, length] = parts[index];
    for (int64_t done = 0; done < length; done += STRIP) {
      const int64_t n = std::min(STRIP, length - done);
      const auto from = [&](const Tensors& all) { return all[tensor].data_ptr<float>() + start + done; };
      if (!is_finite(from(gradients), n)) {
        finite = false;
        continue;
      }
      move(from(parameters), from(gradients), from(exp_avgs), from(exp_avg_sqs), n, factors);
      if (!averages.empty()) follow(from(averages), from(parameters), n, factors.average_rate);
    }
  });
  if (!finite) *fault.data_ptr<float>() = 1.0F;
}

}  // namespace sparring
