// Convolutions of 3 x 3 that keep the size of the picture, with fewer multiplications (minimal filtering: Winograd 1980;
// for networks, Lavin and Gray 2016, «Fast Algorithms for Convolutional Neural Networks», section 4.1).
//
// In one dimension two outputs of a kernel of three,
//
//   y0 = d0 g0 + d1 g1 + d2 g2,  y1 = d1 g0 + d2 g1 + d3 g2,
//
// need four products instead of six:
//
//   m0 = (d0 - d2) g0,  m1 = (d1 + d2) (g0 + g1 + g2)/2,  m2 = (d2 - d1) (g0 - g1 + g2)/2,  m3 = (d1 - d3) g2,
//   y0 = m0 + m1 + m2,  y1 = m1 - m2 - m3.
//
// In two dimensions a tile of 2 x 2 outputs needs sixteen products instead of 36, each of which is summed over the channels
// of a group, which makes it a product of matrices. Tiles may reach beyond the picture: there is nothing, and what comes of
// it is left out.
#pragma once
#include "conv_kernel.h"

namespace sparring {

// Whether this way is possible, and faster.
bool takes_tiled(const Geometry& g);

class TiledKernel final : public ConvKernel {
 public:
  TiledKernel(const Geometry& g, const at::Tensor& weight, Use use);

  int64_t together() const override { return 1; }
  void gather(const float* big, float* small, int64_t count) const override { convolve(g_.big, big, g_.small, small, count); }
  // The reverse of such a convolution is one with turned weights.
  void spread(const float* small, float* big, int64_t count) const override { convolve(g_.small, small, g_.big, big, count); }
  int64_t sum_size() const override { return g_.groups * POINTS * g_.big.group * g_.small.group; }
  void sum_gradients(const float* small, const float* big, float* sum, int64_t count, bool added,
                     bool is_gathered) const override;
  at::Tensor gradient(const at::Tensor& sums) const override;

 private:
  // Products per tile, four in each dimension.
  static constexpr int64_t POINTS = 16;

  // Tiles of a picture, down and across.
  int64_t down() const { return (g_.big.height + 1) / 2; }
  int64_t across() const { return (g_.big.width + 1) / 2; }

  void convolve(const Side& in, const float* from, const Side& out, float* to, int64_t count) const;
  // Floats of a line of a padded picture with the channels of one group, and of all of it: all that tiles see.
  int64_t line(const Side& side) const { return (2 * across() + 2) * side.group; }
  int64_t padded_size(const Side& side) const { return (2 * down() + 2) * line(side); }
  // Such a picture. Valid until the calling thread's next call.
  const float* padded(const float* first, const Side& side) const;
  // The points of `tiles` tiles of a padded picture, of each point those of one tile after the other.
  void make_all_points(const float* padded, const Side& side, int64_t first, int64_t tiles, float* to) const;

  template <typename Work>
  void for_each_portion_of_tiles(Work work) const;
  template <typename Work>
  void for_each_tile(int64_t first, int64_t count, Work work) const;

  Geometry g_;
  // [groups, points, inputs, outputs]
  at::Tensor weights_;
};

}  // namespace sparring
