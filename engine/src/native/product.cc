#include "product.h"

#include <torch/types.h>

// The BLAS in libtorch. Asked directly, a product of a block costs no tensors to describe it, which for the blocks of
// a small network is a tenth of the time. A libtorch that hides its BLAS is asked through its tensors.
extern "C" __attribute__((weak)) void sgemm_(const char* trans_a, const char* trans_b, const int* m, const int* n,
                                             const int* k, const float* alpha, const float* a, const int* lda,
                                             const float* b, const int* ldb, const float* beta, float* c,
                                             const int* ldc);

namespace sparring {
namespace {

at::Tensor tensor_of(const Block& block) {
  at::Tensor t = at::from_blob(const_cast<float*>(block.data), {block.rows, block.columns}, {block.stride, 1}, at::kFloat);
  return block.transposed ? t.t() : t;
}

}  // namespace

void product(float* out, int64_t stride, const Block& left, const Block& right, bool added) {
  const int64_t rows = left.transposed ? left.columns : left.rows;
  const int64_t columns = right.transposed ? right.rows : right.columns;
  if (!sgemm_) {
    at::Tensor to = at::from_blob(out, {rows, columns}, {stride, 1}, at::kFloat);
    to.addmm_(tensor_of(left), tensor_of(right), /*beta=*/added ? 1 : 0);
    return;
  }
  // BLAS reads memory column after column, where these are the transposes: outᵀ = rightᵀ · leftᵀ.
  const int m = static_cast<int>(columns), n = static_cast<int>(rows);
  const int k = static_cast<int>(left.transposed ? left.rows : left.columns);
  const int lda = static_cast<int>(right.stride), ldb = static_cast<int>(left.stride), ldc = static_cast<int>(stride);
  const float one = 1.0F, kept = added ? 1.0F : 0.0F;
  sgemm_(right.transposed ? "T" : "N", left.transposed ? "T" : "N", &m, &n, &k, &one, right.data, &lda, left.data, &ldb,
         &kept, out, &ldc);
}

}  // namespace sparring
