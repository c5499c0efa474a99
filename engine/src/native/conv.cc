#include "conv.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include <algorithm>
#include <vector>

#include "conv_kernel.h"
#include "layout.h"
#include "team.h"
#include "tensors.h"

// A thread processes a few pictures at a time, so that what is made of them stays in its cache, and applies bias and
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

// The two sides of a convolution of x to y.
struct Sides {
  Geometry g;
  Side from, to;

  Sides(const Tensor& x, const Tensor& y, int64_t kernel, const ConvOptions& options)
      : g(options.transposed ? geometry(x, y, kernel, options) : geometry(y, x, kernel, options)),
        from(options.transposed ? g.small : g.big),
        to(options.transposed ? g.big : g.small) {}
};

Tensor forward_pictures(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvOptions& options,
                        Activation activation, double slope) {
  const int64_t n = x.size(0), side = weight.size(2);
  const int64_t height = output_side(x.size(2), side, options), width = output_side(x.size(3), side, options);
  Tensor y = at::empty({n, bias.size(0), height, width}, x.options(), CHANNELS_LAST);
  const Sides sides(x, y, side, options);
  const auto kernel = conv_kernel(sides.g, weight, options.transposed ? Use::Spread : Use::Gather);
  const int64_t pieces = std::min<int64_t>(n, team_size());
  share(pieces, [&](int64_t index) {
    for_each_portion(n, pieces, index, kernel->together(), [&](int64_t start, int64_t count) {
      const float* in = x.data_ptr<float>() + start * sides.from.size();
      float* out = y.data_ptr<float>() + start * sides.to.size();
      if (options.transposed) {
        kernel->spread(in, out, count);
      } else {
        kernel->gather(in, out, count);
      }
      const int64_t channels = sides.to.channels;
      activate({out, count * sides.to.places(), channels, channels}, bias.data_ptr<float>(), activation, slope);
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
  const Sides sides(x, y, weight.size(2), options);
  const auto kernel = conv_kernel(sides.g, weight, options.transposed ? Use::Gather : Use::Spread);
  const int64_t pieces = std::min<int64_t>(n, team_size()), channels = sides.to.channels;
  Tensor dx = wanted.x ? at::empty_like(x, CHANNELS_LAST) : Tensor();
  // One sum per piece, not per thread, so that the result does not depend on which thread takes which piece.
  Tensor dw = wanted.weight ? at::empty({pieces, kernel->sum_size()}, x.options()) : Tensor();
  Tensor db = at::zeros({pieces, channels}, x.options());
  share(pieces, [&](int64_t index) {
    bool added = false;
    for_each_portion(n, pieces, index, kernel->together(), [&](int64_t start, int64_t count) {
      const auto at = [&](const Tensor& t, const Side& side) { return t.data_ptr<float>() + start * side.size(); };
      const int64_t places = count * sides.to.places();
      float* dz = scratch<2>(count * sides.to.size());
      deactivate({dz, places, channels, channels}, db.data_ptr<float>() + index * channels,
                 {at(dy, sides.to), places, channels, channels}, {at(y, sides.to), places, channels, channels},
                 activation, slope);

      const float* small = options.transposed ? at(x, sides.from) : dz;
      const float* big = options.transposed ? dz : at(x, sides.from);
      if (wanted.x && options.transposed) kernel->gather(big, at(dx, sides.from), count);
      if (wanted.weight) {
        float* sum = dw.data_ptr<float>() + index * kernel->sum_size();
        kernel->sum_gradients(small, big, sum, count, added, /*is_gathered=*/wanted.x && options.transposed);
      }
      if (wanted.x && !options.transposed) kernel->spread(small, at(dx, sides.from), count);
      added = true;
    });
  });
  return {dx, wanted.weight ? kernel->gradient(dw) : Tensor(), db.sum(0)};
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
            : backward_pictures(channels_last(arriving[0]), x, weight, y, options, activation, slope, wanted);
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
    return Conv::apply(channels_last(x), weight, biases, options.stride, options.padding, options.transposed,
                       groups, static_cast<int64_t>(activation), slope);
  }
  const Tensor z = at::convolution(x, weight, bias, {options.stride, options.stride}, {options.padding, options.padding},
                                   {1, 1}, options.transposed, {0, 0}, options.groups);
  return activated(z, activation, slope);
}

}  // namespace sparring
