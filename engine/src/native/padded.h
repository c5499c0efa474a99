// Convolutions in groups that keep the size of the picture.
//
// Within a padded picture that holds the channels of one group, what the kernel sees of a line lies in one run, and the run
// of the next place begins a pixel later. So the runs of all places are the rows of a matrix that overlap in memory, and a
// convolution is a product for each line of the kernel, without unfolding anything. Places at the end of a line see pixels
// of the next; what comes of them is left out.
#pragma once
#include "conv_kernel.h"
#include "product.h"

namespace sparring {

// Whether this way is possible, and faster.
bool takes_padded(const Geometry& g);

class PaddedKernel final : public ConvKernel {
 public:
  PaddedKernel(const Geometry& g, const at::Tensor& weight, Use use);

  int64_t together() const override { return 1; }
  void gather(const float* big, float* small, int64_t count) const override { convolve(big, small, count); }
  // The reverse of such a convolution is one with turned weights.
  void spread(const float* small, float* big, int64_t count) const override { convolve(small, big, count); }
  int64_t sum_size() const override { return g_.groups * group_size(); }
  void sum_gradients(const float* small, const float* big, float* sum, int64_t count, bool added,
                     bool is_gathered) const override;
  at::Tensor gradient(const at::Tensor& sums) const override;

 private:
  int64_t group() const { return g_.big.group; }
  // Weights of a group.
  int64_t group_size() const { return g_.kernel * run() * group(); }
  // Numbers that the kernel sees in a line.
  int64_t run() const { return g_.kernel * group(); }
  // Pixels in a line of the padded picture, and places from the first to the last, with those that are left out.
  int64_t line() const { return g_.big.width + 2 * g_.padding; }
  int64_t places() const { return (g_.big.height - 1) * line() + g_.big.width; }

  void convolve(const float* from, float* to, int64_t count) const;
  // The group's channels of a picture, padded. Valid until the calling thread's next call.
  const float* padded(const float* picture) const;
  // What the kernel sees in one of its lines: a row for each place.
  Block seen(const float* padded, int64_t row) const {
    return {padded + row * line() * group(), places(), run(), group()};
  }

  Geometry g_;
  // A matrix [what is seen in a line, results] for each line of the kernel, for each group.
  at::Tensor weights_;
};

}  // namespace sparring
