// Ways to compute a convolution.
//
// A convolution and its transpose lie between a small and a big picture: the kernel stands at every place of the small
// one and sees a part of the big one. Pictures are contiguous, channels last.
#pragma once
#include <ATen/core/Tensor.h>
#include <c10/util/FunctionRef.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace sparring {

// How the kernel moves over the pictures; the same vertically and horizontally.
struct ConvOptions {
  int64_t stride, padding;
  bool transposed;
  // Groups of channels, each of which is convolved by itself.
  int64_t groups;
};

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
  // Whether a place of the kernel is a pixel, so that nothing needs unfolding.
  bool is_pointwise() const { return kernel == 1 && stride == 1 && padding == 0; }
};

// The geometry of a convolution between contiguous pictures, channels last.
Geometry geometry(const at::Tensor& small, const at::Tensor& big, int64_t kernel, const ConvOptions& options);

// A convolution with its weights, computed in one of the ways. The threads of the team use it for different pictures at
// the same time.
class ConvKernel {
 public:
  virtual ~ConvKernel() = default;

  // Pictures to take at a time, so that what is made of them stays in a thread's cache.
  virtual int64_t together() const = 0;

  // small = what the weights make of all that they see, for `count` pictures.
  virtual void gather(const float* big, float* small, int64_t count) const = 0;

  // The reverse: big = the sum of the weights at each place, as much of them as the small picture says.
  virtual void spread(const float* small, float* big, int64_t count) const = 0;

  // Floats of a sum of gradients for the weights.
  virtual int64_t sum_size() const = 0;

  // Makes such a sum from gradients for the outputs of `gather` or for the inputs of `spread`, or adds to it if `added`.
  // `is_gathered` says that the calling thread's last call was to gather from the same pictures.
  virtual void sum_gradients(const float* small, const float* big, float* sum, int64_t count, bool added,
                             bool is_gathered) const = 0;

  // The gradient for the weights, in their shape, from sums [sums, sum_size].
  virtual at::Tensor gradient(const at::Tensor& sums) const = 0;
};

// What a kernel is used for, besides gradients for its weights.
enum class Use { Gather, Spread };

// The fastest way for these pictures. The weights are [small channels, big channels/groups, kernel, kernel].
std::unique_ptr<ConvKernel> conv_kernel(const Geometry& g, const at::Tensor& weight, Use use);

// Goes through piece `index` of the pictures in portions of `together`.
void for_each_portion(int64_t pictures, int64_t pieces, int64_t index, int64_t together,
                      c10::function_ref<void(int64_t start, int64_t count)> work);

// Memory that the calling thread keeps between calls. Numbers 0 and 1 are for the ways to compute a convolution.
template <int which>
float* scratch(int64_t floats) {
  thread_local std::vector<float> memory;
  if (memory.size() < static_cast<size_t>(floats)) memory.resize(floats);
  return memory.data();
}

}  // namespace sparring
