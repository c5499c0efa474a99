// Pictures as matrices, so that a convolution is a product.
//
// A convolution is the product of its weights with the unfolded pictures (im2col), which have a row for each position of
// the kernel, with all that the kernel sees there. A transposed convolution makes the product first and then folds its
// rows, which adds them up where they overlap. With the channels of a pixel side by side in memory ("channels last"),
// folding and unfolding copy long runs.
#pragma once
#include "conv_kernel.h"
#include "product.h"

namespace sparring {

// Floats unfolded at a time: half a megabyte.
constexpr int64_t UNFOLDED = 1 << 17;

// The weights as a matrix [small channels, columns], and the rows of a group.
at::Tensor matrix(const at::Tensor& weight);
Block weights_of(const Geometry& g, const at::Tensor& matrix, int64_t group);

// What the kernel sees of a group's channels of `count` big pictures: a row for each place. Valid until the calling
// thread's next call.
Block seen(const Geometry& g, const float* big, int64_t count);

// The reverse of `seen`: adds up the rows of small · weights at the places in the big pictures that they are for. The
// first group's call clears the pictures of all groups.
void spread(const Geometry& g, const Block& small, const Block& weights, float* big, int64_t count, bool is_first);

// Convolutions of every kind.
class UnfoldedKernel final : public ConvKernel {
 public:
  UnfoldedKernel(const Geometry& g, const at::Tensor& weight) : g_(g), weights_(matrix(weight)) {}

  int64_t together() const override { return std::max<int64_t>(1, UNFOLDED / g_.unfolded()); }
  void gather(const float* big, float* small, int64_t count) const override;
  void spread(const float* small, float* big, int64_t count) const override;
  int64_t sum_size() const override { return g_.small.channels * g_.columns(); }
  void sum_gradients(const float* small, const float* big, float* sum, int64_t count, bool added,
                     bool is_gathered) const override;
  at::Tensor gradient(const at::Tensor& sums) const override;

 private:
  Block small_of(const float* small, int64_t count, int64_t group) const {
    return {small + group * g_.small.group, count * g_.small.places(), g_.small.group, g_.small.channels};
  }

  Geometry g_;
  at::Tensor weights_;
};

}  // namespace sparring
