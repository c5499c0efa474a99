// Convolutions that keep the size of the picture and have few outputs.
//
// What the kernel sees would be unfolded into many numbers, to be summed up to few. Seen from the other side it is the
// transposed convolution with the kernel turned by half a circle: each pixel of the big picture first says what it adds to
// the outputs around it, a few numbers, and then these are added up. So this way has the pictures change their roles.
#pragma once
#include "conv_kernel.h"
#include "unfold.h"

namespace sparring {

// Whether this way is possible, and faster.
bool takes_turned(const Geometry& g);

class TurnedKernel final : public ConvKernel {
 public:
  TurnedKernel(const Geometry& g, const at::Tensor& weight);

  int64_t together() const override { return turned_.together(); }
  void gather(const float* big, float* small, int64_t count) const override { turned_.spread(big, small, count); }
  void spread(const float* small, float* big, int64_t count) const override { turned_.gather(small, big, count); }
  int64_t sum_size() const override { return turned_.sum_size(); }
  void sum_gradients(const float* small, const float* big, float* sum, int64_t count, bool added,
                     bool /*is_gathered*/) const override {
    turned_.sum_gradients(big, small, sum, count, added, /*is_gathered=*/false);
  }
  at::Tensor gradient(const at::Tensor& sums) const override;

 private:
  UnfoldedKernel turned_;
};

}  // namespace sparring
