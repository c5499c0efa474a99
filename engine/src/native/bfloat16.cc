#include "vector_units.h"

#if defined(__x86_64__)
#define UNITS __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))

#include "avx512_units.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>

// Products of matrices whose numbers are rounded to bfloat16 first. An instruction multiplies pairs of such numbers and
// adds both products to a float, which is twice the work of one with floats. So both matrices are packed, unlike in
// packed.h: into pairs of numbers that follow one another along the inner dimension.

namespace sparring {
namespace {

constexpr int64_t LANES = Units::LANES;
// A tile of 6 x 64 floats, as for floats: see avx512_units.h.
constexpr int64_t VECTORS = Units::VECTORS, TILE_ROWS = Units::TILE_ROWS, PANEL_COLUMNS = VECTORS * LANES;
// Pairs along the inner dimension that are taken at a time: a panel of 128 KB, and 384 KB of the other matrix, which stay
// in the L2 cache.
constexpr int64_t PAIRS = 512, LEFT_ROWS = 192;
// From one row to the next: not a power of two, or all rows of a tile would compete for the same lines of the L1 cache.
constexpr int64_t APART = PAIRS + LANES;
static_assert(LEFT_ROWS % TILE_ROWS == 0);
// Of a smaller product packing costs more than is gained.
constexpr int64_t SMALLEST = 16, SHORTEST = 32;

// Two numbers, the first in the lower half.
using Pair = uint32_t;

// Numbers in pairs along the inner dimension: the pair of row i at p lies at data[i · down + p · across].
struct Packed {
  const Pair* data;
  int64_t down, across;
};

UNITS __mmask16 first(int64_t count) {
  return count >= LANES ? __mmask16{0xffff} : static_cast<__mmask16>((1U << std::max<int64_t>(count, 0)) - 1);
}

// The first `count` floats, and zeros.
UNITS __m512 load(const float* from, int64_t count) { return _mm512_maskz_loadu_ps(first(count), from); }

// The pairs of up to 32 floats that follow one another.
UNITS __m512i pairs_along(const float* from, int64_t count) {
  const __m512 low = load(from, count), high = load(from + LANES, count - LANES);
  return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
}

// The pairs of 16 floats each: of `low` and of `high`.
UNITS __m512i rounded(__m512 numbers) {
  return _mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(numbers)));
}
UNITS __m512i pairs_of(__m512 low, __m512 high) {
  return _mm512_or_si512(rounded(low), _mm512_slli_epi32(rounded(high), 16));
}

// A matrix whose rows lie along the inner dimension, row after row.
UNITS void pack_rows(Pair* to, int64_t stride, const Block& from) {
  for (int64_t row = 0; row < from.rows; row++)
    for (int64_t column = 0; column < from.columns; column += 2 * LANES) {
      const int64_t left = from.columns - column;
      _mm512_mask_storeu_epi32(to + row * stride + column / 2, first((left + 1) / 2),
                               pairs_along(from.at(row, column), left));
    }
}

// A matrix whose columns lie along the inner dimension: a row of pairs for each two of its rows. `stride` is that of whole
// vectors, the last of which is filled with zeros.
UNITS void pack_columns(Pair* to, int64_t stride, const Block& from) {
  constexpr int64_t AHEAD = 8;
  for (int64_t row = 0; row < from.rows; row += 2, to += stride)
    for (int64_t column = 0; column < from.columns; column += LANES) {
      const int64_t left = from.columns - column;
      __builtin_prefetch(from.at(row + AHEAD, column));
      __builtin_prefetch(from.at(row + AHEAD + 1, column));
      const __m512 low = load(from.at(row, column), left);
      const __m512 high = row + 1 < from.rows ? load(from.at(row + 1, column), left) : _mm512_setzero_ps();
      _mm512_storeu_si512(to + column, pairs_of(low, high));
    }
}

// The same of a matrix that lies column after column.
UNITS void pack_turned(Pair* to, int64_t stride, const Block& from) {
  for (int64_t column = 0; column < from.columns; column += LANES)
    for (int64_t row = 0; row < from.rows; row += 2 * LANES) {
      const int64_t width = std::min(LANES, from.columns - column), height = from.rows - row;
      alignas(64) std::array<Pair, LANES * LANES> pairs{};
      for (int64_t j = 0; j < width; j++)
        _mm512_store_si512(pairs.data() + j * LANES, pairs_along(from.at(row, column + j), height));
      alignas(64) std::array<Pair, LANES * LANES> turned;
      const bool is_whole = height > 2 * LANES - 2;
      Pair* rows = is_whole ? to + row / 2 * stride + column : turned.data();
      Units::turn(reinterpret_cast<const float*>(pairs.data()), LANES, reinterpret_cast<float*>(rows),
                  is_whole ? stride : LANES);
      if (is_whole) continue;
      for (int64_t i = 0; i < (height + 1) / 2; i++)
        _mm512_storeu_si512(to + (row / 2 + i) * stride + column, _mm512_load_si512(turned.data() + i * LANES));
    }
}

// out = left · panel, or out += left · panel if `added`; `last` are the columns of the last vector.
template <int rows, int vectors>
UNITS void tile(const Packed& left, int64_t pairs, const Pair* panel, float* out, int64_t stride, bool added,
                __mmask16 last) {
  __m512 sums[rows][vectors];
  for (int i = 0; i < rows; i++)
    for (int v = 0; v < vectors; v++) sums[i][v] = _mm512_setzero_ps();
  const Pair* from = left.data;
  for (int64_t p = 0; p < pairs; p++, from += left.across, panel += PANEL_COLUMNS) {
    __m512bh row[vectors];
    for (int v = 0; v < vectors; v++) row[v] = reinterpret_cast<__m512bh>(_mm512_load_si512(panel + v * LANES));
    for (int i = 0; i < rows; i++) {
      const __m512bh pair = reinterpret_cast<__m512bh>(_mm512_set1_epi32(static_cast<int>(from[i * left.down])));
      for (int v = 0; v < vectors; v++) sums[i][v] = _mm512_dpbf16_ps(sums[i][v], pair, row[v]);
    }
  }
  for (int i = 0; i < rows; i++)
    for (int v = 0; v < vectors; v++) {
      float* to = out + i * stride + v * LANES;
      const __mmask16 wanted = v == vectors - 1 ? last : __mmask16{0xffff};
      const __m512 sum = added ? _mm512_add_ps(_mm512_maskz_loadu_ps(wanted, to), sums[i][v]) : sums[i][v];
      _mm512_mask_storeu_ps(to, wanted, sum);
    }
}

using Tile = void (*)(const Packed&, int64_t, const Pair*, float*, int64_t, bool, __mmask16);
template <int vectors, int... rows>
constexpr std::array<Tile, TILE_ROWS> tiles_of(std::integer_sequence<int, rows...>) {
  return {tile<rows + 1, vectors>...};
}
template <int... vectors>
constexpr std::array<std::array<Tile, TILE_ROWS>, VECTORS> all_tiles(std::integer_sequence<int, vectors...>) {
  return {tiles_of<vectors + 1>(std::make_integer_sequence<int, TILE_ROWS>())...};
}
// Indexed by the vectors and the rows of the tile, minus one each.
constexpr auto TILES = all_tiles(std::make_integer_sequence<int, VECTORS>());

// The calling thread's memory for one matrix, aligned to a cache line.
template <int64_t pairs>
Pair* memory_of_thread() {
  struct Free {
    void operator()(Pair* memory) const { std::free(memory); }
  };
  thread_local const std::unique_ptr<Pair, Free> memory{
      static_cast<Pair*>(std::aligned_alloc(64, pairs * sizeof(Pair)))};
  if (!memory) throw std::bad_alloc();
  return memory.get();
}

// A block of the left matrix, in pairs.
UNITS Packed packed_left(Pair* memory, const Block& left) {
  if (left.across == 1) {
    pack_rows(memory, APART, left);
    return {memory, APART, 1};
  }
  pack_columns(memory, LEFT_ROWS, left.t());
  return {memory, 1, LEFT_ROWS};
}

// Each number of the result is one sum, whose order depends on the inner length alone, as in packed.h.
UNITS void rounded_product(float* out, int64_t stride, Block left, Block right, bool added) {
  if (std::min(left.rows, right.columns) < SMALLEST || right.rows < SHORTEST)
    return product_with_avx512()(out, stride, left, right, added);
  Pair* const panel = memory_of_thread<PAIRS * PANEL_COLUMNS>();
  Pair* const memory = memory_of_thread<LEFT_ROWS * APART>();
  for (int64_t inner = 0; inner < right.rows; inner += 2 * PAIRS) {
    const int64_t depth = std::min(2 * PAIRS, right.rows - inner), pairs = (depth + 1) / 2;
    const bool more = added || inner > 0;
    for (int64_t top = 0; top < left.rows; top += LEFT_ROWS) {
      const int64_t height = std::min(LEFT_ROWS, left.rows - top);
      const Packed rows = packed_left(memory, left.part(top, inner, height, depth));
      for (int64_t column = 0; column < right.columns; column += PANEL_COLUMNS) {
        const int64_t width = std::min(PANEL_COLUMNS, right.columns - column);
        // A panel of all columns is there already.
        if (top == 0 || right.columns > PANEL_COLUMNS) {
          const Block part = right.part(inner, column, depth, width);
          (right.across == 1 ? pack_columns : pack_turned)(panel, PANEL_COLUMNS, part);
        }
        const int64_t vectors = (width + LANES - 1) / LANES;
        const __mmask16 last = first(width - (vectors - 1) * LANES);
        const auto& tiles = TILES[vectors - 1];
        for (int64_t row = 0; row < height; row += TILE_ROWS) {
          const Packed from{rows.data + row * rows.down, rows.down, rows.across};
          tiles[std::min(TILE_ROWS, height - row) - 1](from, pairs, panel, out + (top + row) * stride + column, stride,
                                                       more, last);
        }
      }
    }
  }
}

}  // namespace

Product product_with_bfloat16() { return __builtin_cpu_supports("avx512bf16") ? rounded_product : nullptr; }

}  // namespace sparring

#else

namespace sparring {

Product product_with_bfloat16() { return nullptr; }

}  // namespace sparring

#endif
