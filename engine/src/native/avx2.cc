#include "vector_units.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define UNITS __attribute__((target("avx2,fma")))

namespace sparring {
namespace {

struct Units {
  using Vector = __m256;
  static constexpr int64_t LANES = 8;
  // A tile of 6 x 16 floats: 12 of the 16 registers hold it, two hold a row of the panel, one a number of the other
  // matrix.
  static constexpr int64_t VECTORS = 2, TILE_ROWS = 6, TALL_ROWS = 12;
  // A panel of 16 KB, to stay in the L1 cache.
  static constexpr int64_t PANEL_ROWS = 256;

  UNITS static Vector all(float number) { return _mm256_set1_ps(number); }
  UNITS static Vector load(const float* from) { return _mm256_loadu_ps(from); }
  UNITS static void store(float* to, Vector numbers) { _mm256_storeu_ps(to, numbers); }
  UNITS static Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  UNITS static Vector add_product(Vector a, Vector b, Vector sum) { return _mm256_fmadd_ps(a, b, sum); }

  // The first numbers of a vector, and zeros.
  UNITS static Vector load_first(const float* from, int64_t count) {
    if (count == LANES) return load(from);
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_ps(from, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane));
  }

  // to[i][j] = from[j][i] for 8 x 8 floats, with the given strides between rows.
  UNITS static void turn(const float* from, int64_t from_stride, float* to, int64_t to_stride) {
    __m256 a[8], b[8];
    for (int i = 0; i < 8; i++) a[i] = load(from + i * from_stride);
    // Swaps numbers, then pairs of numbers, then halves of a vector.
    for (int i = 0; i < 8; i += 2) {
      b[i] = _mm256_unpacklo_ps(a[i], a[i + 1]);
      b[i + 1] = _mm256_unpackhi_ps(a[i], a[i + 1]);
    }
    for (int i = 0; i < 8; i += 4)
      for (int j = 0; j < 2; j++) {
        const __m256d x = _mm256_castps_pd(b[i + j]), y = _mm256_castps_pd(b[i + 2 + j]);
        a[i + 2 * j] = _mm256_castpd_ps(_mm256_unpacklo_pd(x, y));
        a[i + 2 * j + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(x, y));
      }
    constexpr int LOWER = 0x20, UPPER = 0x31;
    for (int j = 0; j < 4; j++) {
      store(to + j * to_stride, _mm256_permute2f128_ps(a[j], a[4 + j], LOWER));
      store(to + (4 + j) * to_stride, _mm256_permute2f128_ps(a[j], a[4 + j], UPPER));
    }
  }
};

}  // namespace
}  // namespace sparring

#include "packed.h"

namespace sparring {

Product product_with_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? packed_product : nullptr;
}

}  // namespace sparring

#else

namespace sparring {

Product product_with_avx2() { return nullptr; }

}  // namespace sparring

#endif
