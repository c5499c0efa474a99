#include "residual.h"

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

// What a block has between its input and its output is wider than both, and takes no other part in a step. So a thread
// takes a few pictures through the whole block, forwards or backwards, while they are in its cache.

namespace sparring {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

ConvOptions around(const Tensor& grouped) {
  return {1, grouped.size(2) / 2, false, grouped.size(0) / grouped.size(1)};
}

// Of the convolution in the middle, from inner pictures to inner pictures.
Geometry middle(const Tensor& inner, const Tensor& grouped) {
  return geometry(inner, inner, grouped.size(2), around(grouped));
}

// Pictures at a time: the inner ones take half a megabyte.
int64_t together(const Geometry& g) {
  constexpr int64_t FLOATS = 1 << 17;
  return std::max<int64_t>(1, FLOATS / g.big.size());
}

// The weights of a convolution whose kernel is a pixel, as a matrix [outputs, inputs].
Tensor matrix(const Tensor& weight) { return weight.flatten(1).contiguous(); }

// A matrix of `rows` rows in memory, one after the other.
Block rows_of(const float* data, int64_t rows, int64_t columns) { return {data, rows, columns, columns}; }
Rows rows_to(float* data, int64_t rows, int64_t columns) { return {data, rows, columns, columns}; }

// The outputs of the two activations, [n, inner, h, w] each, and that of the block.
struct Outputs {
  Tensor first, second, y;
};

Outputs forward_block(const Tensor& x, const BlockWeights& weights, Activation activation, double slope) {
  const int64_t n = x.size(0), channels = x.size(1), inner = weights.expand.size(0);
  Outputs out;
  out.first = at::empty({n, inner, x.size(2), x.size(3)}, x.options(), CHANNELS_LAST);
  out.second = at::empty_like(out.first, CHANNELS_LAST);
  out.y = at::empty_like(x, CHANNELS_LAST);
  const Geometry g = middle(out.first, weights.grouped);
  const Tensor expand = matrix(weights.expand), project = matrix(weights.project);
  const auto grouped = conv_kernel(g, weights.grouped, Use::Gather);
  const int64_t pieces = std::min<int64_t>(n, team_size()), places = g.big.places();
  share(pieces, [&](int64_t index) {
    for_each_portion(n, pieces, index, together(g), [&](int64_t start, int64_t count) {
      const int64_t rows = count * places;
      const float* from = x.const_data_ptr<float>() + start * places * channels;
      float* first = out.first.data_ptr<float>() + start * g.big.size();
      float* second = out.second.data_ptr<float>() + start * g.big.size();
      float* to = out.y.data_ptr<float>() + start * places * channels;
      product(first, inner, rows_of(from, rows, channels), Block::of(expand).t());
      activate(rows_to(first, rows, inner), weights.expand_bias.const_data_ptr<float>(), activation, slope);
      grouped->gather(first, second, count);
      activate(rows_to(second, rows, inner), weights.grouped_bias.const_data_ptr<float>(), activation, slope);
      std::copy_n(from, rows * channels, to);
      product(to, channels, rows_of(second, rows, inner), Block::of(project).t(), true);
    });
  });
  return out;
}

// In the order of the inputs.
variable_list backward_block(const Tensor& dy, const Tensor& x, const BlockWeights& weights, const Tensor& first_output,
                             const Tensor& second_output, Activation activation, double slope, bool wants_weights) {
  const int64_t n = x.size(0), channels = x.size(1), inner = weights.expand.size(0);
  const Geometry g = middle(first_output, weights.grouped);
  const Tensor expand = matrix(weights.expand), project = matrix(weights.project);
  const auto grouped = conv_kernel(g, weights.grouped, Use::Spread);
  const int64_t pieces = std::min<int64_t>(n, team_size()), places = g.big.places();
  Tensor dx = at::empty_like(x, CHANNELS_LAST);
  // One sum per piece, not per thread, so that the result does not depend on which thread takes which piece.
  const auto sums = [&](at::IntArrayRef sizes) {
    std::vector<int64_t> all{pieces};
    all.insert(all.end(), sizes.begin(), sizes.end());
    return at::empty(all, x.options());
  };
  Tensor d_expand = sums({inner, channels}), d_project = sums({channels, inner});
  Tensor d_grouped = sums({grouped->sum_size()});
  Tensor d_expand_bias = sums({inner}).zero_(), d_grouped_bias = sums({inner}).zero_();
  share(pieces, [&](int64_t index) {
    const auto sum = [&](const Tensor& of) { return of.data_ptr<float>() + index * (of.numel() / pieces); };
    bool added = false;
    for_each_portion(n, pieces, index, together(g), [&](int64_t start, int64_t count) {
      const int64_t rows = count * places;
      const auto at = [&](const Tensor& t) { return t.data_ptr<float>() + start * (t.numel() / n); };
      float *first = at(first_output), *second = at(second_output), *arriving = at(dy), *from = at(x);
      // The gradients after an activation, and then those before it.
      float *d_second = scratch<2>(rows * inner), *d_first = scratch<3>(rows * inner);

      product(d_second, inner, rows_of(arriving, rows, channels), Block::of(project));
      if (wants_weights)
        sum_products(sum(d_project), inner, rows_of(arriving, rows, channels), rows_of(second, rows, inner), added);
      deactivate(rows_to(d_second, rows, inner), sum(d_grouped_bias), rows_to(d_second, rows, inner),
                 rows_to(second, rows, inner), activation, slope);

      if (wants_weights) grouped->sum_gradients(d_second, first, sum(d_grouped), count, added, /*is_gathered=*/false);
      grouped->spread(d_second, d_first, count);
      deactivate(rows_to(d_first, rows, inner), sum(d_expand_bias), rows_to(d_first, rows, inner),
                 rows_to(first, rows, inner), activation, slope);

      if (wants_weights)
        sum_products(sum(d_expand), channels, rows_of(d_first, rows, inner), rows_of(from, rows, channels), added);
      float* to = at(dx);
      std::copy_n(arriving, rows * channels, to);
      product(to, channels, rows_of(d_first, rows, inner), Block::of(expand), true);
      added = true;
    });
  });
  if (!wants_weights) return {dx, {}, {}, {}, {}, {}};
  return {dx,
          d_expand.sum(0).view_as(weights.expand),
          d_expand_bias.sum(0),
          grouped->gradient(d_grouped),
          d_grouped_bias.sum(0),
          d_project.sum(0).view_as(weights.project)};
}

// The same block, made of differentiable operations.
Tensor composed_block(const Tensor& x, const BlockWeights& w, Activation activation, double slope) {
  const ConvOptions pointwise{1, 0, false, 1};
  const Tensor first = conv(x, w.expand, w.expand_bias, pointwise, activation, slope);
  const Tensor second = conv(first, w.grouped, w.grouped_bias, around(w.grouped), activation, slope);
  return x + conv(second, w.project, {}, pointwise, Activation::Identity, 0.0);
}

struct ResidualBlock : torch::autograd::Function<ResidualBlock> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& expand, const Tensor& expand_bias,
                        const Tensor& grouped, const Tensor& grouped_bias, const Tensor& project, int64_t activation,
                        double slope) {
    const BlockWeights weights{expand, expand_bias, grouped, grouped_bias, project};
    const Outputs out = forward_block(x, weights, static_cast<Activation>(activation), slope);
    context->save_for_backward({x, expand, expand_bias, grouped, grouped_bias, project, out.first, out.second});
    context->saved_data["activation"] = activation;
    context->saved_data["slope"] = slope;
    return out.y;
  }

  static variable_list backward(AutogradContext* context, variable_list arriving) {
    const auto saved = context->get_saved_variables();
    const Tensor& x = saved[0];
    const BlockWeights weights{saved[1], saved[2], saved[3], saved[4], saved[5]};
    const auto activation = static_cast<Activation>(context->saved_data["activation"].toInt());
    const double slope = context->saved_data["slope"].toDouble();
    constexpr size_t INPUTS = 6;
    bool wants_weights = false;
    for (size_t i = 1; i < INPUTS; i++) wants_weights = wants_weights || context->needs_input_grad(i);
    variable_list gradients;
    if (at::GradMode::is_enabled()) {
      // With create_graph this gradient is differentiated again.
      variable_list wanted;
      for (size_t i = 0; i < INPUTS; i++)
        if (context->needs_input_grad(i)) wanted.push_back(saved[i]);
      const Tensor y = composed_block(x, weights, activation, slope);
      const variable_list made = torch::autograd::grad({y}, wanted, {arriving[0]}, /*retain_graph=*/true,
                                                       /*create_graph=*/true, /*allow_unused=*/true);
      for (size_t i = 0, next = 0; i < INPUTS; i++)
        gradients.push_back(context->needs_input_grad(i) ? made[next++] : Tensor());
    } else {
      gradients = backward_block(channels_last(arriving[0]), x, weights, saved[6], saved[7], activation,
                                 slope, wants_weights);
    }
    gradients.resize(INPUTS + 2);
    return gradients;
  }
};

}  // namespace

Tensor residual_block(const Tensor& x, const BlockWeights& weights, Activation activation, double slope) {
  if (!is_ours(x)) return composed_block(x, weights, activation, slope);
  const auto& [expand, expand_bias, grouped, grouped_bias, project] = weights;
  const int64_t inner = expand.size(0);
  TORCH_CHECK(x.dim() == 4 && expand.dim() == 4 && grouped.dim() == 4 && project.dim() == 4 &&
                  expand.size(1) == x.size(1) && grouped.size(0) == inner && inner % grouped.size(1) == 0 &&
                  grouped.size(2) == grouped.size(3) && grouped.size(2) % 2 == 1 && project.size(0) == x.size(1) &&
                  project.size(1) == inner && expand_bias.numel() == inner && grouped_bias.numel() == inner,
              "a residual block of ", x.sizes(), " with weights ", expand.sizes(), ", ", grouped.sizes(), " and ",
              project.sizes());
  return ResidualBlock::apply(channels_last(x), expand, expand_bias, grouped, grouped_bias, project,
                              static_cast<int64_t>(activation), slope);
}

}  // namespace sparring
