// Matrix products of blocks of larger matrices.
#pragma once
#include <ATen/core/Tensor.h>

namespace sparring {

// A matrix of floats in memory, or a block of one, possibly transposed.
struct Block {
  const float* data;
  int64_t rows, columns;
  // Floats from one row to the next, and from one column to the next. One of them is 1.
  int64_t down, across = 1;

  // The whole of a contiguous tensor [rows, columns].
  static Block of(const at::Tensor& t) { return {t.const_data_ptr<float>(), t.size(0), t.size(1), t.size(1)}; }
  const float* at(int64_t row, int64_t column) const { return data + row * down + column * across; }
  Block part(int64_t row, int64_t column, int64_t height, int64_t width) const {
    return {at(row, column), height, width, down, across};
  }
  // A range of its rows, or columns.
  Block rows_from(int64_t start, int64_t count) const { return part(start, 0, count, columns); }
  Block columns_from(int64_t start, int64_t count) const { return part(0, start, rows, count); }
  Block t() const { return {data, columns, rows, across, down}; }
};

// out = left · right, or out += left · right if `added`, on the calling thread. `out` is [rows, columns], with `stride`
// floats from one row to the next.
void product(float* out, int64_t stride, const Block& left, const Block& right, bool added = false);

// sum = leftᵀ · right, or sum += leftᵀ · right if `added`, for matrices of many rows. A product reads the columns of leftᵀ
// again for every few rows of the result, so this takes no more of them at a time than stay in the nearest cache.
void sum_products(float* sum, int64_t stride, const Block& left, const Block& right, bool added);

// Whether the processor multiplies numbers that are rounded to bfloat16 faster than floats.
bool rounds_fast();

// Whether products that the calling thread makes or shares round the numbers of both matrices to bfloat16, if that is fast;
// returns what it was before.
bool set_rounding(bool rounding);

// How it is computed, such as `AVX-512`.
const char* products();

}  // namespace sparring
