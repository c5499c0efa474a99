#include "resample.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "loops.h"
#include "team.h"
#include "tensors.h"

// Bilinear interpolation makes two pixels of one: each is 3/4 of that pixel and 1/4 of its neighbour on that side. The
// transpose of this, divided by 4, is the filter [1 3 3 1] / 8 in both directions. So each of the two operations is, but
// for a factor of 4, the gradient of the other.

namespace sparring {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// to = near · 3/4 + far · 1/4
inline __attribute__((always_inline)) void blend(float* __restrict to, const float* near, const float* far, int64_t length) {
  for (int64_t i = 0; i < length; i++) to[i] = 0.75F * near[i] + 0.25F * far[i];
}

// to = (outer₁ + 3 · inner₁ + 3 · inner₂ + outer₂) / 8
inline __attribute__((always_inline)) void gather(float* __restrict to, const float* outer1, const float* inner1,
                                                  const float* inner2, const float* outer2, int64_t length) {
  for (int64_t i = 0; i < length; i++)
    to[i] = 0.125F * (outer1[i] + outer2[i]) + 0.375F * (inner1[i] + inner2[i]);
}

// Lines of `count` numbers become twice as many, or half as many, `length` floats each.
VECTORIZED void spread_lines(const float* from, float* to, int64_t count, int64_t length) {
  for (int64_t i = 0; i < count; i++) {
    const float* here = from + i * length;
    blend(to + 2 * i * length, here, from + std::max<int64_t>(i - 1, 0) * length, length);
    blend(to + (2 * i + 1) * length, here, from + std::min(i + 1, count - 1) * length, length);
  }
}

VECTORIZED void gather_lines(const float* from, float* to, int64_t count, int64_t length) {
  for (int64_t i = 0; i < count / 2; i++) {
    const float *inner1 = from + 2 * i * length, *inner2 = inner1 + length;
    const float *outer1 = i == 0 ? inner1 : inner1 - length, *outer2 = 2 * i + 2 < count ? inner2 + length : inner2;
    gather(to + i * length, outer1, inner1, inner2, outer2, length);
  }
}

template <typename Work>
void for_each_picture(int64_t count, Work work) {
  const int64_t pieces = std::min<int64_t>(count, team_size());
  share(pieces, [&](int64_t index) {
    std::vector<float> rows;
    for (int64_t i = count * index / pieces; i < count * (index + 1) / pieces; i++) work(i, rows);
  });
}

// The filter for pictures of these channels, one group each. Made once for each device and kind of number, and there: a
// tensor made from numbers of the host would have to wait for the device.
Tensor filter_for(const Tensor& pictures) {
  static std::mutex mutex;
  // Never freed: at the end of the process the device is gone before it would be.
  static auto* filters = new std::map<std::pair<std::string, at::ScalarType>, Tensor>();
  const std::lock_guard<std::mutex> lock(mutex);
  Tensor& filter = (*filters)[{pictures.device().str(), pictures.scalar_type()}];
  if (!filter.defined()) {
    const Tensor taps = at::full({4}, 0.125, pictures.options());
    taps.narrow(0, 1, 2).fill_(0.375);
    filter = at::outer(taps, taps);
  }
  return filter.expand({pictures.size(1), 1, 4, 4});
}

struct Up : torch::autograd::Function<Up> {
  static Tensor forward(AutogradContext*, const Tensor& pictures) {
    if (!is_ours(pictures))
      return at::upsample_bilinear2d(pictures, {2 * pictures.size(2), 2 * pictures.size(3)}, false);
    const int64_t n = pictures.size(0), c = pictures.size(1), height = pictures.size(2), width = pictures.size(3);
    Tensor out = at::empty({n, c, 2 * height, 2 * width}, pictures.options(), CHANNELS_LAST);
    const float* from = pictures.const_data_ptr<float>();
    float* to = out.data_ptr<float>();
    for_each_picture(n, [&](int64_t i, std::vector<float>& rows) {
      const int64_t line = width * c;
      rows.resize(2 * height * line);
      spread_lines(from + i * height * line, rows.data(), height, line);
      for (int64_t y = 0; y < 2 * height; y++)
        spread_lines(rows.data() + y * line, to + (i * 2 * height + y) * 2 * line, width, c);
    });
    return out;
  }

  static variable_list backward(AutogradContext*, variable_list arriving) { return {4.0 * downsampled(arriving[0])}; }
};

struct Down : torch::autograd::Function<Down> {
  static Tensor forward(AutogradContext*, const Tensor& pictures) {
    if (!is_ours(pictures))
      return at::conv2d(at::replication_pad2d(pictures, {1, 1, 1, 1}), filter_for(pictures), {}, {2, 2},
                        at::IntArrayRef{0, 0}, {1, 1}, pictures.size(1));
    const int64_t n = pictures.size(0), c = pictures.size(1), height = pictures.size(2), width = pictures.size(3);
    Tensor out = at::empty({n, c, height / 2, width / 2}, pictures.options(), CHANNELS_LAST);
    const float* from = pictures.const_data_ptr<float>();
    float* to = out.data_ptr<float>();
    for_each_picture(n, [&](int64_t i, std::vector<float>& rows) {
      const int64_t line = width * c;
      rows.resize(height / 2 * line);
      gather_lines(from + i * height * line, rows.data(), height, line);
      for (int64_t y = 0; y < height / 2; y++)
        gather_lines(rows.data() + y * line, to + (i * height / 2 + y) * line / 2, width, c);
    });
    return out;
  }

  static variable_list backward(AutogradContext*, variable_list arriving) { return {0.25 * upsampled(arriving[0])}; }
};

// The pictures in the layout that our own operations take; libtorch's take any.
Tensor in_order(const Tensor& pictures) { return is_ours(pictures) ? pictures.contiguous(CHANNELS_LAST) : pictures; }

}  // namespace

Tensor upsampled(const Tensor& pictures) {
  TORCH_CHECK(pictures.dim() == 4, "pictures of sizes ", pictures.sizes());
  return Up::apply(in_order(pictures));
}

Tensor downsampled(const Tensor& pictures) {
  TORCH_CHECK(pictures.dim() == 4 && pictures.size(2) % 2 == 0 && pictures.size(3) % 2 == 0, "pictures of sizes ",
              pictures.sizes());
  return Down::apply(in_order(pictures));
}

}  // namespace sparring
