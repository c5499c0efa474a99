#include "conv.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include <algorithm>
#include <vector>

#include "product.h"
#include "team.h"
#include "tensors.h"
#include "unfold.h"

// A thread processes a few pictures at a time, so that the unfolded pictures stay in its cache, and applies bias and
// activation while the outputs are still there.

namespace sparring {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Side of the output of a side of the input.
int64_t output_side(int64_t side, int64_t kernel, const ConvOptions& options) {
  return options.transposed ? (side - 1) * options.stride - 2 * options.padding + kernel
                            : (side + 2 * options.padding - kernel) / options.stride + 1;
}

Tensor forward_pictures(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvOptions& options,
                        Activation activation, double slope) {
  const int64_t n = x.size(0), kernel = weight.size(2);
  const int64_t height = output_side(x.size(2), kernel, options), width = output_side(x.size(3), kernel, options);
  Tensor y = at::empty({n, bias.size(0), height, width}, x.options(), CHANNELS_LAST);
  const Geometry g = options.transposed ? geometry(x, y, weight.size(2), options) : geometry(y, x, weight.size(2), options);
  const Side &from = options.transposed ? g.small : g.big, &to = options.transposed ? g.big : g.small;
  const Tensor weights = matrix(weight);
  const int64_t pieces = std::min<int64_t>(n, team_size());
  share(pieces, [&](int64_t index) {
    for_each_portion(n, pieces, index, g.together(), [&](int64_t start, int64_t count) {
      const float* in = x.data_ptr<float>() + start * from.size();
      float* out = y.data_ptr<float>() + start * to.size();
      for (int64_t group = 0; group < g.groups; group++) {
        const Block w = weights_of(g, weights, group);
        const float* group_in = in + group * from.group;
        float* group_out = out + group * to.group;
        if (options.transposed)
          spread(g, {group_in, count * from.places(), from.group, from.channels}, w, group_out, count, group == 0);
        else
          product(group_out, to.channels, seen(g, group_in, count), w.t());
      }
      activate({out, count * to.places(), to.channels, to.channels}, bias.data_ptr<float>(), activation, slope);
    });
  });
  return y;
}

struct Gradients {
  Tensor x, weight, bias;
};

// Which gradients to compute.
struct Wanted {
  bool x, weight, bias;
};

Gradients backward_pictures(const Tensor& dy, const Tensor& x, const Tensor& weight, const Tensor& y,
                            const ConvOptions& options, Activation activation, double slope, const Wanted& wanted) {
  const int64_t n = x.size(0);
  const Geometry g = options.transposed ? geometry(x, y, weight.size(2), options) : geometry(y, x, weight.size(2), options);
  const Side &from = options.transposed ? g.small : g.big, &to = options.transposed ? g.big : g.small;
  const Tensor weights = matrix(weight);
  const int64_t pieces = std::min<int64_t>(n, team_size());
  Tensor dx = wanted.x ? at::empty_like(x, CHANNELS_LAST) : Tensor();
  // One sum per piece, not per thread, so that the result does not depend on which thread takes which piece.
  Tensor dw = wanted.weight ? at::empty({pieces, g.small.channels, g.kernel, g.kernel, g.big.group}, x.options())
                            : Tensor();
  Tensor db = at::zeros({pieces, to.channels}, x.options());
  share(pieces, [&](int64_t index) {
    bool added = false;
    for_each_portion(n, pieces, index, g.together(), [&](int64_t start, int64_t count) {
      const auto at = [&](const Tensor& t, const Side& side) { return t.data_ptr<float>() + start * side.size(); };
      const int64_t places = count * to.places(), c = to.channels;
      float* dz = scratch<1>(count * to.size());
      deactivate({dz, places, c, c}, db.data_ptr<float>() + index * c, {at(dy, to), places, c, c},
                 {at(y, to), places, c, c}, activation, slope);

      const float* small = options.transposed ? at(x, from) : dz;
      const float* big = options.transposed ? dz : at(x, from);
      for (int64_t group = 0; group < g.groups; group++) {
        const Block w = weights_of(g, weights, group);
        const Block group_small{small + group * g.small.group, count * g.small.places(), g.small.group,
                                g.small.channels};
        // A transposed convolution needs what the kernel sees for both gradients, the other only for that of the
        // weights.
        Block unfolded{};
        if (wanted.weight || options.transposed) unfolded = seen(g, big + group * g.big.group, count);
        if (wanted.weight) {
          float* sum = dw.data_ptr<float>() + (index * g.small.channels + group * g.small.group) * g.columns();
          product(sum, g.columns(), group_small.t(), unfolded, added);
        }
        if (wanted.x && options.transposed)
          product(at(dx, from) + group * from.group, from.channels, unfolded, w.t());
        else if (wanted.x)
          spread(g, group_small, w, at(dx, from) + group * from.group, count, group == 0);
      }
      added = true;
    });
  });
  if (wanted.weight) dw = dw.sum(0).permute({0, 3, 1, 2}).contiguous();
  return {dx, dw, db.sum(0)};
}

// The same gradients, made of differentiable operations, from dz, the gradient before the activation.
Gradients backward_composed(const Tensor& dz, const Tensor& x, const Tensor& weight, const ConvOptions& options,
                            const Wanted& wanted) {
  Gradients gradients;
  // The gradient for x is the opposite convolution with the same weights, where that leads back to the size of x.
  ConvOptions opposite = options;
  opposite.transposed = !options.transposed;
  const auto leads_back = [&](int64_t axis) {
    return output_side(dz.size(axis), weight.size(2), opposite) == x.size(axis);
  };
  const bool is_exact = leads_back(2) && leads_back(3);
  if (wanted.x && is_exact) gradients.x = conv(dz, weight, {}, opposite, Activation::Identity, 0.0);
  const bool x_remains = wanted.x && !is_exact;
  if (x_remains || wanted.weight) {
    const auto [dx, dw, db] = at::convolution_backward(
        dz, x, weight, at::IntArrayRef{dz.size(1)}, {options.stride, options.stride},
        {options.padding, options.padding}, {1, 1}, options.transposed, {0, 0}, options.groups,
        {x_remains, wanted.weight, false});
    if (x_remains) gradients.x = dx;
    gradients.weight = dw;
  }
  if (wanted.bias) gradients.bias = dz.sum({0, 2, 3});
  return gradients;
}

Tensor before_activation(const Tensor& dy, const Tensor& y, Activation activation, double slope) {
  return activation == Activation::Identity ? dy : dy * derivative(y, activation, slope);
}

struct Conv : torch::autograd::Function<Conv> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const Tensor& bias, int64_t stride, int64_t padding, bool transposed, int64_t groups, int64_t activation,
                        double slope) {
    const ConvOptions options{stride, padding, transposed, groups};
    Tensor y = forward_pictures(x, weight, bias, options, static_cast<Activation>(activation), slope);
    context->save_for_backward({x, weight, y});
    context->saved_data["stride"] = stride;
    context->saved_data["padding"] = padding;
    context->saved_data["transposed"] = transposed;
    context->saved_data["groups"] = groups;
    context->saved_data["activation"] = activation;
    context->saved_data["slope"] = slope;
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list arriving) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &y = saved[2];
    auto& data = context->saved_data;
    const ConvOptions options{data["stride"].toInt(), data["padding"].toInt(), data["transposed"].toBool(),
                              data["groups"].toInt()};
    const auto activation = static_cast<Activation>(data["activation"].toInt());
    const double slope = data["slope"].toDouble();
    const Wanted wanted{context->needs_input_grad(0), context->needs_input_grad(1), context->needs_input_grad(2)};
    // With create_graph this gradient is differentiated again.
    const Gradients gradients =
        at::GradMode::is_enabled()
            ? backward_composed(before_activation(arriving[0], y, activation, slope), x, weight, options, wanted)
            : backward_pictures(arriving[0].contiguous(CHANNELS_LAST), x, weight, y, options, activation, slope, wanted);
    return {gradients.x, gradients.weight, gradients.bias, {}, {}, {}, {}, {}, {}};
  }
};

}  // namespace

Tensor conv(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvOptions& options, Activation activation,
            double slope) {
  if (is_ours(x)) {
    const int64_t groups = options.groups;
    TORCH_CHECK(x.dim() == 4 && weight.dim() == 4 && weight.size(2) == weight.size(3) && groups > 0 &&
                    weight.size(0) % groups == 0,
                "a convolution of ", x.sizes(), " with weights ", weight.sizes(), " in ", groups, " groups");
    const int64_t inputs = options.transposed ? weight.size(0) : weight.size(1) * groups;
    const int64_t outputs = options.transposed ? weight.size(1) * groups : weight.size(0);
    const Tensor biases = bias.defined() ? bias : at::zeros({outputs}, x.options());
    TORCH_CHECK(x.size(1) == inputs && biases.numel() == outputs, "a convolution of ", x.sizes(), " with weights ",
                weight.sizes(), " and biases ", biases.sizes());
    return Conv::apply(x.contiguous(CHANNELS_LAST), weight, biases, options.stride, options.padding, options.transposed,
                       groups, static_cast<int64_t>(activation), slope);
  }
  const Tensor z = at::convolution(x, weight, bias, {options.stride, options.stride}, {options.padding, options.padding},
                                   {1, 1}, options.transposed, {0, 0}, options.groups);
  return activated(z, activation, slope);
}

}  // namespace sparring
