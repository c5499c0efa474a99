#include "merge.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include <algorithm>

#include "conv.h"
#include "conv_kernel.h"
#include "layout.h"
#include "product.h"
#include "team.h"
#include "tensors.h"

namespace sparring {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Pictures at a time: half a megabyte of both inputs.
int64_t together(const Tensor& a, const Tensor& b) {
  constexpr int64_t FLOATS = 1 << 17;
  return std::max<int64_t>(1, FLOATS / ((a.size(1) + b.size(1)) * a.size(2) * a.size(3)));
}

// `count` pictures as a matrix with a row for each pixel.
Block pixels(const Tensor& pictures, int64_t start, int64_t count) {
  const int64_t channels = pictures.size(1), places = pictures.size(2) * pictures.size(3);
  return {pictures.const_data_ptr<float>() + start * places * channels, count * places, channels, channels};
}

float* pixels_to(const Tensor& pictures, int64_t start) {
  return pictures.data_ptr<float>() + start * (pictures.numel() / pictures.size(0));
}

// The weights for each input: [outputs, channels].
struct Halves {
  Block a, b;

  Halves(const Tensor& matrix, int64_t channels_of_a)
      : a(Block::of(matrix).columns_from(0, channels_of_a)),
        b(Block::of(matrix).columns_from(channels_of_a, matrix.size(1) - channels_of_a)) {}
};

Tensor forward_both(const Tensor& a, const Tensor& b, const Tensor& weight) {
  const int64_t n = a.size(0), outputs = weight.size(0);
  Tensor y = at::empty({n, outputs, a.size(2), a.size(3)}, a.options(), CHANNELS_LAST);
  const Tensor matrix = weight.flatten(1).contiguous();
  const Halves halves(matrix, a.size(1));
  const int64_t pieces = std::min<int64_t>(n, team_size());
  share(pieces, [&](int64_t index) {
    for_each_portion(n, pieces, index, together(a, b), [&](int64_t start, int64_t count) {
      float* to = pixels_to(y, start);
      product(to, outputs, pixels(a, start, count), halves.a.t());
      product(to, outputs, pixels(b, start, count), halves.b.t(), /*added=*/true);
    });
  });
  return y;
}

variable_list backward_both(const Tensor& dy, const Tensor& a, const Tensor& b, const Tensor& weight, bool wants_inputs,
                            bool wants_weight) {
  const int64_t n = a.size(0), outputs = weight.size(0), channels = weight.size(1);
  const Tensor matrix = weight.flatten(1).contiguous();
  const Halves halves(matrix, a.size(1));
  const int64_t pieces = std::min<int64_t>(n, team_size());
  Tensor da = wants_inputs ? at::empty_like(a, CHANNELS_LAST) : Tensor();
  Tensor db = wants_inputs ? at::empty_like(b, CHANNELS_LAST) : Tensor();
  // One sum per piece, not per thread, so that the result does not depend on which thread takes which piece.
  Tensor sums = wants_weight ? at::empty({pieces, outputs, channels}, a.options()) : Tensor();
  share(pieces, [&](int64_t index) {
    bool added = false;
    for_each_portion(n, pieces, index, together(a, b), [&](int64_t start, int64_t count) {
      const Block arriving = pixels(dy, start, count);
      if (wants_inputs) {
        product(pixels_to(da, start), a.size(1), arriving, halves.a);
        product(pixels_to(db, start), b.size(1), arriving, halves.b);
      }
      if (wants_weight) {
        float* sum = sums.data_ptr<float>() + index * outputs * channels;
        sum_products(sum, channels, arriving, pixels(a, start, count), added);
        sum_products(sum + a.size(1), channels, arriving, pixels(b, start, count), added);
      }
      added = true;
    });
  });
  return {da, db, wants_weight ? sums.sum(0).view_as(weight) : Tensor()};
}

// The same of differentiable operations.
Tensor composed(const Tensor& a, const Tensor& b, const Tensor& weight) {
  return conv(at::cat({a, b}, 1), weight, {}, {1, 0, false, 1}, Activation::Identity, 0.0);
}

struct Merge : torch::autograd::Function<Merge> {
  static Tensor forward(AutogradContext* context, const Tensor& a, const Tensor& b, const Tensor& weight) {
    context->save_for_backward({a, b, weight});
    return forward_both(a, b, weight);
  }

  static variable_list backward(AutogradContext* context, variable_list arriving) {
    const auto saved = context->get_saved_variables();
    constexpr size_t INPUTS = 3;
    if (!at::GradMode::is_enabled())
      return backward_both(channels_last(arriving[0]), saved[0], saved[1], saved[2],
                           context->needs_input_grad(0) || context->needs_input_grad(1), context->needs_input_grad(2));
    // With create_graph this gradient is differentiated again.
    variable_list wanted, gradients;
    for (size_t i = 0; i < INPUTS; i++)
      if (context->needs_input_grad(i)) wanted.push_back(saved[i]);
    const variable_list made =
        torch::autograd::grad({composed(saved[0], saved[1], saved[2])}, wanted, {arriving[0]}, /*retain_graph=*/true,
                              /*create_graph=*/true, /*allow_unused=*/true);
    for (size_t i = 0, next = 0; i < INPUTS; i++)
      gradients.push_back(context->needs_input_grad(i) ? made[next++] : Tensor());
    return gradients;
  }
};

}  // namespace

Tensor merged(const Tensor& a, const Tensor& b, const Tensor& weight) {
  if (!is_ours(a)) return composed(a, b, weight);
  TORCH_CHECK(a.dim() == 4 && b.dim() == 4 && weight.dim() == 4 && a.size(0) == b.size(0) && a.size(2) == b.size(2) &&
                  a.size(3) == b.size(3) && weight.size(1) == a.size(1) + b.size(1) && weight.size(2) == 1 &&
                  weight.size(3) == 1,
              "pictures of ", a.sizes(), " and ", b.sizes(), " merged with weights ", weight.sizes());
  return Merge::apply(channels_last(a), channels_last(b), weight);
}

}  // namespace sparring
