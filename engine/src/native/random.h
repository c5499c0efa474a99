// Random numbers of one's own: neither drawn from libtorch's generator nor in the way of whoever draws from it.
#pragma once
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace sparring {

class Random {
 public:
  explicit Random(uint64_t seed);

  // Normal numbers [rows, columns], f32, on the CPU: those of torch.randn after torch.manual_seed(seed), and on from
  // there.
  at::Tensor normal(int64_t rows, int64_t columns);

 private:
  at::Generator generator_;
};

}  // namespace sparring
