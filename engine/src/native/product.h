// Matrix products of blocks of larger matrices.
#pragma once
#include <ATen/core/Tensor.h>

namespace sparring {

// A block of a matrix of floats in memory, row after row.
struct Block {
  const float* data;
  int64_t rows, columns;
  // Floats from one row to the next.
  int64_t stride;
  bool transposed = false;

  // All of a contiguous tensor [rows, columns].
  static Block of(const at::Tensor& t) { return {t.const_data_ptr<float>(), t.size(0), t.size(1), t.size(1)}; }
  // Some of its rows, or columns.
  Block rows_from(int64_t start, int64_t count) const { return {data + start * stride, count, columns, stride}; }
  Block columns_from(int64_t start, int64_t count) const { return {data + start, rows, count, stride}; }
  Block t() const { return {data, rows, columns, stride, true}; }
};

// out = left · right, on the calling thread alone; `out` is [rows, columns], `stride` floats from row to row. If the
// product is to be `added`, out += left · right.
void product(float* out, int64_t stride, const Block& left, const Block& right, bool added = false);

}  // namespace sparring
