#include "small.h"

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

struct MeanSoftplus : torch::autograd::Function<MeanSoftplus> {
  static Tensor forward(AutogradContext* context, const Tensor& x, double sign) {
    context->save_for_backward({x});
    context->saved_data["sign"] = sign;
    const float* values = x.const_data_ptr<float>();
    double sum = 0.0;
    for (int64_t i = 0; i < x.numel(); i++) {
      const float signed_value = static_cast<float>(sign) * values[i];
      // The argument of exp is never positive, so it cannot overflow.
      sum += std::max(signed_value, 0.0F) + std::log1p(std::exp(-std::abs(signed_value)));
    }
    return at::full({}, sum / static_cast<double>(x.numel()), x.options());
  }

  static variable_list backward(AutogradContext* context, variable_list arriving) {
    const Tensor x = context->get_saved_variables()[0];
    const double sign = context->saved_data["sign"].toDouble();
    if (at::GradMode::is_enabled()) {
      // With create_graph this gradient is differentiated again, so it is made of differentiable operations.
      return {arriving[0] * (sign * x).sigmoid() * (sign / static_cast<double>(x.numel())), Tensor()};
    }
    Tensor gradient = at::empty_like(x);
    const float* values = x.const_data_ptr<float>();
    float* to = gradient.data_ptr<float>();
    const auto factor = static_cast<float>(sign * arriving[0].item<float>() / static_cast<double>(x.numel()));
    for (int64_t i = 0; i < x.numel(); i++) to[i] = factor / (1.0F + std::exp(static_cast<float>(-sign) * values[i]));
    return {gradient, Tensor()};
  }
};

// The same of libtorch's operations, for a device. libtorch's softplus has a factor β, which is `sign` here:
// softplus(x, β) = log(1 + exp(βx)) / β.
struct ComposedSoftplus : torch::autograd::Function<ComposedSoftplus> {
  static constexpr double THRESHOLD = 20;

  static Tensor forward(AutogradContext* context, const Tensor& x, double sign) {
    context->save_for_backward({x});
    context->saved_data["sign"] = sign;
    const Tensor mean = at::softplus(x, sign, THRESHOLD).mean();
    return sign == 1.0 ? mean : mean * sign;
  }

  static variable_list backward(AutogradContext* context, variable_list arriving) {
    const Tensor x = context->get_saved_variables()[0];
    const double sign = context->saved_data["sign"].toDouble();
    const Tensor share = arriving[0] * (sign / static_cast<double>(x.numel()));
    return {at::softplus_backward(share.expand_as(x), x, sign, THRESHOLD), Tensor()};
  }
};

VECTORIZED void scale(float* __restrict to, const uint8_t* __restrict from, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = static_cast<float>(from[i]) / 127.5F - 1.0F;
}

// Sharpens one picture. `line` has room for width + 2 floats.
VECTORIZED void sharpen(const float* __restrict from, float* __restrict to, int64_t height, int64_t width, float amount,
                        float* __restrict line) {
  line[0] = line[width + 1] = 0.0F;
  for (int64_t row = 0; row < height; row++) {
    const float* here = from + row * width;
    for (int64_t i = 0; i < width; i++) {
      const float above = row > 0 ? here[i - width] : 0.0F, below = row + 1 < height ? here[i + width] : 0.0F;
      line[i + 1] = above + here[i] + below;
    }
    for (int64_t i = 0; i < width; i++) {
      const float mean = (line[i] + line[i + 1] + line[i + 2]) / 9.0F;
      to[row * width + i] = here[i] + amount * (here[i] - mean);
    }
  }
}

struct Sharpened : torch::autograd::Function<Sharpened> {
  static Tensor forward(AutogradContext* context, const Tensor& pictures, double amount) {
    context->saved_data["amount"] = amount;
    Tensor out = at::empty_like(pictures);
    const int64_t count = pictures.size(0) * pictures.size(1), height = pictures.size(2), width = pictures.size(3);
    const float* from = pictures.const_data_ptr<float>();
    float* to = out.data_ptr<float>();
    const int64_t pieces = std::min<int64_t>(count, team_size());
    share(pieces, [&](int64_t index) {
      std::vector<float> line(width + 2);
      for (int64_t i = count * index / pieces; i < count * (index + 1) / pieces; i++) {
        const int64_t start = i * height * width;
        sharpen(from + start, to + start, height, width, static_cast<float>(amount), line.data());
      }
    });
    return out;
  }

  // The 3 x 3 mean is symmetric, so the operation is its own transpose.
  static variable_list backward(AutogradContext* context, variable_list arriving) {
    return {sharpened(arriving[0], context->saved_data["amount"].toDouble()), Tensor()};
  }
};

}  // namespace

Tensor sharpened(const Tensor& pictures, double amount) {
  TORCH_CHECK(pictures.dim() == 4, "pictures of sizes ", pictures.sizes());
  if (is_ours(pictures))
    return Sharpened::apply(pictures.contiguous(), amount);
  const Tensor means = at::avg_pool2d(pictures, {3, 3}, {1, 1}, {1, 1});
  return pictures + amount * (pictures - means);
}

Tensor mean_softplus(const Tensor& x, double sign) {
  if (is_ours(x)) return MeanSoftplus::apply(x.contiguous(), sign);
  return ComposedSoftplus::apply(x.to(at::kFloat), sign);
}

Tensor scaled_images(const Tensor& images, const Tensor& indices) {
  if (!images.device().is_cpu()) return images.index_select(0, indices).to(at::kFloat).div_(127.5).sub_(1.0);
  auto sizes = images.sizes().vec();
  const int64_t pixels = images.numel() / sizes[0];
  sizes[0] = indices.numel();
  Tensor out = at::empty(sizes, images.options().dtype(at::kFloat));
  const auto* from = images.const_data_ptr<uint8_t>();
  const auto* index = indices.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < sizes[0]; i++) {
    TORCH_CHECK(index[i] >= 0 && index[i] < images.size(0), "no image ", index[i], " of ", images.size(0));
    scale(out.data_ptr<float>() + i * pixels, from + index[i] * pixels, pixels);
  }
  return out;
}

}  // namespace sparring
