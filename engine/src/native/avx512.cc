#include "avx512.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

// Why not the BLAS in libtorch: MKL uses AVX-512 only on Intel's processors, which leaves half of a Zen 5 idle, and a
// BLAS first packs both matrices, which does not pay off for a batch of 64. Here only one matrix is packed, the one
// that is cheaper to pack, into panels of 64 columns, row after row. The other is read in place, one number at a time,
// and each number is multiplied with a row of the panel. (Goto and van de Geijn 2008, «Anatomy of High-Performance
// Matrix Multiplication», explains the terms: the panel stays in the L2 cache, a tile of the result in the registers.)

#if defined(__GNUC__) && !defined(__clang__)
// GCC's own header makes an undefined vector from an uninitialised one.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#define AVX512 __attribute__((target("avx512f")))

namespace sparring {
namespace {

constexpr int64_t LANES = 16;
// A tile of 6 x 64 floats: 24 of the 32 registers hold it, four hold a row of the panel, one a number of the other
// matrix. A tile of a single vector is taller, because the processor can work at more than six sums at a time.
constexpr int64_t TILE_ROWS = 6, TALL_ROWS = 12, VECTORS = 4, PANEL_COLUMNS = VECTORS * LANES;
// Rows of a panel: 256 KB, to stay in the L2 cache.
constexpr int64_t PANEL_ROWS = 1024;
// Rows of the result that are stored together: a multiple of the rows of both kinds of tile, and of LANES.
constexpr int64_t BAND = 48;
// With fewer columns a panel would be mostly empty, so the other matrix becomes the panel.
constexpr int64_t NARROW = LANES;

// out = left · panel, or out += left · panel if `added`, for a number of rows of `left` and vectors of the panel.
template <int rows, int vectors>
AVX512 void tile(const Block& left, const float* __restrict panel, float* out, int64_t stride, bool added) {
  __m512 sums[rows][vectors];
  for (int i = 0; i < rows; i++)
    for (int v = 0; v < vectors; v++) sums[i][v] = _mm512_setzero_ps();
  const float* from = left.data;
  for (int64_t p = 0; p < left.columns; p++, from += left.across, panel += PANEL_COLUMNS) {
    __m512 row[vectors];
    for (int v = 0; v < vectors; v++) row[v] = _mm512_load_ps(panel + v * LANES);
    for (int i = 0; i < rows; i++) {
      const __m512 number = _mm512_set1_ps(from[i * left.down]);
      for (int v = 0; v < vectors; v++) sums[i][v] = _mm512_fmadd_ps(number, row[v], sums[i][v]);
    }
  }
  for (int i = 0; i < rows; i++)
    for (int v = 0; v < vectors; v++) {
      float* to = out + i * stride + v * LANES;
      _mm512_storeu_ps(to, added ? _mm512_add_ps(_mm512_loadu_ps(to), sums[i][v]) : sums[i][v]);
    }
}

using Tile = void (*)(const Block&, const float*, float*, int64_t, bool);
template <int vectors, int... rows>
constexpr std::array<Tile, TALL_ROWS> tiles_of(std::integer_sequence<int, rows...>) {
  // Tall tiles of more than one vector do not exist.
  return {(rows < TILE_ROWS || vectors == 1 ? tile<rows < TILE_ROWS || vectors == 1 ? rows + 1 : 1, vectors> : nullptr)...};
}
template <int vectors>
constexpr auto TILES_OF = tiles_of<vectors>(std::make_integer_sequence<int, TALL_ROWS>());
// Indexed by the vectors and the rows of the tile, minus one each.
constexpr std::array<std::array<Tile, TALL_ROWS>, VECTORS> TILES = {TILES_OF<1>, TILES_OF<2>, TILES_OF<3>, TILES_OF<4>};

// to[i][j] = from[j][i] for 16 x 16 floats, with the given strides between rows.
AVX512 void turn(const float* from, int64_t from_stride, float* to, int64_t to_stride) {
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

// Copies a matrix of at most PANEL_COLUMNS columns into a panel, and pads the last vector with zeros.
AVX512 void fill(float* panel, const Block& from) {
  const int64_t filled = (from.columns + LANES - 1) / LANES * LANES;
  if (from.across == 1) {
    // The processor does not prefetch rows that are far apart.
    constexpr int64_t AHEAD = 8;
    for (int64_t row = 0; row < from.rows; row++) {
      for (int64_t column = 0; column < filled; column += LANES) {
        _mm_prefetch(from.at(row + AHEAD, column), _MM_HINT_T0);
        const int64_t width = std::min(LANES, from.columns - column);
        const auto mask = static_cast<__mmask16>((1U << width) - 1);
        const __m512 numbers = _mm512_maskz_loadu_ps(mask, from.at(row, column));
        _mm512_store_ps(panel + row * PANEL_COLUMNS + column, numbers);
      }
    }
    return;
  }
  for (int64_t row = 0; row < from.rows; row += LANES) {
    for (int64_t column = 0; column < filled; column += LANES) {
      const int64_t height = std::min(LANES, from.rows - row), width = std::min(LANES, from.columns - column);
      float* to = panel + row * PANEL_COLUMNS + column;
      if (from.down == 1 && height == LANES && width == LANES) {
        turn(from.at(row, column), from.across, to, PANEL_COLUMNS);
        continue;
      }
      for (int64_t i = 0; i < height; i++)
        for (int64_t j = 0; j < LANES; j++)
          to[i * PANEL_COLUMNS + j] = j < width ? *from.at(row + i, column + j) : 0.0F;
    }
  }
}

// The calling thread's memory for a panel, aligned to a cache line.
float* panel_of_thread() {
  constexpr size_t LINE = 64;
  struct Free {
    void operator()(float* memory) const { std::free(memory); }
  };
  thread_local const std::unique_ptr<float, Free> memory{
      static_cast<float*>(std::aligned_alloc(LINE, PANEL_ROWS * PANEL_COLUMNS * sizeof(float)))};
  if (!memory) throw std::bad_alloc();
  return memory.get();
}

// Stores tiles, held row after row in `loose`, at their place in the result.
AVX512 void put(const float* loose, int64_t rows, int64_t columns, float* out, int64_t down, int64_t across, bool added) {
  for (int64_t row = 0; row < rows; row += LANES) {
    for (int64_t column = 0; column < columns; column += LANES) {
      const int64_t height = std::min(LANES, rows - row), width = std::min(LANES, columns - column);
      const float* from = loose + row * PANEL_COLUMNS + column;
      float* to = out + row * down + column * across;
      if (down == 1 && height == LANES && width == LANES && !added) {
        turn(from, PANEL_COLUMNS, to, across);
        continue;
      }
      for (int64_t j = 0; j < width; j++)
        for (int64_t i = 0; i < height; i++) {
          const float number = from[i * PANEL_COLUMNS + j];
          float& there = to[i * down + j * across];
          there = added ? there + number : number;
        }
    }
  }
}

}  // namespace

bool takes_avx512() {
  static const bool taken = [] {
    const char* wish = std::getenv("SPARRING_PRODUCTS");
    return __builtin_cpu_supports("avx512f") && !(wish && std::string_view(wish) == "blas");
  }();
  return taken;
}

void product_avx512(float* out, int64_t stride, Block left, Block right, bool added) {
  int64_t down = stride, across = 1;
  // If neither has the right layout for a panel, the smaller becomes one: outᵀ = rightᵀ · leftᵀ.
  const bool either = left.across == 1 && right.across != 1;
  if (either && (right.columns >= left.rows || right.columns < NARROW)) {
    std::swap(left, right);
    left = left.t();
    right = right.t();
    std::swap(down, across);
  }
  float* panel = panel_of_thread();
  alignas(64) float loose[BAND * PANEL_COLUMNS];
  for (int64_t column = 0; column < right.columns; column += PANEL_COLUMNS) {
    const int64_t width = std::min(PANEL_COLUMNS, right.columns - column);
    const auto& tiles = TILES[(width - 1) / LANES];
    const int64_t tile_rows = width <= LANES ? TALL_ROWS : TILE_ROWS;
    const bool straight = across == 1 && width % LANES == 0;
    for (int64_t inner = 0; inner < right.rows; inner += PANEL_ROWS) {
      const int64_t depth = std::min(PANEL_ROWS, right.rows - inner);
      const bool more = added || inner > 0;
      fill(panel, right.part(inner, column, depth, width));
      for (int64_t first = 0; first < left.rows; first += BAND) {
        const int64_t rows = std::min(BAND, left.rows - first);
        float* to = out + first * down + column * across;
        for (int64_t row = 0; row < rows; row += tile_rows) {
          const int64_t height = std::min(tile_rows, rows - row);
          const Block part = left.part(first + row, inner, height, depth);
          if (straight) {
            tiles[height - 1](part, panel, to + row * down, down, more);
          } else {
            tiles[height - 1](part, panel, loose + row * PANEL_COLUMNS, PANEL_COLUMNS, false);
          }
        }
        if (!straight) put(loose, rows, width, to, down, across, more);
      }
    }
  }
}

}  // namespace sparring

#else

namespace sparring {

bool takes_avx512() { return false; }
void product_avx512(float*, int64_t, Block, Block, bool) {}

}  // namespace sparring

#endif
