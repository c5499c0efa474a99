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

// The usual runs: of a group of 16 channels, and of a line of a 4 x 4 kernel over one or three channels. The compiler
// calls a function for a length that it does not know.
constexpr int64_t GROUP = 16, GREY_LINE = 4, COLOUR_LINE = 12;

// Copies runs, most of which have a usual length; 0 if there is none.
template <int64_t usual>
inline __attribute__((always_inline)) void unfold_runs(const Geometry& g, const float* __restrict picture,
                                                       float* __restrict columns) {
  go_over(
      g,
      [=](int64_t column, int64_t pixel, int64_t length) {
        if (usual > 0 && length == usual) {
          for (int64_t i = 0; i < usual; i++) columns[column + i] = picture[pixel + i];
        } else {
          for (int64_t i = 0; i < length; i++) columns[column + i] = picture[pixel + i];
        }
      },
      [=](int64_t column, int64_t length) {
        for (int64_t i = 0; i < length; i++) columns[column + i] = 0.0F;
      });
}

template <int64_t usual>
inline __attribute__((always_inline)) void fold_runs(const Geometry& g, const float* __restrict columns,
                                                     float* __restrict picture) {
  go_over(
      g,
      [=](int64_t column, int64_t pixel, int64_t length) {
        if (usual > 0 && length == usual) {
          for (int64_t i = 0; i < usual; i++) picture[pixel + i] += columns[column + i];
        } else {
          for (int64_t i = 0; i < length; i++) picture[pixel + i] += columns[column + i];
        }
      },
      [](int64_t, int64_t) {});
}

// The usual length of a run, 0 if it is none of the usual ones.
int64_t usual_run(const Geometry& g) {
  const int64_t run = g.groups > 1 ? g.big.group : g.kernel * g.big.group;
  return run == GROUP || run == GREY_LINE || run == COLOUR_LINE ? run : 0;
}

VECTORIZED void unfold(const Geometry& g, const float* picture, float* columns) {
  switch (usual_run(g)) {
    case GROUP: return unfold_runs<GROUP>(g, picture, columns);
    case GREY_LINE: return unfold_runs<GREY_LINE>(g, picture, columns);
    case COLOUR_LINE: return unfold_runs<COLOUR_LINE>(g, picture, columns);
    default: return unfold_runs<0>(g, picture, columns);
  }
}

VECTORIZED void fold(const Geometry& g, const float* columns, float* picture) {
  switch (usual_run(g)) {
    case GROUP: return fold_runs<GROUP>(g, columns, picture);
    case GREY_LINE: return fold_runs<GREY_LINE>(g, columns, picture);
    case COLOUR_LINE: return fold_runs<COLOUR_LINE>(g, columns, picture);
    default: return fold_runs<0>(g, columns, picture);
  }
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

Tensor matrix(const Tensor& weight) { return weight.permute({0, 2, 3, 1}).contiguous(); }

Block weights_of(const Geometry& g, const Tensor& matrix, int64_t group) {
  return Block{matrix.const_data_ptr<float>(), g.small.channels, g.columns(), g.columns()}.rows_from(
      group * g.small.group, g.small.group);
}

void UnfoldedKernel::gather(const float* big, float* small, int64_t count) const {
  for (int64_t group = 0; group < g_.groups; group++) {
    const Block unfolded = seen(g_, big + group * g_.big.group, count);
    product(small + group * g_.small.group, g_.small.channels, unfolded, weights_of(g_, weights_, group).t());
  }
}

void UnfoldedKernel::spread(const float* small, float* big, int64_t count) const {
  for (int64_t group = 0; group < g_.groups; group++)
    sparring::spread(g_, small_of(small, count, group), weights_of(g_, weights_, group), big + group * g_.big.group, count,
                     group == 0);
}

void UnfoldedKernel::sum_gradients(const float* small, const float* big, float* sum, int64_t count, bool added,
                                   bool is_gathered) const {
  for (int64_t group = 0; group < g_.groups; group++) {
    // What was unfolded last is that of the last group.
    const bool is_unfolded = is_gathered && g_.groups == 1 && !g_.is_pointwise();
    const int64_t rows = count * g_.small.places();
    const Block unfolded = is_unfolded ? Block{scratch<0>(0), rows, g_.columns(), g_.columns()}
                                       : seen(g_, big + group * g_.big.group, count);
    float* to = sum + group * g_.small.group * g_.columns();
    sum_products(to, g_.columns(), small_of(small, count, group), unfolded, added);
  }
}

Tensor UnfoldedKernel::gradient(const Tensor& sums) const {
  const Tensor sum = sums.sum(0).view({g_.small.channels, g_.kernel, g_.kernel, g_.big.group});
  return sum.permute({0, 3, 1, 2}).contiguous();
}

}  // namespace sparring
