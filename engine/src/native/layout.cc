#include "layout.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include <algorithm>

#include "team.h"
#include "tensors.h"

namespace sparring {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Turns n matrices [rows, columns] that lie one after the other.
void turn_each(const float* from, float* to, int64_t n, int64_t rows, int64_t columns) {
  const int64_t pieces = std::min<int64_t>(n, team_size());
  share(pieces, [&](int64_t index) {
    for (int64_t i = n * index / pieces; i < n * (index + 1) / pieces; i++) {
      const int64_t start = i * rows * columns;
      turn(from + start, columns, to + start, rows, rows, columns);
    }
  });
}

struct ChannelsLast : torch::autograd::Function<ChannelsLast> {
  static Tensor forward(AutogradContext*, const Tensor& pictures) {
    Tensor out = at::empty(pictures.sizes(), pictures.options(), CHANNELS_LAST);
    turn_each(pictures.const_data_ptr<float>(), out.data_ptr<float>(), pictures.size(0), pictures.size(1),
              pictures.size(2) * pictures.size(3));
    return out;
  }

  static variable_list backward(AutogradContext*, variable_list arriving) { return {arriving[0]}; }
};

struct Flattened : torch::autograd::Function<Flattened> {
  static Tensor forward(AutogradContext* context, const Tensor& pictures) {
    context->saved_data["channels"] = pictures.size(1);
    context->saved_data["height"] = pictures.size(2);
    context->saved_data["width"] = pictures.size(3);
    const int64_t n = pictures.size(0), channels = pictures.size(1), places = pictures.size(2) * pictures.size(3);
    Tensor out = at::empty({n, channels * places}, pictures.options());
    turn_each(pictures.const_data_ptr<float>(), out.data_ptr<float>(), n, places, channels);
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list arriving) {
    auto& data = context->saved_data;
    return {unflattened(arriving[0], data["channels"].toInt(), data["height"].toInt(), data["width"].toInt())};
  }
};

struct Unflattened : torch::autograd::Function<Unflattened> {
  static Tensor forward(AutogradContext*, const Tensor& numbers, int64_t channels, int64_t height, int64_t width) {
    const int64_t n = numbers.size(0);
    Tensor out = at::empty({n, channels, height, width}, numbers.options(), CHANNELS_LAST);
    turn_each(numbers.const_data_ptr<float>(), out.data_ptr<float>(), n, channels, height * width);
    return out;
  }

  static variable_list backward(AutogradContext*, variable_list arriving) {
    return {flattened(arriving[0]), Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

void turn(const float* from, int64_t from_stride, float* to, int64_t to_stride, int64_t rows, int64_t columns) {
  // Of a block the lines that are read and those that are written stay in the nearest cache.
  constexpr int64_t BLOCK = 16;
  for (int64_t row = 0; row < rows; row += BLOCK)
    for (int64_t column = 0; column < columns; column += BLOCK)
      for (int64_t j = column; j < std::min(columns, column + BLOCK); j++)
        for (int64_t i = row; i < std::min(rows, row + BLOCK); i++) to[j * to_stride + i] = from[i * from_stride + j];
}

Tensor channels_last(const Tensor& pictures) {
  if (!is_ours(pictures) || pictures.is_contiguous(CHANNELS_LAST)) return pictures.contiguous(CHANNELS_LAST);
  return ChannelsLast::apply(pictures.contiguous());
}

Tensor flattened(const Tensor& pictures) {
  if (!is_ours(pictures) || pictures.dim() != 4 || pictures.is_contiguous()) return pictures.flatten(1);
  return Flattened::apply(pictures.contiguous(CHANNELS_LAST));
}

Tensor unflattened(const Tensor& numbers, int64_t channels, int64_t height, int64_t width) {
  if (!is_ours(numbers)) return numbers.reshape({-1, channels, height, width});
  TORCH_CHECK(numbers.dim() == 2 && numbers.size(1) == channels * height * width, "numbers of sizes ", numbers.sizes(),
              " are no pictures of ", channels, " x ", height, " x ", width);
  return Unflattened::apply(numbers.contiguous(), channels, height, width);
}

}  // namespace sparring
