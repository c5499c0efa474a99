#include "winograd.h"

#include <torch/types.h>

#include <array>

#include "layout.h"
#include "loops.h"
#include "product.h"
#include "team.h"

namespace sparring {

using at::Tensor;

namespace {

constexpr int64_t KERNEL = 4, TAPS = KERNEL * KERNEL;

// Channels on both sides from which this way is faster: with fewer, making tiles takes longer than the products.
constexpr int64_t FEWEST = 16;

// Rows of a point's matrix to multiply at a time: the weights are read again for each portion.
constexpr int64_t ROWS = 128;

using Sources = std::array<const float*, 9>;
using Targets = std::array<float*, 9>;

// What is different in a tile: 1 in a dimension in which it has two outputs, 0 in one in which it has one.
struct Shape {
  float down, across;
};

// The points of a tile from the 3 x 3 pixels of a phase that it sees.
VECTORIZED void points_of_pixels(const Sources& from, const Targets& to, int64_t channels, Shape tile) {
  const auto [d00, d01, d02, d10, d11, d12, d20, d21, d22] = from;
  const auto [v00, v01, v02, v10, v11, v12, v20, v21, v22] = to;
  const float down = tile.down, across = tile.across;
  INDEPENDENT
  for (int64_t i = 0; i < channels; i++) {
    const float m0 = d10[i], m1 = d11[i], m2 = d12[i];
    const float a0 = d00[i] - down * m0, a1 = d01[i] - down * m1, a2 = d02[i] - down * m2;
    const float b0 = m0 - down * d20[i], b1 = m1 - down * d21[i], b2 = m2 - down * d22[i];
    v00[i] = a0 - across * a1;
    v01[i] = a1;
    v02[i] = a1 - across * a2;
    v10[i] = m0 - across * m1;
    v11[i] = m1;
    v12[i] = m1 - across * m2;
    v20[i] = b0 - across * b1;
    v21[i] = b1;
    v22[i] = b1 - across * b2;
  }
}

// The reverse: adds what the points say to the pixels.
VECTORIZED void pixels_of_points(const Sources& from, const Targets& to, int64_t channels, Shape tile) {
  const auto [v00, v01, v02, v10, v11, v12, v20, v21, v22] = from;
  const auto [d00, d01, d02, d10, d11, d12, d20, d21, d22] = to;
  const float down = tile.down, across = tile.across;
  INDEPENDENT
  for (int64_t i = 0; i < channels; i++) {
    const float a0 = v00[i], a1 = across * (v01[i] - v00[i]) + v02[i], a2 = v02[i];
    const float m0 = v10[i], m1 = across * (v11[i] - v10[i]) + v12[i], m2 = v12[i];
    const float b0 = v20[i], b1 = across * (v21[i] - v20[i]) + v22[i], b2 = v22[i];
    d00[i] += a0;
    d01[i] += a1;
    d02[i] -= a2;
    d10[i] += down * (m0 - a0) + b0;
    d11[i] += down * (m1 - a1) + b1;
    d12[i] -= down * (m2 - a2) + b2;
    d20[i] -= b0;
    d21[i] -= b1;
    d22[i] += b2;
  }
}

// The points of the gradients for a tile's outputs, of which `from` has the 2 x 2 at 0, 1, 3 and 4.
VECTORIZED void points_of_outputs(const Sources& from, const Targets& to, int64_t channels, Shape tile) {
  const float *y00 = from[0], *y01 = from[1], *y10 = from[3], *y11 = from[4];
  const auto [m00, m01, m02, m10, m11, m12, m20, m21, m22] = to;
  const float down = tile.down, across = tile.across;
  INDEPENDENT
  for (int64_t i = 0; i < channels; i++) {
    const float a0 = y00[i], a1 = y01[i], c0 = y10[i], c1 = y11[i];
    const float b0 = a0 + c0, b1 = a1 + c1;
    const float e0 = (1.0F - down) * a0 - down * c0, e1 = (1.0F - down) * a1 - down * c1;
    m00[i] = a0;
    m01[i] = a0 + a1;
    m02[i] = (1.0F - across) * a0 - across * a1;
    m10[i] = b0;
    m11[i] = b0 + b1;
    m12[i] = (1.0F - across) * b0 - across * b1;
    m20[i] = e0;
    m21[i] = e0 + e1;
    m22[i] = (1.0F - across) * e0 - across * e1;
  }
}

// The outputs of a tile, of which `to` has the 2 x 2 at 0, 1, 3 and 4.
VECTORIZED void outputs_of_points(const Sources& from, const Targets& to, int64_t channels, Shape tile) {
  const auto [m00, m01, m02, m10, m11, m12, m20, m21, m22] = from;
  float *y00 = to[0], *y01 = to[1], *y10 = to[3], *y11 = to[4];
  const float down = tile.down, across = tile.across;
  INDEPENDENT
  for (int64_t i = 0; i < channels; i++) {
    // Down first.
    const float a0 = m00[i] + down * m10[i] + (1.0F - down) * m20[i], b0 = m10[i] - m20[i];
    const float a1 = m01[i] + down * m11[i] + (1.0F - down) * m21[i], b1 = m11[i] - m21[i];
    const float a2 = m02[i] + down * m12[i] + (1.0F - down) * m22[i], b2 = m12[i] - m22[i];
    y00[i] = a0 + across * a1 + (1.0F - across) * a2;
    y01[i] = a1 - a2;
    y10[i] = b0 + across * b1 + (1.0F - across) * b2;
    y11[i] = b1 - b2;
  }
}

// A run of numbers for each of 16 taps becomes one for each point and phase: g0, g0 + g1 and g1 in each dimension, where
// a phase's kernel has the taps [phase] and [phase + 2].
VECTORIZED void points_of_taps(const float* taps, int64_t tap_stride, float* points, int64_t point_stride,
                               int64_t phase_stride, int64_t count) {
  for (int64_t phase = 0; phase < 4; phase++) {
    const float* g00 = taps + (phase / 2 * KERNEL + phase % 2) * tap_stride;
    const float *g01 = g00 + 2 * tap_stride, *g10 = g00 + 2 * KERNEL * tap_stride, *g11 = g10 + 2 * tap_stride;
    float* to = points + phase * phase_stride;
    INDEPENDENT
    for (int64_t i = 0; i < count; i++) {
      const float a0 = g00[i], a2 = g01[i], c0 = g10[i], c2 = g11[i], b0 = a0 + c0, b2 = a2 + c2;
      to[i] = a0;
      to[i + point_stride] = a0 + a2;
      to[i + 2 * point_stride] = a2;
      to[i + 3 * point_stride] = b0;
      to[i + 4 * point_stride] = b0 + b2;
      to[i + 5 * point_stride] = b2;
      to[i + 6 * point_stride] = c0;
      to[i + 7 * point_stride] = c0 + c2;
      to[i + 8 * point_stride] = c2;
    }
  }
}

// The reverse, for gradients: the sum of what the points say of a tap.
VECTORIZED void taps_of_points(const float* points, int64_t point_stride, int64_t phase_stride, float* taps,
                               int64_t tap_stride, int64_t count) {
  for (int64_t phase = 0; phase < 4; phase++) {
    float* g00 = taps + (phase / 2 * KERNEL + phase % 2) * tap_stride;
    float *g01 = g00 + 2 * tap_stride, *g10 = g00 + 2 * KERNEL * tap_stride, *g11 = g10 + 2 * tap_stride;
    const float* from = points + phase * phase_stride;
    INDEPENDENT
    for (int64_t i = 0; i < count; i++) {
      const auto at = [&](int64_t point) { return from[i + point * point_stride]; };
      const float a0 = at(0) + at(1), a2 = at(1) + at(2), b0 = at(3) + at(4), b2 = at(4) + at(5);
      const float c0 = at(6) + at(7), c2 = at(7) + at(8);
      g00[i] = a0 + b0;
      g01[i] = a2 + b2;
      g10[i] = b0 + c0;
      g11[i] = b2 + c2;
    }
  }
}

// Numbers that are there to be read, all zero, and those that are there to be written and never read.
const float* nothing(int64_t channels) {
  thread_local std::vector<float> zeros;
  if (zeros.size() < static_cast<size_t>(channels)) zeros.resize(channels);
  return zeros.data();
}
float* nowhere(int64_t channels) {
  thread_local std::vector<float> written;
  if (written.size() < static_cast<size_t>(channels)) written.resize(channels);
  return written.data();
}

}  // namespace

bool takes_winograd(const Geometry& g) {
  return g.kernel == KERNEL && g.stride == 2 && g.padding == 1 && g.groups == 1 && g.big.height == 2 * g.small.height &&
         g.big.width == 2 * g.small.width && std::min(g.small.channels, g.big.channels) >= FEWEST;
}

WinogradKernel::WinogradKernel(const Geometry& g, const Tensor& weight, Use use) : g_(g) {
  for (int64_t i = 0; i < SIDE; i++) {
    const auto needed = [i](int64_t side) { return i == 1 ? side / 2 : (side + 1) / 2; };
    down_[i] = needed(g.small.height);
    across_[i] = needed(g.small.width);
  }
  const int64_t small = g.small.channels, big = g.big.channels;
  const Tensor from = weight.contiguous();
  const float* taps = from.const_data_ptr<float>();
  weights_ = at::empty({POINTS, PHASES * big * small}, from.options());
  float* points = weights_.data_ptr<float>();
  constexpr int64_t BLOCK = 16;
  const int64_t blocks = (small + BLOCK - 1) / BLOCK;
  share(blocks, [&](int64_t block) {
    const int64_t first = block * BLOCK, count = std::min(BLOCK, small - first);
    if (use == Use::Gather) {
      // A big channel's taps, for a block of small channels side by side.
      std::array<float, TAPS * BLOCK> turned;
      for (int64_t channel = 0; channel < big; channel++) {
        turn(taps + (first * big + channel) * TAPS, big * TAPS, turned.data(), BLOCK, count, TAPS);
        points_of_taps(turned.data(), BLOCK, points + channel * small + first, PHASES * big * small, big * small, count);
      }
      return;
    }
    std::vector<float> turned(TAPS * big);
    for (int64_t channel = first; channel < first + count; channel++) {
      turn(taps + channel * big * TAPS, TAPS, turned.data(), big, big, TAPS);
      points_of_taps(turned.data(), big, points + channel * PHASES * big, PHASES * big * small, big, big);
    }
  });
}

int64_t WinogradKernel::together() const { return std::max<int64_t>(1, ROWS / tiles(0)); }

int64_t WinogradKernel::first_tile(int64_t point) const {
  int64_t tiles_before = 0;
  for (int64_t i = 0; i < point; i++) tiles_before += tiles(i);
  return tiles_before;
}

// Calls work(picture, row, column, shape, rows) for each tile, with its row in the matrix of each point; -1 if it does not
// need the point.
template <typename Work>
void WinogradKernel::for_each_tile(int64_t count, Work work) const {
  std::array<int64_t, POINTS> starts, rows;
  for (int64_t point = 0; point < POINTS; point++) starts[point] = count * first_tile(point);
  for (int64_t picture = 0; picture < count; picture++)
    for (int64_t row = 0; row < down_[0]; row++)
      for (int64_t column = 0; column < across_[0]; column++) {
        for (int64_t point = 0; point < POINTS; point++) {
          const int64_t down = down_[point / SIDE], across = across_[point % SIDE];
          const bool is_needed = row < down && column < across;
          rows[point] = is_needed ? starts[point] + (picture * down + row) * across + column : -1;
        }
        work(picture, row, column, Shape{row < down_[1] ? 1.0F : 0.0F, column < across_[1] ? 1.0F : 0.0F}, rows);
      }
}

// Calls work(pixels, points, channels, first) for runs of channels of a tile's phases: where pixels of both columns of phases
// are inside the picture, they lie side by side, and so do their points, so both are one run. `pixels` has where each is in
// the big picture, or -1 outside, and `first` is that of the run among the channels of all phases.
template <typename Work>
void WinogradKernel::for_each_run(int64_t row, int64_t column, Work work) const {
  const int64_t channels = g_.big.channels;
  std::array<int64_t, POINTS> pixels;
  const bool is_inner = column > 0 && 4 * column + 4 < g_.big.width;
  for (int64_t phase = 0; phase < PHASES; phase += is_inner ? 2 : 1) {
    for (int64_t i = 0; i < POINTS; i++) {
      const int64_t y = 4 * row + 2 * (i / SIDE) + phase / 2 - 1, x = 4 * column + 2 * (i % SIDE) + phase % 2 - 1;
      const bool is_inside = y >= 0 && y < g_.big.height && x >= 0 && x < g_.big.width;
      pixels[i] = is_inside ? (y * g_.big.width + x) * channels : -1;
    }
    work(pixels, is_inner ? 2 * channels : channels, phase * channels);
  }
}

void WinogradKernel::big_to_tiles(const float* big, float* tiles, int64_t count) const {
  const float* zeros = nothing(big_width());
  float* unread = nowhere(big_width());
  for_each_tile(count, [&](int64_t picture, int64_t row, int64_t column, Shape shape, const auto& rows) {
    const float* from = big + picture * g_.big.size();
    for_each_run(row, column, [&](const auto& pixels, int64_t channels, int64_t first) {
      Sources seen;
      Targets points;
      for (int64_t i = 0; i < POINTS; i++) {
        seen[i] = pixels[i] < 0 ? zeros : from + pixels[i];
        points[i] = rows[i] < 0 ? unread : tiles + rows[i] * big_width() + first;
      }
      points_of_pixels(seen, points, channels, shape);
    });
  });
}

void WinogradKernel::tiles_to_big(const float* tiles, float* big, int64_t count) const {
  const float* zeros = nothing(big_width());
  float* unread = nowhere(big_width());
  std::fill_n(big, count * g_.big.size(), 0.0F);
  for_each_tile(count, [&](int64_t picture, int64_t row, int64_t column, Shape shape, const auto& rows) {
    float* to = big + picture * g_.big.size();
    for_each_run(row, column, [&](const auto& pixels, int64_t channels, int64_t first) {
      Sources points;
      Targets seen;
      for (int64_t i = 0; i < POINTS; i++) {
        // What a tile of one output does not see is none of its pixels.
        const bool is_seen = (i / SIDE < 2 || shape.down > 0.0F) && (i % SIDE < 2 || shape.across > 0.0F);
        seen[i] = is_seen && pixels[i] >= 0 ? to + pixels[i] : unread;
        points[i] = rows[i] < 0 ? zeros : tiles + rows[i] * big_width() + first;
      }
      pixels_of_points(points, seen, channels, shape);
    });
  });
}

void WinogradKernel::small_to_tiles(const float* small, float* tiles, int64_t count) const {
  const int64_t channels = g_.small.channels;
  const float* zeros = nothing(channels);
  float* unread = nowhere(channels);
  for_each_tile(count, [&](int64_t picture, int64_t row, int64_t column, Shape shape, const auto& rows) {
    const float* from = small + picture * g_.small.size();
    Sources outputs;
    Targets points;
    for (int64_t i = 0; i < POINTS; i++) {
      const int64_t y = 2 * row + i / SIDE, x = 2 * column + i % SIDE;
      const bool is_inside = y < g_.small.height && x < g_.small.width;
      outputs[i] = is_inside ? from + (y * g_.small.width + x) * channels : zeros;
      points[i] = rows[i] < 0 ? unread : tiles + rows[i] * channels;
    }
    points_of_outputs(outputs, points, channels, shape);
  });
}

void WinogradKernel::tiles_to_small(const float* tiles, float* small, int64_t count) const {
  const int64_t channels = g_.small.channels;
  const float* zeros = nothing(channels);
  float* unread = nowhere(channels);
  for_each_tile(count, [&](int64_t picture, int64_t row, int64_t column, Shape shape, const auto& rows) {
    float* to = small + picture * g_.small.size();
    Sources points;
    Targets outputs;
    for (int64_t i = 0; i < POINTS; i++) {
      const int64_t y = 2 * row + i / SIDE, x = 2 * column + i % SIDE;
      const bool is_inside = y < g_.small.height && x < g_.small.width;
      outputs[i] = is_inside ? to + (y * g_.small.width + x) * channels : unread;
      points[i] = rows[i] < 0 ? zeros : tiles + rows[i] * channels;
    }
    outputs_of_points(points, outputs, channels, shape);
  });
}

void WinogradKernel::gather(const float* big, float* small, int64_t count) const {
  const int64_t channels = g_.small.channels, width = big_width();
  float *from = scratch<0>(count * tiles_of_all() * width), *to = scratch<1>(count * tiles_of_all() * channels);
  big_to_tiles(big, from, count);
  for (int64_t point = 0; point < POINTS; point++) {
    const int64_t rows = count * tiles(point), first = count * first_tile(point);
    if (rows == 0) continue;
    const Block weights{weights_.const_data_ptr<float>() + point * width * channels, width, channels, channels};
    product(to + first * channels, channels, {from + first * width, rows, width, width}, weights);
  }
  tiles_to_small(to, small, count);
}

void WinogradKernel::spread(const float* small, float* big, int64_t count) const {
  const int64_t channels = g_.small.channels, width = big_width();
  float *to = scratch<0>(count * tiles_of_all() * width), *from = scratch<1>(count * tiles_of_all() * channels);
  small_to_tiles(small, from, count);
  for (int64_t point = 0; point < POINTS; point++) {
    const int64_t rows = count * tiles(point), first = count * first_tile(point);
    if (rows == 0) continue;
    const Block weights{weights_.const_data_ptr<float>() + point * channels * width, channels, width, width};
    product(to + first * width, width, {from + first * channels, rows, channels, channels}, weights);
  }
  tiles_to_big(to, big, count);
}

void WinogradKernel::sum_gradients(const float* small, const float* big, float* sum, int64_t count, bool added,
                                   bool is_gathered) const {
  const int64_t channels = g_.small.channels, width = big_width();
  float *seen = scratch<0>(count * tiles_of_all() * width), *arriving = scratch<1>(count * tiles_of_all() * channels);
  if (!is_gathered) big_to_tiles(big, seen, count);
  small_to_tiles(small, arriving, count);
  for (int64_t point = 0; point < POINTS; point++) {
    const int64_t rows = count * tiles(point), first = count * first_tile(point);
    float* to = sum + point * channels * width;
    if (rows == 0) {
      if (!added) std::fill_n(to, channels * width, 0.0F);
      continue;
    }
    const Block left{arriving + first * channels, rows, channels, channels};
    product(to, width, left.t(), {seen + first * width, rows, width, width}, added);
  }
}

Tensor WinogradKernel::gradient(const Tensor& sums) const {
  const int64_t small = g_.small.channels, big = g_.big.channels, size = sum_size(), pieces = sums.size(0);
  Tensor out = at::empty({small, big, KERNEL, KERNEL}, sums.options());
  float* to = out.data_ptr<float>();
  float* from = sums.data_ptr<float>();
  const int64_t shares = pieces_of(small);
  share(shares, [&](int64_t index) {
    const auto [first, count] = piece(small, shares, index);
    std::vector<float> taps(TAPS * big);
    for (int64_t channel = first; channel < first + count; channel++) {
      // The sum of all pieces, in place of that of the first.
      for (int64_t point = 0; point < POINTS; point++) {
        float* total = from + (point * small + channel) * big_width();
        for (int64_t other = 1; other < pieces; other++) {
          const float* __restrict more = total + other * size;
          for (int64_t i = 0; i < big_width(); i++) total[i] += more[i];
        }
      }
      taps_of_points(from + channel * big_width(), small * big_width(), big, taps.data(), big, big);
      turn(taps.data(), big, to + channel * big * TAPS, TAPS, TAPS, big);
    }
  });
  return out;
}

}  // namespace sparring
