// The operations of AVX-512 that matrix products need. A file that includes this defines UNITS first: the attribute of
// functions that use them.
#pragma once
#include <immintrin.h>

#include <cstdint>

#if defined(__GNUC__) && !defined(__clang__)
// GCC's own header makes an undefined vector from an uninitialised one.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace sparring {
namespace {

struct Units {
  using Vector = __m512;
  static constexpr int64_t LANES = 16;
  // A tile of 6 x 64 floats: 24 of the 32 registers hold it, four hold a row of the panel, one a number of the other
  // matrix. A tile of a single vector is taller, because the processor can work at more than six sums at a time.
  static constexpr int64_t VECTORS = 4, TILE_ROWS = 6, TALL_ROWS = 12;
  // A panel of 256 KB, to stay in the L2 cache.
  static constexpr int64_t PANEL_ROWS = 1024;

  UNITS static Vector all(float number) { return _mm512_set1_ps(number); }
  UNITS static Vector load(const float* from) { return _mm512_loadu_ps(from); }
  UNITS static void store(float* to, Vector numbers) { _mm512_storeu_ps(to, numbers); }
  UNITS static Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
  UNITS static Vector add_product(Vector a, Vector b, Vector sum) { return _mm512_fmadd_ps(a, b, sum); }
  UNITS static Vector load_first(const float* from, int64_t count) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << count) - 1), from);
  }

  // to[i][j] = from[j][i] for 16 x 16 floats, with the given strides between rows.
  UNITS static void turn(const float* from, int64_t from_stride, float* to, int64_t to_stride) {
    __m512 a[16], b[16];
    for (int i = 0; i < 16; i++) a[i] = _mm512_loadu_ps(from + i * from_stride);
    // Swaps numbers, then pairs of numbers, then quarters of a vector.
    for (int i = 0; i < 16; i += 2) {
      b[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
      b[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
    }
    for (int i = 0; i < 16; i += 4)
      for (int j = 0; j < 2; j++) {
        const __m512d x = _mm512_castps_pd(b[i + j]), y = _mm512_castps_pd(b[i + 2 + j]);
        a[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(x, y));
        a[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(x, y));
      }
    constexpr int EVEN = 0x88, ODD = 0xdd;
    for (int i = 0; i < 16; i += 8)
      for (int j = 0; j < 4; j++) {
        b[i + j] = _mm512_shuffle_f32x4(a[i + j], a[i + 4 + j], EVEN);
        b[i + 4 + j] = _mm512_shuffle_f32x4(a[i + j], a[i + 4 + j], ODD);
      }
    for (int j = 0; j < 8; j++) {
      _mm512_storeu_ps(to + j * to_stride, _mm512_shuffle_f32x4(b[j], b[8 + j], EVEN));
      _mm512_storeu_ps(to + (8 + j) * to_stride, _mm512_shuffle_f32x4(b[j], b[8 + j], ODD));
    }
  }
};

}  // namespace
}  // namespace sparring
