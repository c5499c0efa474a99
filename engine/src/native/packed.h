// Matrix products with one packed matrix, for a processor's vector units.
//
// A file for each kind of units includes this after it has defined
//   UNITS   the attribute of functions that use them
//   Units   their operations: see avx2.cc
//
// Why not the BLAS in libtorch: MKL uses AVX-512 only on Intel's processors, which leaves half of a Zen 5 idle, and a
// BLAS first packs both matrices, which does not pay off for a batch of 64. Here only one matrix is packed, the one
// that is cheaper to pack, into panels of a few vectors' width, row after row. The other is read in place, one number at
// a time, and each number is multiplied with a row of the panel. (Goto and van de Geijn 2008, «Anatomy of
// High-Performance Matrix Multiplication», explains the terms: the panel stays in a near cache, a tile of the result in
// the registers.)
#pragma once
#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>

#include "product.h"

namespace sparring {
namespace {

constexpr int64_t LANES = Units::LANES, VECTORS = Units::VECTORS, PANEL_COLUMNS = VECTORS * LANES;
constexpr int64_t TILE_ROWS = Units::TILE_ROWS, TALL_ROWS = Units::TALL_ROWS, PANEL_ROWS = Units::PANEL_ROWS;
// Rows of the result that are stored together: a multiple of the rows of both kinds of tile, and of LANES.
constexpr int64_t BAND = 48;
static_assert(BAND % TILE_ROWS == 0 && BAND % TALL_ROWS == 0 && BAND % LANES == 0);
// Rows of full vectors that lie within as many floats as a panel has need no copy: they are near enough as they are.
constexpr int64_t NEAR = PANEL_ROWS * PANEL_COLUMNS;
// With fewer columns a panel would be mostly empty, so the other matrix becomes the panel.
constexpr int64_t NARROW = LANES;

// The rows of a panel, and how far they are apart.
struct Panel {
  const float* rows;
  int64_t down;
};

// out = left · panel, or out += left · panel if `added`, for a number of rows of `left` and vectors of the panel.
template <int rows, int vectors>
UNITS void tile(const Block& left, const Panel& from_panel, float* out, int64_t stride, bool added) {
  const float* __restrict panel = from_panel.rows;
  Units::Vector sums[rows][vectors];
  for (int i = 0; i < rows; i++)
    for (int v = 0; v < vectors; v++) sums[i][v] = Units::all(0.0F);
  const float* from = left.data;
  for (int64_t p = 0; p < left.columns; p++, from += left.across, panel += from_panel.down) {
    Units::Vector row[vectors];
    for (int v = 0; v < vectors; v++) row[v] = Units::load(panel + v * LANES);
    for (int i = 0; i < rows; i++) {
      const Units::Vector number = Units::all(from[i * left.down]);
      for (int v = 0; v < vectors; v++) sums[i][v] = Units::add_product(number, row[v], sums[i][v]);
    }
  }
  for (int i = 0; i < rows; i++)
    for (int v = 0; v < vectors; v++) {
      float* to = out + i * stride + v * LANES;
      Units::store(to, added ? Units::add(Units::load(to), sums[i][v]) : sums[i][v]);
    }
}

using Tile = void (*)(const Block&, const Panel&, float*, int64_t, bool);
template <int vectors, int... rows>
constexpr std::array<Tile, TALL_ROWS> tiles_of(std::integer_sequence<int, rows...>) {
  // Tall tiles of more than one vector do not exist.
  return {(rows < TILE_ROWS || vectors == 1 ? tile<rows < TILE_ROWS || vectors == 1 ? rows + 1 : 1, vectors> : nullptr)...};
}
template <int... vectors>
constexpr std::array<std::array<Tile, TALL_ROWS>, VECTORS> all_tiles(std::integer_sequence<int, vectors...>) {
  return {tiles_of<vectors + 1>(std::make_integer_sequence<int, TALL_ROWS>())...};
}
// Indexed by the vectors and the rows of the tile, minus one each.
constexpr auto TILES = all_tiles(std::make_integer_sequence<int, VECTORS>());

// Copies a matrix of at most PANEL_COLUMNS columns into a panel, and pads the last vector with zeros.
UNITS void fill(float* panel, const Block& from) {
  const int64_t filled = (from.columns + LANES - 1) / LANES * LANES;
  if (from.across == 1) {
    // The processor does not prefetch rows that are far apart.
    constexpr int64_t AHEAD = 8;
    for (int64_t row = 0; row < from.rows; row++) {
      for (int64_t column = 0; column < filled; column += LANES) {
        __builtin_prefetch(from.at(row + AHEAD, column));
        const int64_t width = std::min(LANES, from.columns - column);
        Units::store(panel + row * PANEL_COLUMNS + column, Units::load_first(from.at(row, column), width));
      }
    }
    return;
  }
  for (int64_t row = 0; row < from.rows; row += LANES) {
    for (int64_t column = 0; column < filled; column += LANES) {
      const int64_t height = std::min(LANES, from.rows - row), width = std::min(LANES, from.columns - column);
      float* to = panel + row * PANEL_COLUMNS + column;
      if (from.down == 1 && height == LANES && width == LANES) {
        Units::turn(from.at(row, column), from.across, to, PANEL_COLUMNS);
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
UNITS void put(const float* loose, int64_t rows, int64_t columns, float* out, int64_t down, int64_t across, bool added) {
  for (int64_t row = 0; row < rows; row += LANES) {
    for (int64_t column = 0; column < columns; column += LANES) {
      const int64_t height = std::min(LANES, rows - row), width = std::min(LANES, columns - column);
      const float* from = loose + row * PANEL_COLUMNS + column;
      float* to = out + row * down + column * across;
      if (down == 1 && height == LANES && width == LANES && !added) {
        Units::turn(from, PANEL_COLUMNS, to, across);
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

// Each number of the result is one sum, whose order depends on the inner length alone, so that a product and its blocks
// are the same to the bit.
void packed_product(float* out, int64_t stride, Block left, Block right, bool added) {
  int64_t down = stride, across = 1;
  // If neither has the right layout for a panel, the smaller becomes one: outᵀ = rightᵀ · leftᵀ.
  const bool either = left.across == 1 && right.across != 1;
  if (either && (right.columns >= left.rows || right.columns < NARROW)) {
    std::swap(left, right);
    left = left.t();
    right = right.t();
    std::swap(down, across);
  }
  float* memory = panel_of_thread();
  alignas(64) float loose[BAND * PANEL_COLUMNS];
  for (int64_t column = 0; column < right.columns; column += PANEL_COLUMNS) {
    const int64_t width = std::min(PANEL_COLUMNS, right.columns - column);
    const auto& tiles = TILES[(width - 1) / LANES];
    const int64_t tile_rows = width <= LANES ? TALL_ROWS : TILE_ROWS;
    const bool straight = across == 1 && width % LANES == 0;
    for (int64_t inner = 0; inner < right.rows; inner += PANEL_ROWS) {
      const int64_t depth = std::min(PANEL_ROWS, right.rows - inner);
      const bool more = added || inner > 0;
      const Block part_of_right = right.part(inner, column, depth, width);
      const bool in_place = right.across == 1 && width % LANES == 0 && right.down * depth <= NEAR;
      if (!in_place) fill(memory, part_of_right);
      const Panel panel = in_place ? Panel{part_of_right.data, right.down} : Panel{memory, PANEL_COLUMNS};
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

}  // namespace
}  // namespace sparring
