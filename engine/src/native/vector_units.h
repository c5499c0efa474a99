// Matrix products on the vector units of the processor.
#pragma once
#include <cstdint>

#include "product.h"

namespace sparring {

// out = left · right, or out += left · right if `added`, on the calling thread: see `product`.
using Product = void (*)(float* out, int64_t stride, Block left, Block right, bool added);

// Null where the program or the processor does not have these units.
Product product_with_avx512();
Product product_with_avx2();

// Rounds the numbers of both matrices to bfloat16, and sums up floats.
Product product_with_bfloat16();

}  // namespace sparring
