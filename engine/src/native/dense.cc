#include "dense.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include "matmul.h"
#include "product.h"
#include "team.h"
#include "tensors.h"

// Why one operation and not three: the bias is added and the activation applied to a block of outputs while it is still
// in the cache, and in the backward pass the gradients of activation and bias are one pass over a block that both
// products then use. libtorch's own operations go over memory once each, and its sum for the bias is slow.

namespace sparring {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// A range of a matrix's columns.
Rows columns_of(const Tensor& t, int64_t start, int64_t length) {
  return {t.data_ptr<float>() + start, t.size(0), length, t.stride(0)};
}

Tensor forward_blocks(const Tensor& x, const Tensor& weight, const Tensor& bias, Activation activation, double slope) {
  const int64_t out = weight.size(0);
  Tensor y = at::empty({x.size(0), out}, x.options());
  const Block inputs = Block::of(x), weights = Block::of(weight);
  const int64_t pieces = pieces_of(out);
  share(pieces, [&](int64_t index) {
    const auto [start, length] = piece(out, pieces, index);
    const Rows to = columns_of(y, start, length);
    product(to.data, out, inputs, weights.rows_from(start, length).t());
    activate(to, bias.data_ptr<float>() + start, activation, slope);
  });
  return y;
}

struct Gradients {
  Tensor x, weight, bias;
};

// `wants_x` and `wants_weight` say which gradients to compute.
Gradients backward_blocks(const Tensor& dy, const Tensor& x, const Tensor& weight, const Tensor& y,
                          Activation activation, double slope, bool wants_x, bool wants_weight) {
  const int64_t n = x.size(0), in = weight.size(1), out = weight.size(0);
  Tensor dz = at::empty({n, out}, dy.options());
  Tensor db = at::zeros({out}, dy.options());
  // A shorter pass is done before a helper thread could start.
  const int64_t pieces = n * out < 1 << 18 ? 1 : pieces_of(out);
  share(pieces, [&](int64_t index) {
    const auto [start, length] = piece(out, pieces, index);
    deactivate(columns_of(dz, start, length), db.data_ptr<float>() + start, columns_of(dy, start, length),
               columns_of(y, start, length), activation, slope);
  });

  Gradients gradients{{}, {}, db};
  if (wants_weight) gradients.weight = at::empty_like(weight);
  if (wants_x) gradients.x = at::empty({n, in}, dy.options());
  const int64_t for_weight = wants_weight ? pieces_of(out) : 0, for_x = wants_x ? pieces_of(in) : 0;
  const Block inputs = Block::of(x), weights = Block::of(weight), back = Block::of(dz);
  share(for_weight + for_x, [&](int64_t index) {
    if (index < for_weight) {
      const auto [start, length] = piece(out, for_weight, index);
      product(gradients.weight.data_ptr<float>() + start * in, in, back.columns_from(start, length).t(), inputs);
    } else {
      const auto [start, length] = piece(in, for_x, index - for_weight);
      product(gradients.x.data_ptr<float>() + start, in, back, weights.columns_from(start, length));
    }
  });
  return gradients;
}

struct Dense : torch::autograd::Function<Dense> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const Tensor& bias,
                        int64_t activation, double slope) {
    Tensor y = forward_blocks(x, weight, bias, static_cast<Activation>(activation), slope);
    context->save_for_backward({x, weight, y});
    context->saved_data["activation"] = activation;
    context->saved_data["slope"] = slope;
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list arriving) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &y = saved[2];
    const auto activation = static_cast<Activation>(context->saved_data["activation"].toInt());
    const double slope = context->saved_data["slope"].toDouble();
    const bool wants_x = context->needs_input_grad(0), wants_weight = context->needs_input_grad(1);
    Gradients gradients;
    if (at::GradMode::is_enabled()) {
      // With create_graph this gradient is differentiated again, so it is made of differentiable operations.
      const Tensor dz = arriving[0] * derivative(y, activation, slope);
      gradients = {wants_x ? matrix_product(dz, weight) : Tensor(), wants_weight ? matrix_product(dz.t(), x) : Tensor(), dz.sum(0)};
    } else {
      gradients = backward_blocks(arriving[0].contiguous(), x, weight, y, activation, slope, wants_x, wants_weight);
    }
    return {gradients.x, gradients.weight, gradients.bias, Tensor(), Tensor()};
  }
};

}  // namespace

Tensor dense(const Tensor& x, const Tensor& weight, const Tensor& bias, Activation activation, double slope) {
  TORCH_CHECK(x.dim() == 2 && weight.dim() == 2 && x.size(1) == weight.size(1) && bias.numel() == weight.size(0),
              "inputs ", x.sizes(), " do not fit weights ", weight.sizes(), " and biases ", bias.sizes());
  if (is_ours(x)) {
    return Dense::apply(x.contiguous(), weight.contiguous(), bias.contiguous(), static_cast<int64_t>(activation), slope);
  }
  return activated(at::linear(x, weight, bias), activation, slope);
}

}  // namespace sparring
