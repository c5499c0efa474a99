#include "unfold.h"

#include <torch/types.h>

#include "loops.h"

namespace sparring {

using at::Tensor;

namespace {

// Calls `run(column, pixel, length)` for every run of numbers that the kernel sees in a line of a group's channels of
// the big picture, and `gap(column, length)` for every run outside the picture.
template <typename Run, typename Gap>
inline __attribute__((always_inline)) void go_over(const Geometry& g, Run run, Gap gap) {
  const int64_t group = g.big.group, line = g.kernel * group;
  int64_t column = 0;
  for (int64_t y = -g.padding, down = 0; down < g.small.height; down++, y += g.stride) {
    for (int64_t x = -g.padding, across = 0; across < g.small.width; across++, x += g.stride) {
      const int64_t first = std::max<int64_t>(0, -x);
      const int64_t last = std::max(first, std::min(g.kernel, g.big.width - x));
      for (int64_t row = y; row < y + g.kernel; row++, column += line) {
        if (row < 0 || row >= g.big.height) {
          gap(column, line);
          continue;
        }
        if (first > 0) gap(column, first * group);
        const int64_t pixel = (row * g.big.width + x) * g.big.channels;
        if (g.groups == 1) {
          run(column + first * group, pixel + first * group, (last - first) * group);
        } else {
          for (int64_t i = first; i < last; i++) run(column + i * group, pixel + i * g.big.channels, group);
        }
        if (last < g.kernel) gap(column + last * group, (g.kernel - last) * group);
      }
    }
  }
}

VECTORIZED void unfold(const Geometry& g, const float* __restrict picture, float* __restrict columns) {
  // The usual channels of a group; the compiler would call a function for a length that it does not know.
  constexpr int64_t USUAL = 16;
  const auto clear = [=](int64_t column, int64_t length) {
    for (int64_t i = 0; i < length; i++) columns[column + i] = 0.0F;
  };
  if (g.groups > 1 && g.big.group == USUAL) {
    go_over(
        g,
        [=](int64_t column, int64_t pixel, int64_t) {
          for (int64_t i = 0; i < USUAL; i++) columns[column + i] = picture[pixel + i];
        },
        clear);
  } else {
    go_over(
        g,
        [=](int64_t column, int64_t pixel, int64_t length) {
          for (int64_t i = 0; i < length; i++) columns[column + i] = picture[pixel + i];
        },
        clear);
  }
}

VECTORIZED void fold(const Geometry& g, const float* __restrict columns, float* __restrict picture) {
  go_over(
      g,
      [=](int64_t column, int64_t pixel, int64_t length) {
        for (int64_t i = 0; i < length; i++) picture[pixel + i] += columns[column + i];
      },
      [](int64_t, int64_t) {});
}

}  // namespace

Block seen(const Geometry& g, const float* big, int64_t count) {
  const int64_t rows = count * g.small.places();
  if (g.is_pointwise()) return {big, rows, g.big.group, g.big.channels};
  float* columns = scratch<0>(count * g.unfolded());
  for (int64_t i = 0; i < count; i++) unfold(g, big + i * g.big.size(), columns + i * g.unfolded());
  return {columns, rows, g.columns(), g.columns()};
}

void spread(const Geometry& g, const Block& small, const Block& weights, float* big, int64_t count, bool is_first) {
  if (g.is_pointwise()) {
    product(big, g.big.channels, small, weights);
    return;
  }
  float* columns = scratch<0>(count * g.unfolded());
  product(columns, g.columns(), small, weights);
  for (int64_t i = 0; i < count; i++) {
    float* picture = big + i * g.big.size();
    if (is_first) std::fill_n(picture, g.big.size(), 0.0F);
    fold(g, columns + i * g.unfolded(), picture);
  }
}

void for_each_portion(int64_t pictures, int64_t pieces, int64_t index, int64_t together,
                      c10::function_ref<void(int64_t start, int64_t count)> work) {
  const int64_t end = pictures * (index + 1) / pieces;
  for (int64_t start = pictures * index / pieces; start < end; start += together)
    work(start, std::min(together, end - start));
}

Geometry geometry(const Tensor& small, const Tensor& big, int64_t kernel, const ConvOptions& options) {
  const auto side = [&](const Tensor& t) {
    return Side{t.size(2), t.size(3), t.size(1), t.size(1) / options.groups};
  };
  return {side(small), side(big), kernel, options.stride, options.padding, options.groups};
}

Tensor matrix(const Tensor& weight) { return weight.permute({0, 2, 3, 1}).contiguous(); }

Block weights_of(const Geometry& g, const Tensor& matrix, int64_t group) {
  return Block{matrix.const_data_ptr<float>(), g.small.channels, g.columns(), g.columns()}.rows_from(
      group * g.small.group, g.small.group);
}

}  // namespace sparring
