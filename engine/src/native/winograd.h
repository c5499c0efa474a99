// Convolutions of 4 x 4 with a stride of 2, with fewer multiplications (minimal filtering: Winograd 1980; for networks,
// Lavin and Gray 2016, «Fast Algorithms for Convolutional Neural Networks»).
//
// Such a convolution sees pixels of even and of odd rows and columns by turns, so it is the sum of four convolutions of
// 2 x 2, one for each of these phases. In one dimension two outputs of a kernel of two,
//
//   y0 = d0 g0 + d1 g1,  y1 = d1 g0 + d2 g1,
//
// need three products instead of four:
//
//   m0 = (d0 - d1) g0,  m1 = d1 (g0 + g1),  m2 = (d1 - d2) g1,  y0 = m0 + m1,  y1 = m1 - m2.
//
// In two dimensions a tile of 2 x 2 outputs needs nine products instead of sixteen, each of which is summed over all
// channels and phases, which makes it a product of matrices. Where a side is odd, the last tile has one output,
// y0 = d0 g0 + d1 g1, which is computed from the first and the last of the three.
#pragma once
#include "conv_kernel.h"

namespace sparring {

// Whether this way is possible, and faster.
bool takes_winograd(const Geometry& g);

class WinogradKernel final : public ConvKernel {
 public:
  WinogradKernel(const Geometry& g, const at::Tensor& weight, Use use);

  int64_t together() const override;
  void gather(const float* big, float* small, int64_t count) const override;
  void spread(const float* small, float* big, int64_t count) const override;
  int64_t sum_size() const override { return POINTS * g_.small.channels * big_width(); }
  void sum_gradients(const float* small, const float* big, float* sum, int64_t count, bool added,
                     bool is_gathered) const override;
  at::Tensor gradient(const at::Tensor& sums) const override;

 private:
  // Products per tile, three in each dimension.
  static constexpr int64_t SIDE = 3, POINTS = SIDE * SIDE, PHASES = 4;

  // Numbers of a tile's row in the matrix of a point: each channel of each phase.
  int64_t big_width() const { return PHASES * g_.big.channels; }
  // Tiles of a picture that need a point.
  int64_t tiles(int64_t point) const { return down_[point / SIDE] * across_[point % SIDE]; }
  // The matrices of all points are one after the other. That of a point has a row for each tile of each picture.
  int64_t first_tile(int64_t point) const;
  int64_t tiles_of_all() const { return first_tile(POINTS); }

  template <typename Work>
  void for_each_tile(int64_t count, Work work) const;
  template <typename Work>
  void for_each_run(int64_t row, int64_t column, Work work) const;
  void big_to_tiles(const float* big, float* tiles, int64_t count) const;
  void tiles_to_big(const float* tiles, float* big, int64_t count) const;
  void small_to_tiles(const float* small, float* tiles, int64_t count) const;
  void tiles_to_small(const float* tiles, float* small, int64_t count) const;

  Geometry g_;
  // Tiles, down and across, that need a row or a column of points.
  int64_t down_[SIDE], across_[SIDE];
  // The weights as the points need them: [points, phases · big channels, small channels] to gather, [points, small
  // channels, phases · big channels] to spread.
  at::Tensor weights_;
};

}  // namespace sparring
