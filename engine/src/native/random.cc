#include "random.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/randn.h>

namespace sparring {

Random::Random(uint64_t seed) : generator_(at::detail::createCPUGenerator(seed)) {}

at::Tensor Random::normal(int64_t rows, int64_t columns) {
  return at::randn({rows, columns}, generator_, at::TensorOptions().dtype(at::kFloat));
}

}  // namespace sparring
