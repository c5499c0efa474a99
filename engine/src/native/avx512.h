// Matrix products for processors with AVX-512.
#pragma once
#include <cstdint>

#include "product.h"

namespace sparring {

// Whether this processor has AVX-512, and SPARRING_PRODUCTS=blas in the environment does not ask to do without.
bool takes_avx512();

// `product` of product.h; only where `takes_avx512`. Each number of the result is one sum, whose order depends on the
// inner length alone, so that a product and its blocks are the same to the bit.
void product_avx512(float* out, int64_t stride, Block left, Block right, bool added);

}  // namespace sparring
