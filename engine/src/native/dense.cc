#include "dense.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include "loops.h"
#include "product.h"
#include "team.h"

// Why one operation and not three: the bias is added and the activation applied to a block of outputs while it is still
// in the cache, and on the way back the gradient of the activation and that of the bias are one pass over a block that
// the two products then share. libtorch's own go over memory once for each, and its sum for the bias is a slow one.

namespace sparring {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

VECTORIZED void add_row(float* __restrict x, const float* __restrict row, int64_t n) {
  for (int64_t i = 0; i < n; i++) x[i] += row[i];
}

VECTORIZED void add_row_relu(float* __restrict x, const float* __restrict row, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    const float sum = x[i] + row[i];
    x[i] = sum > 0.0F ? sum : 0.0F;
  }
}

VECTORIZED void add_row_leaky(float* __restrict x, const float* __restrict row, int64_t n, float slope) {
  for (int64_t i = 0; i < n; i++) {
    const float sum = x[i] + row[i];
    x[i] = sum > 0.0F ? sum : slope * sum;
  }
}

// dz = dy · activation'(z), told from y, and the row's share of the bias's gradient.
VECTORIZED void back_identity(float* __restrict dz, float* __restrict db, const float* __restrict dy, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    dz[i] = dy[i];
    db[i] += dz[i];
  }
}

VECTORIZED void back_leaky(float* __restrict dz, float* __restrict db, const float* __restrict dy,
                           const float* __restrict y, int64_t n, float slope) {
  for (int64_t i = 0; i < n; i++) {
    dz[i] = y[i] > 0.0F ? dy[i] : slope * dy[i];
    db[i] += dz[i];
  }
}

VECTORIZED void back_tanh(float* __restrict dz, float* __restrict db, const float* __restrict dy,
                          const float* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    dz[i] = dy[i] * (1.0F - y[i] * y[i]);
    db[i] += dz[i];
  }
}

// A tensor's floats, row by row.
struct Rows {
  float* data;
  int64_t count, stride;
  explicit Rows(const Tensor& t) : data(t.data_ptr<float>()), count(t.size(0)), stride(t.stride(0)) {}
  float* at(int64_t row, int64_t column) const { return data + row * stride + column; }
};

// An operation on a block records nothing for autograd: the whole is recorded as one.
using Unrecorded = at::AutoDispatchBelowADInplaceOrView;

Tensor forward_blocks(const Tensor& x, const Tensor& weight, const Tensor& bias, Activation activation, double slope) {
  const int64_t out = weight.size(0);
  Tensor y = at::empty({x.size(0), out}, x.options());
  const Rows rows(y);
  const Block inputs = Block::of(x), weights = Block::of(weight);
  const float* b = bias.data_ptr<float>();
  const int64_t pieces = pieces_of(out);
  share(pieces, [&](int64_t index) {
    const auto [start, length] = piece(out, pieces, index);
    product(rows.at(0, start), out, inputs, weights.rows_from(start, length).t());
    for (int64_t row = 0; row < rows.count; row++) {
      float* values = rows.at(row, start);
      if (activation == Activation::Relu) {
        add_row_relu(values, b + start, length);
      } else if (activation == Activation::LeakyRelu) {
        add_row_leaky(values, b + start, length, static_cast<float>(slope));
      } else {
        add_row(values, b + start, length);
      }
    }
    if (activation == Activation::Tanh) {
      Unrecorded guard;
      y.narrow(1, start, length).tanh_();
    }
  });
  return y;
}

struct Gradients {
  Tensor x, weight, bias;
};

// `wants_x` and `wants_weight` say which of the products are made.
Gradients backward_blocks(const Tensor& dy, const Tensor& x, const Tensor& weight, const Tensor& y,
                          Activation activation, double slope, bool wants_x, bool wants_weight) {
  const int64_t n = x.size(0), in = weight.size(1), out = weight.size(0);
  Tensor dz = at::empty({n, out}, dy.options());
  Tensor db = at::zeros({out}, dy.options());
  const Rows dz_rows(dz), dy_rows(dy), y_rows(y);
  // A pass over less than this is over before a helper could be of help.
  const int64_t pieces = n * out < 1 << 18 ? 1 : pieces_of(out);
  share(pieces, [&](int64_t index) {
    const auto [start, length] = piece(out, pieces, index);
    float* sums = db.data_ptr<float>() + start;
    for (int64_t row = 0; row < n; row++) {
      float* to = dz_rows.at(row, start);
      const float *from = dy_rows.at(row, start), *known = y_rows.at(row, start);
      switch (activation) {
        case Activation::Identity: back_identity(to, sums, from, length); break;
        case Activation::Relu: back_leaky(to, sums, from, known, length, 0.0F); break;
        case Activation::LeakyRelu: back_leaky(to, sums, from, known, length, static_cast<float>(slope)); break;
        case Activation::Tanh: back_tanh(to, sums, from, known, length); break;
      }
    }
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

// activation'(z), told from y; differentiable itself.
Tensor derivative(const Tensor& y, Activation activation, double slope) {
  switch (activation) {
    case Activation::Relu: return (y > 0).to(y.scalar_type());
    case Activation::LeakyRelu: return at::where(y > 0, at::ones_like(y), at::full_like(y, slope));
    case Activation::Tanh: return 1 - y * y;
    default: return at::ones_like(y);
  }
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
      // A gradient of this gradient will be taken: it is put together from operations that can be differentiated.
      const Tensor dz = arriving[0] * derivative(y, activation, slope);
      gradients = {wants_x ? dz.mm(weight) : Tensor(), wants_weight ? dz.t().mm(x) : Tensor(), dz.sum(0)};
    } else {
      gradients = backward_blocks(arriving[0].contiguous(), x, weight, y, activation, slope, wants_x, wants_weight);
    }
    return {gradients.x, gradients.weight, gradients.bias, Tensor(), Tensor()};
  }
};

}  // namespace

Tensor dense(const Tensor& x, const Tensor& weight, const Tensor& bias, Activation activation, double slope) {
  if (x.device().is_cpu() && x.scalar_type() == at::kFloat) {
    return Dense::apply(x.contiguous(), weight, bias, static_cast<int64_t>(activation), slope);
  }
  const Tensor z = at::linear(x, weight, bias);
  switch (activation) {
    case Activation::Relu: return at::relu(z);
    case Activation::LeakyRelu: return at::leaky_relu(z, slope);
    case Activation::Tanh: return at::tanh(z);
    default: return z;
  }
}

}  // namespace sparring
