// Pictures as matrices, so that a convolution is a product.
//
// A convolution is the product of its weights with the unfolded pictures (im2col), which have a row for each position of
// the kernel, with all that the kernel sees there. A transposed convolution makes the product first and then folds its
// rows, which adds them up where they overlap. With the channels of a pixel side by side in memory ("channels last"),
// folding and unfolding copy long runs.
#pragma once
#include <ATen/core/Tensor.h>
#include <c10/util/FunctionRef.h>

#include <algorithm>
#include <vector>

#include "conv.h"
#include "product.h"

namespace sparring {

// Floats unfolded at a time: half a megabyte.
constexpr int64_t UNFOLDED = 1 << 17;

// The picture on one side of the kernel. The small one is the output of a convolution and the input of a transposed
// one. Its channels fall into groups of `group` channels each.
struct Side {
  int64_t height, width, channels, group;
  int64_t places() const { return height * width; }
  int64_t size() const { return places() * channels; }
};

struct Geometry {
  Side small, big;
  int64_t kernel, stride, padding, groups;

  // The weights as a matrix have a row for each small channel and a column for each number that the kernel sees in its
  // group.
  int64_t columns() const { return kernel * kernel * big.group; }
  int64_t unfolded() const { return small.places() * columns(); }
  // Pictures unfolded at a time.
  int64_t together() const { return std::max<int64_t>(1, UNFOLDED / unfolded()); }
  // Whether a place of the kernel is a pixel, so that nothing needs unfolding.
  bool is_pointwise() const { return kernel == 1 && stride == 1 && padding == 0; }
};

// The geometry of a convolution between contiguous pictures, channels last.
Geometry geometry(const at::Tensor& small, const at::Tensor& big, int64_t kernel, const ConvOptions& options);

// The weights as a matrix [small channels, columns], and the rows of a group.
at::Tensor matrix(const at::Tensor& weight);
Block weights_of(const Geometry& g, const at::Tensor& matrix, int64_t group);

// What the kernel sees of a group's channels of `count` big pictures: a row for each place. Valid until the calling
// thread's next call.
Block seen(const Geometry& g, const float* big, int64_t count);

// The reverse of `seen`: adds up the rows of small · weights at the places in the big pictures that they are for. The
// first group's call clears the pictures of all groups.
void spread(const Geometry& g, const Block& small, const Block& weights, float* big, int64_t count, bool is_first);

// Goes through piece `index` of the pictures in portions of `together`.
void for_each_portion(int64_t pictures, int64_t pieces, int64_t index, int64_t together,
                      c10::function_ref<void(int64_t start, int64_t count)> work);

// Memory that the calling thread keeps between calls.
// Number 0 is for what `seen` and `spread` unfold.
template <int which>
float* scratch(int64_t floats) {
  thread_local std::vector<float> memory;
  if (memory.size() < static_cast<size_t>(floats)) memory.resize(floats);
  return memory.data();
}

}  // namespace sparring
