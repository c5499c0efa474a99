#include "conv_kernel.h"

#include <torch/types.h>

#include "tiled.h"
#include "turned.h"
#include "unfold.h"
#include "winograd.h"

namespace sparring {

Geometry geometry(const at::Tensor& small, const at::Tensor& big, int64_t kernel, const ConvOptions& options) {
  const auto side = [&](const at::Tensor& t) {
    return Side{t.size(2), t.size(3), t.size(1), t.size(1) / options.groups};
  };
  return {side(small), side(big), kernel, options.stride, options.padding, options.groups};
}

std::unique_ptr<ConvKernel> conv_kernel(const Geometry& g, const at::Tensor& weight, Use use) {
  if (takes_tiled(g)) return std::make_unique<TiledKernel>(g, weight, use);
  if (takes_winograd(g)) return std::make_unique<WinogradKernel>(g, weight, use);
  if (takes_turned(g)) return std::make_unique<TurnedKernel>(g, weight);
  return std::make_unique<UnfoldedKernel>(g, weight);
}

void for_each_portion(int64_t pictures, int64_t pieces, int64_t index, int64_t together,
                      c10::function_ref<void(int64_t start, int64_t count)> work) {
  const int64_t end = pictures * (index + 1) / pieces;
  for (int64_t start = pictures * index / pieces; start < end; start += together)
    work(start, std::min(together, end - start));
}

}  // namespace sparring
