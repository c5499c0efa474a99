#include "tiled.h"

#include <torch/types.h>

#include <array>

#include "loops.h"
#include "product.h"

namespace sparring {

using at::Tensor;

namespace {

constexpr int64_t KERNEL = 3, TAPS = KERNEL * KERNEL;

// Channels of a group from which this way is faster: with fewer, making tiles takes longer than the products.
constexpr int64_t FEWEST = 8;

// Tiles to take at a time, so that their points stay in a near cache.
constexpr int64_t TILES = 48;

// The four numbers of a dimension become four others.
struct Four {
  float a, b, c, d;
};
inline Four points_of_seen(Four d) { return {d.a - d.c, d.b + d.c, d.c - d.b, d.b - d.d}; }
inline Four points_of_taps(float g0, float g1, float g2) {
  return {g0, 0.5F * (g0 + g1 + g2), 0.5F * (g0 - g1 + g2), g2};
}
// The reverse of the latter, for gradients.
inline std::array<float, KERNEL> taps_of_points(Four m) {
  const float even = 0.5F * (m.b + m.c), odd = 0.5F * (m.b - m.c);
  return {m.a + even, odd, even + m.d};
}
// The outputs of a dimension, and their reverse.
inline std::array<float, 2> outputs_of_points(Four m) { return {m.a + m.b + m.c, m.b - m.c - m.d}; }
inline Four points_of_outputs(float y0, float y1) { return {y0, y0 + y1, y0 - y1, -y1}; }

inline void put(Four numbers, float* to, int64_t apart) {
  to[0] = numbers.a;
  to[apart] = numbers.b;
  to[2 * apart] = numbers.c;
  to[3 * apart] = numbers.d;
}

// The points of a tile, which are as far apart as all tiles are long, from the 4 x 4 pixels that it sees, of which those of
// a line follow one another.
[[gnu::always_inline]] inline void make_points_of(const float* __restrict seen, int64_t line, float* __restrict to, int64_t channels) {
  const int64_t apart = TILES * channels;
  INDEPENDENT
  for (int64_t i = 0; i < channels; i++) {
    const float *d0 = seen + i, *d1 = d0 + line, *d2 = d1 + line, *d3 = d2 + line;
    const auto column = [&](int64_t at) { return points_of_seen({d0[at], d1[at], d2[at], d3[at]}); };
    const Four one = column(0), two = column(channels), three = column(2 * channels), four = column(3 * channels);
    float* at = to + i;
    put(points_of_seen({one.a, two.a, three.a, four.a}), at, apart);
    put(points_of_seen({one.b, two.b, three.b, four.b}), at + 4 * apart, apart);
    put(points_of_seen({one.c, two.c, three.c, four.c}), at + 8 * apart, apart);
    put(points_of_seen({one.d, two.d, three.d, four.d}), at + 12 * apart, apart);
  }
}

// The 2 x 2 outputs of a tile from its points.
[[gnu::always_inline]] inline void make_outputs_of(const float* __restrict points, const std::array<float*, 4>& to, int64_t channels) {
  const int64_t apart = TILES * channels;
  const auto [y00, y01, y10, y11] = to;
  INDEPENDENT
  for (int64_t i = 0; i < channels; i++) {
    const float* m = points + i;
    const auto [a0, a1] = outputs_of_points({m[0], m[4 * apart], m[8 * apart], m[12 * apart]});
    const auto [b0, b1] = outputs_of_points({m[apart], m[5 * apart], m[9 * apart], m[13 * apart]});
    const auto [c0, c1] = outputs_of_points({m[2 * apart], m[6 * apart], m[10 * apart], m[14 * apart]});
    const auto [e0, e1] = outputs_of_points({m[3 * apart], m[7 * apart], m[11 * apart], m[15 * apart]});
    y00[i] = a0 + b0 + c0;
    y01[i] = b0 - c0 - e0;
    y10[i] = a1 + b1 + c1;
    y11[i] = b1 - c1 - e1;
  }
}

// The reverse: what the outputs' gradients say to each point.
[[gnu::always_inline]] inline void spread_outputs_of(const std::array<const float*, 4>& from, float* __restrict to, int64_t channels) {
  const int64_t apart = TILES * channels;
  const auto [y00, y01, y10, y11] = from;
  INDEPENDENT
  for (int64_t i = 0; i < channels; i++) {
    const Four left = points_of_outputs(y00[i], y10[i]), right = points_of_outputs(y01[i], y11[i]);
    float* at = to + i;
    put(points_of_outputs(left.a, right.a), at, apart);
    put(points_of_outputs(left.b, right.b), at + 4 * apart, apart);
    put(points_of_outputs(left.c, right.c), at + 8 * apart, apart);
    put(points_of_outputs(left.d, right.d), at + 12 * apart, apart);
  }
}

// A run of numbers for each of nine taps becomes one for each of sixteen points.
VECTORIZED void points_of_kernel(const float* __restrict taps, float* __restrict points, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    const float* g = taps + i;
    const Four left = points_of_taps(g[0], g[3 * count], g[6 * count]);
    const Four middle = points_of_taps(g[count], g[4 * count], g[7 * count]);
    const Four right = points_of_taps(g[2 * count], g[5 * count], g[8 * count]);
    float* at = points + i;
    put(points_of_taps(left.a, middle.a, right.a), at, count);
    put(points_of_taps(left.b, middle.b, right.b), at + 4 * count, count);
    put(points_of_taps(left.c, middle.c, right.c), at + 8 * count, count);
    put(points_of_taps(left.d, middle.d, right.d), at + 12 * count, count);
  }
}

// The reverse, for gradients.
VECTORIZED void kernel_of_points(const float* __restrict points, float* __restrict taps, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    const float* m = points + i;
    float* g = taps + i;
    const auto [a0, a1, a2] = taps_of_points({m[0], m[4 * count], m[8 * count], m[12 * count]});
    const auto [b0, b1, b2] = taps_of_points({m[count], m[5 * count], m[9 * count], m[13 * count]});
    const auto [c0, c1, c2] = taps_of_points({m[2 * count], m[6 * count], m[10 * count], m[14 * count]});
    const auto [d0, d1, d2] = taps_of_points({m[3 * count], m[7 * count], m[11 * count], m[15 * count]});
    const auto top = taps_of_points({a0, b0, c0, d0}), centre = taps_of_points({a1, b1, c1, d1});
    const auto bottom = taps_of_points({a2, b2, c2, d2});
    for (int64_t tap = 0; tap < KERNEL; tap++) {
      g[tap * count] = top[tap];
      g[(3 + tap) * count] = centre[tap];
      g[(6 + tap) * count] = bottom[tap];
    }
  }
}

// A group of a picture's channels.
template <typename Float>
struct Group {
  Float* first;
  const Side& side;

  Float* at(int64_t row, int64_t column) const { return first + (row * side.width + column) * side.channels; }
};

// Where the 2 x 2 outputs of a tile are; `outside` stands for those beyond the picture.
template <typename Float>
std::array<Float*, 4> outputs_of(const Group<Float>& group, int64_t row, int64_t column, Float* outside) {
  const bool lower = 2 * row + 1 < group.side.height, right = 2 * column + 1 < group.side.width;
  const auto at = [&](int64_t down, int64_t across, bool is_inside) {
    return is_inside ? group.at(2 * row + down, 2 * column + across) : outside;
  };
  return {at(0, 0, true), at(0, 1, right), at(1, 0, lower), at(1, 1, lower && right)};
}

// Copies the group's channels of a line of pixels.
[[gnu::always_inline]] inline void copy_line_of(const float* __restrict from, int64_t from_stride, float* __restrict to, int64_t pixels,
                         int64_t channels) {
  for (int64_t pixel = 0; pixel < pixels; pixel++)
    for (int64_t i = 0; i < channels; i++) to[pixel * channels + i] = from[pixel * from_stride + i];
}

// Each of these is compiled twice, once for the usual number of channels: with a length that the compiler knows, which is
// that of a vector, it takes half as long.
constexpr int64_t USUAL = 16;

VECTORIZED void make_points(const float* seen, int64_t line, float* to, int64_t channels) {
  if (channels == USUAL) return make_points_of(seen, line, to, USUAL);
  make_points_of(seen, line, to, channels);
}

VECTORIZED void make_outputs(const float* points, const std::array<float*, 4>& to, int64_t channels) {
  if (channels == USUAL) return make_outputs_of(points, to, USUAL);
  make_outputs_of(points, to, channels);
}

VECTORIZED void spread_outputs(const std::array<const float*, 4>& from, float* to, int64_t channels) {
  if (channels == USUAL) return spread_outputs_of(from, to, USUAL);
  spread_outputs_of(from, to, channels);
}

VECTORIZED void copy_line(const float* from, int64_t from_stride, float* to, int64_t pixels, int64_t channels) {
  if (channels == USUAL) return copy_line_of(from, from_stride, to, pixels, USUAL);
  copy_line_of(from, from_stride, to, pixels, channels);
}

}  // namespace

bool takes_tiled(const Geometry& g) {
  return g.kernel == KERNEL && g.stride == 1 && g.padding == 1 && std::min(g.small.group, g.big.group) >= FEWEST;
}

TiledKernel::TiledKernel(const Geometry& g, const Tensor& weight, Use use) : g_(g) {
  // [groups, small, big, down, across] to [groups, down, across, inputs, outputs]
  const Tensor grouped = weight.view({g.groups, g.small.group, g.big.group, KERNEL, KERNEL});
  const Tensor taps = use == Use::Gather ? grouped.permute({0, 3, 4, 2, 1}).contiguous()
                                         : grouped.flip({3, 4}).permute({0, 3, 4, 1, 2}).contiguous();
  const int64_t size = g.small.group * g.big.group;
  weights_ = at::empty({g.groups, POINTS, size}, weight.options());
  for (int64_t i = 0; i < g.groups; i++)
    points_of_kernel(taps.const_data_ptr<float>() + i * TAPS * size, weights_.data_ptr<float>() + i * POINTS * size, size);
}

// Calls work(first, tiles) for portions of a picture's tiles, counted through.
template <typename Work>
void TiledKernel::for_each_portion_of_tiles(Work work) const {
  const int64_t all = down() * across();
  for (int64_t first = 0; first < all; first += TILES) work(first, std::min(TILES, all - first));
}

// Calls work(index, row, column) for each tile of a portion.
template <typename Work>
void TiledKernel::for_each_tile(int64_t first, int64_t count, Work work) const {
  int64_t row = first / across(), column = first % across();
  for (int64_t index = 0; index < count; index++) {
    work(index, row, column);
    if (++column == across()) column = 0, row++;
  }
}

const float* TiledKernel::padded(const float* first, const Side& side) const {
  const Group<const float> group{first, side};
  const int64_t line = this->line(side), edge = side.group, behind = line - edge - side.width * side.group;
  float* to = scratch<0>(padded_size(side));
  std::fill_n(to, line, 0.0F);
  for (int64_t row = 0; row < side.height; row++) {
    float* start = to + (row + 1) * line;
    std::fill_n(start, edge, 0.0F);
    copy_line(group.at(row, 0), side.channels, start + edge, side.width, side.group);
    std::fill_n(start + line - behind, behind, 0.0F);
  }
  const int64_t filled = (side.height + 1) * line;
  std::fill_n(to + filled, padded_size(side) - filled, 0.0F);
  return to;
}

void TiledKernel::make_all_points(const float* padded, const Side& side, int64_t first, int64_t tiles, float* to) const {
  for_each_tile(first, tiles, [&](int64_t tile, int64_t row, int64_t column) {
    make_points(padded + 2 * row * line(side) + 2 * column * side.group, line(side), to + tile * side.group, side.group);
  });
}

void TiledKernel::convolve(const Side& in, const float* from, const Side& out, float* to, int64_t count) const {
  const int64_t size = in.group * out.group, in_apart = TILES * in.group, out_apart = TILES * out.group;
  float* points = scratch<1>(POINTS * TILES * (in.group + out.group) + out.group);
  float *results = points + POINTS * TILES * in.group, *unread = results + POINTS * TILES * out.group;
  for (int64_t picture = 0; picture < count; picture++)
    for (int64_t i = 0; i < g_.groups; i++) {
      const float* weights = weights_.const_data_ptr<float>() + i * POINTS * size;
      const float* pixels = padded(from + picture * in.size() + i * in.group, in);
      const Group<float> group{to + picture * out.size() + i * out.group, out};
      for_each_portion_of_tiles([&](int64_t first, int64_t tiles) {
        make_all_points(pixels, in, first, tiles, points);
        for (int64_t point = 0; point < POINTS; point++)
          product(results + point * out_apart, out.group, {points + point * in_apart, tiles, in.group, in.group},
                  {weights + point * size, in.group, out.group, out.group});
        for_each_tile(first, tiles, [&](int64_t tile, int64_t row, int64_t column) {
          make_outputs(results + tile * out.group, outputs_of(group, row, column, unread), out.group);
        });
      });
    }
}

void TiledKernel::sum_gradients(const float* small, const float* big, float* sum, int64_t count, bool added,
                                bool /*is_gathered*/) const {
  const Side &in = g_.big, &out = g_.small;
  const int64_t size = in.group * out.group, in_apart = TILES * in.group, out_apart = TILES * out.group;
  float* points = scratch<1>(POINTS * TILES * (in.group + out.group) + out.group);
  float *arriving = points + POINTS * TILES * in.group, *zeros = arriving + POINTS * TILES * out.group;
  std::fill_n(zeros, out.group, 0.0F);
  for (int64_t picture = 0; picture < count; picture++)
    for (int64_t i = 0; i < g_.groups; i++) {
      const float* pixels = padded(big + picture * in.size() + i * in.group, in);
      const Group<const float> group{small + picture * out.size() + i * out.group, out};
      for_each_portion_of_tiles([&](int64_t first, int64_t tiles) {
        make_all_points(pixels, in, first, tiles, points);
        for_each_tile(first, tiles, [&](int64_t tile, int64_t row, int64_t column) {
          const auto gradients = outputs_of<const float>(group, row, column, zeros);
          spread_outputs(gradients, arriving + tile * out.group, out.group);
        });
        for (int64_t point = 0; point < POINTS; point++) {
          const Block inputs{points + point * in_apart, tiles, in.group, in.group};
          product(sum + (i * POINTS + point) * size, out.group, inputs.t(),
                  {arriving + point * out_apart, tiles, out.group, out.group}, added || picture > 0 || first > 0);
        }
      });
    }
}

Tensor TiledKernel::gradient(const Tensor& sums) const {
  const Tensor sum = sums.sum(0);
  const int64_t size = g_.big.group * g_.small.group;
  Tensor taps = at::empty({g_.groups, KERNEL, KERNEL, g_.big.group, g_.small.group}, sums.options());
  for (int64_t i = 0; i < g_.groups; i++)
    kernel_of_points(sum.const_data_ptr<float>() + i * POINTS * size, taps.data_ptr<float>() + i * TAPS * size, size);
  return taps.permute({0, 4, 3, 1, 2}).reshape({g_.small.channels, g_.big.group, KERNEL, KERNEL}).contiguous();
}

}  // namespace sparring
