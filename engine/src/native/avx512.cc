#include "vector_units.h"

#if defined(__x86_64__)
#define UNITS __attribute__((target("avx512f")))

#include "avx512_units.h"

#include "packed.h"

namespace sparring {

Product product_with_avx512() { return __builtin_cpu_supports("avx512f") ? packed_product : nullptr; }

}  // namespace sparring

#else

namespace sparring {

Product product_with_avx512() { return nullptr; }

}  // namespace sparring

#endif
