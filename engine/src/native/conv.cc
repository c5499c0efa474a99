#include "conv.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include <algorithm>
#include <vector>

#include "loops.h"
#include "product.h"
#include "team.h"

// A convolution is the product of its weights with the unfolded pictures (im2col), which have a row for each position
// of the kernel, with all that the kernel sees there. A transposed convolution makes the product first and then folds
// its rows, which adds them up where they overlap. With the channels of a pixel side by side in memory ("channels
// last"), folding and unfolding copy long runs. A thread processes a few pictures at a time, so that the unfolded
// pictures stay in its cache, and applies bias and activation while the outputs are still there.

namespace sparring {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Floats unfolded at a time: half a megabyte.
constexpr int64_t UNFOLDED = 1 << 17;

constexpr auto CHANNELS_LAST = at::MemoryFormat::ChannelsLast;

// The picture on one side of the kernel. The small one is the output of a convolution and the input of a transposed
// one.
struct Side {
  int64_t height, width, channels;
  int64_t places() const { return height * width; }
  int64_t size() const { return places() * channels; }
};

struct Geometry {
  Side small, big;
  int64_t kernel, stride, padding;

  // The weights as a matrix have a row for each small channel and a column for each number that the kernel sees.
  int64_t columns() const { return kernel * kernel * big.channels; }
  int64_t unfolded() const { return small.places() * columns(); }
  // Pictures unfolded at a time.
  int64_t together() const { return std::max<int64_t>(1, UNFOLDED / unfolded()); }
};

// Calls `run(column, pixel, length)` for every run of numbers that the kernel sees in a line of the big picture, and
// `gap(column, length)` for every run outside the picture.
template <typename Run, typename Gap>
inline __attribute__((always_inline)) void go_over(const Geometry& g, Run run, Gap gap) {
  const int64_t channels = g.big.channels, line = g.kernel * channels;
  int64_t column = 0;
  for (int64_t y = -g.padding, down = 0; down < g.small.height; down++, y += g.stride) {
    for (int64_t x = -g.padding, across = 0; across < g.small.width; across++, x += g.stride) {
      const int64_t first = std::max<int64_t>(0, -x) * channels;
      const int64_t last = std::max(first, std::min(g.kernel, g.big.width - x) * channels);
      for (int64_t row = y; row < y + g.kernel; row++, column += line) {
        if (row < 0 || row >= g.big.height) {
          gap(column, line);
          continue;
        }
        if (first > 0) gap(column, first);
        run(column + first, (row * g.big.width + x) * channels + first, last - first);
        if (last < line) gap(column + last, line - last);
      }
    }
  }
}

VECTORIZED void unfold(const Geometry& g, const float* __restrict picture, float* __restrict columns) {
  go_over(
      g,
      [=](int64_t column, int64_t pixel, int64_t length) {
        for (int64_t i = 0; i < length; i++) columns[column + i] = picture[pixel + i];
      },
      [=](int64_t column, int64_t length) {
        for (int64_t i = 0; i < length; i++) columns[column + i] = 0.0F;
      });
}

VECTORIZED void fold(const Geometry& g, const float* __restrict columns, float* __restrict picture) {
  const int64_t size = g.big.size();
  for (int64_t i = 0; i < size; i++) picture[i] = 0.0F;
  go_over(
      g,
      [=](int64_t column, int64_t pixel, int64_t length) {
        for (int64_t i = 0; i < length; i++) picture[pixel + i] += columns[column + i];
      },
      [](int64_t, int64_t) {});
}

// Memory that the calling thread keeps between calls.
template <int which>
float* scratch(int64_t floats) {
  thread_local std::vector<float> memory;
  if (memory.size() < static_cast<size_t>(floats)) memory.resize(floats);
  return memory.data();
}

// Goes through piece `index` of the pictures in groups that are unfolded together.
void for_each_group(int64_t pictures, int64_t pieces, int64_t index, int64_t together,
                    c10::function_ref<void(int64_t start, int64_t count)> work) {
  const int64_t end = pictures * (index + 1) / pieces;
  for (int64_t start = pictures * index / pieces; start < end; start += together)
    work(start, std::min(together, end - start));
}

Geometry geometry(const Tensor& small, const Tensor& big, const Tensor& weight, const ConvOptions& options) {
  const auto side = [](const Tensor& t) { return Side{t.size(2), t.size(3), t.size(1)}; };
  return {side(small), side(big), weight.size(2), options.stride, options.padding};
}

// The weights as a matrix [small channels, columns].
Tensor matrix(const Tensor& weight) { return weight.permute({0, 2, 3, 1}).contiguous(); }

Tensor forward_pictures(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvOptions& options,
                        Activation activation, double slope) {
  const int64_t n = x.size(0), kernel = weight.size(2);
  const auto outputs = [&](int64_t inputs) {
    return options.transposed ? (inputs - 1) * options.stride - 2 * options.padding + kernel
                            : (inputs + 2 * options.padding - kernel) / options.stride + 1;
  };
  Tensor y = at::empty({n, bias.size(0), outputs(x.size(2)), outputs(x.size(3))}, x.options(), CHANNELS_LAST);
  const Geometry g = options.transposed ? geometry(x, y, weight, options) : geometry(y, x, weight, options);
  const Side &from = options.transposed ? g.small : g.big, &to = options.transposed ? g.big : g.small;
  const Tensor weights = matrix(weight);
  const Block w{weights.data_ptr<float>(), g.small.channels, g.columns(), g.columns()};
  const int64_t pieces = std::min<int64_t>(n, team_size());
  share(pieces, [&](int64_t index) {
    for_each_group(n, pieces, index, g.together(), [&](int64_t start, int64_t count) {
      float* columns = scratch<0>(count * g.unfolded());
      const float* in = x.data_ptr<float>() + start * from.size();
      float* out = y.data_ptr<float>() + start * to.size();
      const Block unfolded{columns, count * g.small.places(), g.columns(), g.columns()};
      if (options.transposed) {
        product(columns, g.columns(), {in, unfolded.rows, from.channels, from.channels}, w);
        for (int64_t i = 0; i < count; i++) fold(g, columns + i * g.unfolded(), out + i * to.size());
      } else {
        for (int64_t i = 0; i < count; i++) unfold(g, in + i * from.size(), columns + i * g.unfolded());
        product(out, to.channels, unfolded, w.t());
      }
      activate({out, count * to.places(), to.channels, to.channels}, bias.data_ptr<float>(), activation, slope);
    });
  });
  return y;
}

struct Gradients {
  Tensor x, weight, bias;
};

// `wants_x` and `wants_weight` say which gradients to compute.
Gradients backward_pictures(const Tensor& dy, const Tensor& x, const Tensor& weight, const Tensor& y,
                            const ConvOptions& options, Activation activation, double slope, bool wants_x, bool wants_weight) {
  const int64_t n = x.size(0);
  const Geometry g = options.transposed ? geometry(x, y, weight, options) : geometry(y, x, weight, options);
  const Side &from = options.transposed ? g.small : g.big, &to = options.transposed ? g.big : g.small;
  const Tensor weights = matrix(weight);
  const Block w{weights.data_ptr<float>(), g.small.channels, g.columns(), g.columns()};
  const int64_t pieces = std::min<int64_t>(n, team_size());
  Tensor dx = wants_x ? at::empty_like(x, CHANNELS_LAST) : Tensor();
  // One sum per piece, not per thread, so that the result does not depend on which thread takes which piece.
  Tensor dw = wants_weight ? at::empty({pieces, g.small.channels, g.kernel, g.kernel, g.big.channels}, x.options())
                           : Tensor();
  Tensor db = at::zeros({pieces, to.channels}, x.options());
  share(pieces, [&](int64_t index) {
    bool added = false;
    for_each_group(n, pieces, index, g.together(), [&](int64_t start, int64_t count) {
      const auto at = [&](const Tensor& t, const Side& side) { return t.data_ptr<float>() + start * side.size(); };
      const int64_t places = count * to.places(), c = to.channels;
      float* dz = scratch<1>(count * to.size());
      deactivate({dz, places, c, c}, db.data_ptr<float>() + index * c, {at(dy, to), places, c, c},
                 {at(y, to), places, c, c}, activation, slope);

      float* columns = scratch<0>(count * g.unfolded());
      const Block unfolded{columns, count * g.small.places(), g.columns(), g.columns()};
      // The big side is unfolded: the input, or for a transposed convolution the gradient of the output.
      const auto unfold_all = [&](const float* big) {
        for (int64_t i = 0; i < count; i++) unfold(g, big + i * g.big.size(), columns + i * g.unfolded());
      };
      const Block small{options.transposed ? at(x, from) : dz, unfolded.rows, g.small.channels, g.small.channels};
      if (options.transposed) unfold_all(dz);
      if (wants_weight) {
        if (!options.transposed) unfold_all(at(x, from));
        float* sum = dw.data_ptr<float>() + index * g.small.channels * g.columns();
        product(sum, g.columns(), small.t(), unfolded, added);
        added = true;
      }
      if (wants_x && options.transposed) {
        product(at(dx, from), from.channels, unfolded, w.t());
      } else if (wants_x) {
        product(columns, g.columns(), small, w);
        float* to_x = at(dx, from);
        for (int64_t i = 0; i < count; i++) fold(g, columns + i * g.unfolded(), to_x + i * from.size());
      }
    });
  });
  if (wants_weight) dw = dw.sum(0).permute({0, 3, 1, 2}).contiguous();
  return {dx, dw, db.sum(0)};
}

// libtorch's own backward pass, differentiable any number of times.
Gradients backward_composed(const Tensor& dz, const Tensor& x, const Tensor& weight, const ConvOptions& options) {
  const auto [dx, dw, db] = at::convolution_backward(
      dz, x, weight, at::IntArrayRef{dz.size(1)}, {options.stride, options.stride}, {options.padding, options.padding}, {1, 1},
      options.transposed, {0, 0}, 1, {true, true, true});
  return {dx, dw, db};
}

struct Conv : torch::autograd::Function<Conv> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const Tensor& bias,
                        int64_t stride, int64_t padding, bool transposed, int64_t activation, double slope) {
    const ConvOptions options{stride, padding, transposed};
    Tensor y = forward_pictures(x, weight, bias, options, static_cast<Activation>(activation), slope);
    context->save_for_backward({x, weight, y});
    context->saved_data["stride"] = stride;
    context->saved_data["padding"] = padding;
    context->saved_data["transposed"] = transposed;
    context->saved_data["activation"] = activation;
    context->saved_data["slope"] = slope;
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list arriving) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &y = saved[2];
    auto& data = context->saved_data;
    const ConvOptions options{data["stride"].toInt(), data["padding"].toInt(), data["transposed"].toBool()};
    const auto activation = static_cast<Activation>(data["activation"].toInt());
    const double slope = data["slope"].toDouble();
    // With create_graph this gradient is differentiated again, so it is made of differentiable operations.
    const Gradients gradients =
        at::GradMode::is_enabled()
            ? backward_composed(arriving[0] * derivative(y, activation, slope), x, weight, options)
            : backward_pictures(arriving[0].contiguous(CHANNELS_LAST), x, weight, y, options, activation, slope,
                                context->needs_input_grad(0), context->needs_input_grad(1));
    return {gradients.x, gradients.weight, gradients.bias, {}, {}, {}, {}, {}};
  }
};

}  // namespace

Tensor conv(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvOptions& options, Activation activation,
            double slope) {
  if (x.device().is_cpu() && x.scalar_type() == at::kFloat) {
    const int64_t from = options.transposed ? 0 : 1;
    TORCH_CHECK(x.dim() == 4 && weight.dim() == 4 && weight.size(2) == weight.size(3) && x.size(1) == weight.size(from) &&
                    bias.numel() == weight.size(1 - from),
                "a convolution of ", x.sizes(), " with weights ", weight.sizes(), " and biases ", bias.sizes());
    return Conv::apply(x.contiguous(CHANNELS_LAST), weight, bias, options.stride, options.padding, options.transposed,
                       static_cast<int64_t>(activation), slope);
  }
  const Tensor z = at::convolution(x, weight, bias, {options.stride, options.stride}, {options.padding, options.padding},
                                   {1, 1}, options.transposed, {0, 0}, 1);
  return activated(z, activation, slope);
}

}  // namespace sparring
