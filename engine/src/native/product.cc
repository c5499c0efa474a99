#include "product.h"

#include <torch/types.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "team.h"
#include "vector_units.h"

// The BLAS in libtorch, for processors without vector units that we know. Calling it directly avoids a tensor per block, which would take
// a tenth of the time for a small network's blocks. If libtorch does not export its BLAS, tensors are used.
extern "C" __attribute__((weak)) void sgemm_(const char* trans_a, const char* trans_b, const int* m, const int* n,
                                             const int* k, const float* alpha, const float* a, const int* lda,
                                             const float* b, const int* ldb, const float* beta, float* c,
                                             const int* ldc);

namespace sparring {
namespace {

at::Tensor tensor_of(const Block& block) {
  return at::from_blob(const_cast<float*>(block.data), {block.rows, block.columns}, {block.down, block.across}, at::kFloat);
}

// How BLAS describes a matrix: whether it is transposed, and the stride between its rows.
char turned(const Block& block) { return block.across == 1 ? 'N' : 'T'; }
int leading(const Block& block) {
  const int64_t row = block.across == 1 ? block.columns : block.rows;
  return static_cast<int>(std::max(row, std::max(block.down, block.across)));
}

// out = left · right, with libtorch's BLAS.
void product_with_blas(float* out, int64_t stride, Block left, Block right, bool added) {
  if (!sgemm_) {
    at::Tensor to = at::from_blob(out, {left.rows, right.columns}, {stride, 1}, at::kFloat);
    to.addmm_(tensor_of(left), tensor_of(right), /*beta=*/added ? 1 : 0);
    return;
  }
  // BLAS is column-major and sees the transposes: outᵀ = rightᵀ · leftᵀ.
  const int m = static_cast<int>(right.columns), n = static_cast<int>(left.rows), k = static_cast<int>(left.columns);
  const char right_turned = turned(right), left_turned = turned(left);
  const int lda = leading(right), ldb = leading(left), ldc = static_cast<int>(stride);
  const float one = 1.0F, kept = added ? 1.0F : 0.0F;
  sgemm_(&right_turned, &left_turned, &m, &n, &k, &one, right.data, &lda, left.data, &ldb, &kept, out, &ldc);
}

struct Way {
  const char* name;
  Product product;
  // With numbers rounded to bfloat16; null where that is no faster.
  Product rounded = nullptr;
};

// The best that this processor has, or what SPARRING_PRODUCTS in the environment names, if it has that.
const Way& way() {
  static const Way chosen = [] {
    const char* asked = std::getenv("SPARRING_PRODUCTS");
    const std::string_view wish = asked ? asked : "";
    const Way ways[] = {{"AVX-512", wish == "avx2" ? nullptr : product_with_avx512(), product_with_bfloat16()},
                        {"AVX2", product_with_avx2()}};
    if (wish != "blas")
      for (const Way& way : ways)
        if (way.product) return way;
    return Way{"libtorch's BLAS", product_with_blas};
  }();
  return chosen;
}

}  // namespace

bool rounds_fast() { return way().rounded != nullptr; }

bool set_rounding(bool rounding) { return set_mark(rounding && rounds_fast()); }

void product(float* out, int64_t stride, const Block& left, const Block& right, bool added) {
  (has_mark() ? way().rounded : way().product)(out, stride, left, right, added);
}

void sum_products(float* sum, int64_t stride, const Block& left, const Block& right, bool added) {
  constexpr int64_t NEAR = 192;
  for (int64_t row = 0; row < left.rows; row += NEAR) {
    const int64_t count = std::min(NEAR, left.rows - row);
    product(sum, stride, left.rows_from(row, count).t(), right.rows_from(row, count), added || row > 0);
  }
}

const char* products() { return way().name; }

}  // namespace sparring
