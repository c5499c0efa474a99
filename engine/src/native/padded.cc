#include "padded.h"

#include <torch/types.h>

#include "loops.h"

namespace sparring {

using at::Tensor;

namespace {

// Copies `width` numbers of each of `count` pixels.
VECTORIZED void copy_pixels(const float* __restrict from, int64_t from_stride, float* __restrict to, int64_t to_stride,
                            int64_t count, int64_t width) {
  // The compiler would call a function for a length that it does not know.
  constexpr int64_t USUAL = 16;
  for (int64_t i = 0; i < count; i++) {
    const float* __restrict source = from + i * from_stride;
    float* __restrict target = to + i * to_stride;
    if (width == USUAL) {
      for (int64_t j = 0; j < USUAL; j++) target[j] = source[j];
    } else {
      for (int64_t j = 0; j < width; j++) target[j] = source[j];
    }
  }
}

}  // namespace

bool takes_padded(const Geometry& g) {
  return g.groups > 1 && g.kernel > 1 && g.stride == 1 && 2 * g.padding == g.kernel - 1 && g.big.group == g.small.group;
}

PaddedKernel::PaddedKernel(const Geometry& g, const Tensor& weight, Use use) : g_(g) {
  // [groups, outputs, inputs, down, across]
  const Tensor grouped = weight.view({g.groups, group(), group(), g.kernel, g.kernel});
  weights_ = use == Use::Gather ? grouped.permute({0, 3, 4, 2, 1}).contiguous()
                                : grouped.flip({3, 4}).permute({0, 3, 4, 1, 2}).contiguous();
}

const float* PaddedKernel::padded(const float* picture) const {
  const int64_t edge = g_.padding, width = g_.big.width, height = g_.big.height;
  const int64_t size = (height + 2 * edge) * line() * group();
  // The last places, which are left out, see some pixels behind the picture.
  const int64_t behind = 2 * edge * group();
  float* to = scratch<0>(size + behind);
  std::fill_n(to, (edge * line() + edge) * group(), 0.0F);
  for (int64_t row = 0; row < height; row++) {
    float* start = to + ((row + edge) * line() + edge) * group();
    copy_pixels(picture + row * width * g_.big.channels, g_.big.channels, start, group(), width, group());
    // The edges to the right, and to the left of the next line.
    std::fill_n(start + width * group(), 2 * edge * group(), 0.0F);
  }
  std::fill_n(to + ((height + edge) * line() + edge) * group(), (edge * line() - edge) * group() + behind, 0.0F);
  return to;
}

void PaddedKernel::convolve(const float* from, float* to, int64_t count) const {
  float* results = scratch<1>(places() * group());
  for (int64_t picture = 0; picture < count; picture++) {
    for (int64_t i = 0; i < g_.groups; i++) {
      const int64_t first = picture * g_.big.size() + i * group();
      const float* pixels = padded(from + first);
      for (int64_t row = 0; row < g_.kernel; row++) {
        const float* weights = weights_.const_data_ptr<float>() + i * group_size() + row * run() * group();
        product(results, group(), seen(pixels, row), {weights, run(), group(), group()}, /*added=*/row > 0);
      }
      for (int64_t row = 0; row < g_.big.height; row++)
        copy_pixels(results + row * line() * group(), group(), to + first + row * g_.big.width * g_.big.channels,
                    g_.big.channels, g_.big.width, group());
    }
  }
}

void PaddedKernel::sum_gradients(const float* small, const float* big, float* sum, int64_t count, bool added,
                                 bool /*is_gathered*/) const {
  float* arriving = scratch<1>(places() * group());
  for (int64_t picture = 0; picture < count; picture++) {
    for (int64_t i = 0; i < g_.groups; i++) {
      const int64_t first = picture * g_.big.size() + i * group();
      // Places that are left out get no gradient.
      std::fill_n(arriving, places() * group(), 0.0F);
      for (int64_t row = 0; row < g_.big.height; row++)
        copy_pixels(small + first + row * g_.big.width * g_.big.channels, g_.big.channels,
                    arriving + row * line() * group(), group(), g_.big.width, group());
      const float* pixels = padded(big + first);
      for (int64_t row = 0; row < g_.kernel; row++) {
        float* to = sum + i * group_size() + row * run() * group();
        sum_products(to, group(), seen(pixels, row), {arriving, places(), group(), group()}, added || picture > 0);
      }
    }
  }
}

Tensor PaddedKernel::gradient(const Tensor& sums) const {
  const Tensor sum = sums.sum(0).view({g_.groups, g_.kernel, g_.kernel, group(), group()});
  return sum.permute({0, 4, 3, 1, 2}).reshape({g_.groups * group(), group(), g_.kernel, g_.kernel}).contiguous();
}

}  // namespace sparring
