#include "norm.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "loops.h"
#include "team.h"
#include "tensors.h"

namespace sparring {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr double EPSILON = 1e-5, MOMENTUM = 0.1;

// Rows summed in floats, before these sums are added up in doubles.
constexpr int64_t BLOCK = 128;

// With channels last, every pixel is a row.
Tensor in_rows(const Tensor& x) { return x.dim() == 4 ? x.contiguous(at::MemoryFormat::ChannelsLast) : x.contiguous(); }

struct Matrix {
  float* data;
  int64_t rows, channels;
  explicit Matrix(const Tensor& t) : data(t.data_ptr<float>()), rows(t.numel() / t.size(1)), channels(t.size(1)) {}
  float* row(int64_t index) const { return data + index * channels; }
  Rows from(int64_t start, int64_t count) const { return {row(start), count, channels, channels}; }
};

VECTORIZED void add_up(const float* __restrict x, int64_t rows, int64_t channels, float* __restrict sums) {
  for (int64_t row = 0; row < rows; row++)
    for (int64_t i = 0; i < channels; i++) sums[i] += x[row * channels + i];
}

VECTORIZED void add_up_squares(const float* __restrict x, int64_t rows, int64_t channels, const float* __restrict mean,
                               float* __restrict sums) {
  for (int64_t row = 0; row < rows; row++)
    for (int64_t i = 0; i < channels; i++) {
      const float distance = x[row * channels + i] - mean[i];
      sums[i] += distance * distance;
    }
}

VECTORIZED void add_up_products(const float* __restrict x, int64_t rows, int64_t channels,
                                const float* __restrict mean, const float* __restrict dz, float* __restrict sums) {
  for (int64_t row = 0; row < rows; row++)
    for (int64_t i = 0; i < channels; i++) sums[i] += (x[row * channels + i] - mean[i]) * dz[row * channels + i];
}

// y = (x - mean) · factor
VECTORIZED void scale(const float* __restrict x, int64_t rows, int64_t channels, const float* __restrict mean,
                      const float* __restrict factor, float* __restrict y) {
  for (int64_t row = 0; row < rows; row++)
    for (int64_t i = 0; i < channels; i++) y[row * channels + i] = (x[row * channels + i] - mean[i]) * factor[i];
}

// dx = factor · dz - share - (x - mean) · pull, in place of dz
VECTORIZED void pull_back(const float* __restrict x, int64_t rows, int64_t channels, const float* __restrict mean,
                          const float* __restrict factor, const float* __restrict share, const float* __restrict pull,
                          float* __restrict dz) {
  for (int64_t row = 0; row < rows; row++)
    for (int64_t i = 0; i < channels; i++) {
      const int64_t at = row * channels + i;
      dz[at] = factor[i] * dz[at] - share[i] - (x[at] - mean[i]) * pull[i];
    }
}

// The number of pieces into which the team divides the rows.
int64_t pieces_for(int64_t rows) { return std::min<int64_t>(team_size(), (rows + BLOCK - 1) / BLOCK); }

struct Span {
  int64_t start, end;
};
Span span(int64_t rows, int64_t pieces, int64_t index) { return {rows * index / pieces, rows * (index + 1) / pieces}; }

// Sums over rows, `sums` of them for each channel: [sums · channels]. Each piece has its own sums, which are added up
// in the order of the pieces, so that the result does not depend on which thread takes which piece.
std::vector<double> over_blocks(int64_t rows, int64_t channels, int64_t sums,
                                c10::function_ref<void(int64_t start, int64_t count, float* sums)> work) {
  const int64_t pieces = pieces_for(rows), width = sums * channels;
  std::vector<double> parts(pieces * width);
  share(pieces, [&](int64_t index) {
    const auto [start, end] = span(rows, pieces, index);
    std::vector<float> block(width);
    for (int64_t row = start; row < end; row += BLOCK) {
      std::fill(block.begin(), block.end(), 0.0F);
      work(row, std::min(BLOCK, end - row), block.data());
      for (int64_t i = 0; i < width; i++) parts[index * width + i] += block[i];
    }
  });
  for (int64_t index = 1; index < pieces; index++)
    for (int64_t i = 0; i < width; i++) parts[i] += parts[index * width + i];
  parts.resize(width);
  return parts;
}

// Goes over all rows, on all threads.
void share_rows(int64_t rows, c10::function_ref<void(int64_t start, int64_t count)> work) {
  const int64_t pieces = pieces_for(rows);
  share(pieces, [&](int64_t index) {
    const auto [start, end] = span(rows, pieces, index);
    for (int64_t row = start; row < end; row += BLOCK) work(row, std::min(BLOCK, end - row));
  });
}

struct BatchNorm : torch::autograd::Function<BatchNorm> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const Tensor& running_mean, const Tensor& running_var, int64_t activation, double slope) {
    const Matrix in(x);
    const int64_t channels = in.channels;
    const double rows = static_cast<double>(in.rows);
    Tensor mean = at::empty({channels}, x.options()), inverse = at::empty_like(mean), factor = at::empty_like(mean);
    float *means = mean.data_ptr<float>(), *inverses = inverse.data_ptr<float>(), *factors = factor.data_ptr<float>();
    const auto sums = over_blocks(in.rows, channels, 1, [&](int64_t start, int64_t count, float* to) {
      add_up(in.row(start), count, channels, to);
    });
    for (int64_t i = 0; i < channels; i++) means[i] = static_cast<float>(sums[i] / rows);
    const auto squares = over_blocks(in.rows, channels, 1, [&](int64_t start, int64_t count, float* to) {
      add_up_squares(in.row(start), count, channels, means, to);
    });
    float *seen_mean = running_mean.data_ptr<float>(), *seen_var = running_var.data_ptr<float>();
    for (int64_t i = 0; i < channels; i++) {
      inverses[i] = static_cast<float>(1.0 / std::sqrt(squares[i] / rows + EPSILON));
      factors[i] = weight.data_ptr<float>()[i] * inverses[i];
      seen_mean[i] = static_cast<float>((1.0 - MOMENTUM) * seen_mean[i] + MOMENTUM * means[i]);
      seen_var[i] = static_cast<float>((1.0 - MOMENTUM) * seen_var[i] + MOMENTUM * squares[i] / (rows - 1.0));
    }
    Tensor y = at::empty_like(x);
    const Matrix out(y);
    share_rows(in.rows, [&](int64_t start, int64_t count) {
      scale(in.row(start), count, channels, means, factors, out.row(start));
      activate(out.from(start, count), bias.data_ptr<float>(), static_cast<Activation>(activation), slope);
    });
    context->save_for_backward({x, weight, y, mean, inverse});
    context->saved_data["activation"] = activation;
    context->saved_data["slope"] = slope;
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list arriving) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &y = saved[2], &mean = saved[3], &inverse = saved[4];
    const auto activation = static_cast<Activation>(context->saved_data["activation"].toInt());
    const double slope = context->saved_data["slope"].toDouble();
    if (at::GradMode::is_enabled()) {
      // With create_graph this gradient is differentiated again, so it is made of differentiable operations.
      const auto [dx, dw, db] =
          at::native_batch_norm_backward(arriving[0] * derivative(y, activation, slope), x, weight, {}, {}, mean,
                                         inverse, /*train=*/true, EPSILON, {true, true, true});
      return {dx, dw, db, {}, {}, {}, {}};
    }
    const Tensor dy = in_rows(arriving[0]);
    // First dz, then dx in its place.
    Tensor dx = at::empty_like(x), dw = at::empty_like(weight), db = at::empty_like(weight);
    const Matrix in(x), known(y), back(dy), out(dx);
    const int64_t channels = in.channels;
    const float *means = mean.data_ptr<float>(), *inverses = inverse.data_ptr<float>();
    const auto sums = over_blocks(in.rows, channels, 2, [&](int64_t start, int64_t count, float* to) {
      deactivate(out.from(start, count), to, back.from(start, count), known.from(start, count), activation, slope);
      add_up_products(in.row(start), count, channels, means, out.row(start), to + channels);
    });
    std::vector<float> factor(channels), part(channels), pull(channels);
    const double rows = static_cast<double>(in.rows);
    for (int64_t i = 0; i < channels; i++) {
      const double along = sums[channels + i] * inverses[i];
      db.data_ptr<float>()[i] = static_cast<float>(sums[i]);
      dw.data_ptr<float>()[i] = static_cast<float>(along);
      factor[i] = weight.data_ptr<float>()[i] * inverses[i];
      part[i] = static_cast<float>(factor[i] * sums[i] / rows);
      pull[i] = static_cast<float>(factor[i] * along * inverses[i] / rows);
    }
    share_rows(in.rows, [&](int64_t start, int64_t count) {
      pull_back(in.row(start), count, channels, means, factor.data(), part.data(), pull.data(), out.row(start));
    });
    return {dx, dw, db, {}, {}, {}, {}};
  }
};

}  // namespace

Tensor batch_norm(const Tensor& x, const BatchNormState& norm, bool training, Activation activation, double slope) {
  if (training && is_ours(x)) {
    for (const Tensor* t : {&norm.weight, &norm.bias, &norm.running_mean, &norm.running_var})
      TORCH_CHECK(t->numel() == x.size(1), "a batch norm of ", t->numel(), " channels on ", x.sizes());
    TORCH_CHECK(x.numel() > x.size(1), "a batch norm cannot learn from a single value a channel");
    return BatchNorm::apply(in_rows(x), norm.weight, norm.bias, norm.running_mean, norm.running_var,
                            static_cast<int64_t>(activation), slope);
  }
  const Tensor z = at::batch_norm(x, norm.weight, norm.bias, norm.running_mean, norm.running_var, training, MOMENTUM,
                                  EPSILON, /*cudnn_enabled=*/true);
  return activated(z, activation, slope);
}

}  // namespace sparring
