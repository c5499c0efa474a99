#include "activation.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/types.h>

#include "loops.h"

namespace sparring {
namespace {

VECTORIZED void add(const Rows& x, const float* __restrict bias) {
  for (int64_t row = 0; row < x.count; row++) {
    float* __restrict to = x.data + row * x.stride;
    for (int64_t i = 0; i < x.columns; i++) to[i] += bias[i];
  }
}

// Relu is a slope of zero.
VECTORIZED void add_leaky(const Rows& x, const float* __restrict bias, float slope) {
  for (int64_t row = 0; row < x.count; row++) {
    float* __restrict to = x.data + row * x.stride;
    for (int64_t i = 0; i < x.columns; i++) {
      const float sum = to[i] + bias[i];
      to[i] = sum > 0.0F ? sum : slope * sum;
    }
  }
}

// dz may be dy, number by number, which is no reason not to work at several numbers at a time.
#if defined(__clang__)
#define IN_PLACE _Pragma("clang loop vectorize(assume_safety)")
#else
#define IN_PLACE _Pragma("GCC ivdep")
#endif

VECTORIZED void back_identity(const Rows& dz, float* __restrict db, const Rows& dy) {
  for (int64_t row = 0; row < dz.count; row++) {
    float* to = dz.data + row * dz.stride;
    const float* from = dy.data + row * dy.stride;
    IN_PLACE
    for (int64_t i = 0; i < dz.columns; i++) {
      to[i] = from[i];
      db[i] += to[i];
    }
  }
}

VECTORIZED void back_leaky(const Rows& dz, float* __restrict db, const Rows& dy, const Rows& y, float slope) {
  for (int64_t row = 0; row < dz.count; row++) {
    float* to = dz.data + row * dz.stride;
    const float* from = dy.data + row * dy.stride;
    const float* __restrict known = y.data + row * y.stride;
    IN_PLACE
    for (int64_t i = 0; i < dz.columns; i++) {
      to[i] = known[i] > 0.0F ? from[i] : slope * from[i];
      db[i] += to[i];
    }
  }
}

VECTORIZED void back_tanh(const Rows& dz, float* __restrict db, const Rows& dy, const Rows& y) {
  for (int64_t row = 0; row < dz.count; row++) {
    float* to = dz.data + row * dz.stride;
    const float* from = dy.data + row * dy.stride;
    const float* __restrict known = y.data + row * y.stride;
    IN_PLACE
    for (int64_t i = 0; i < dz.columns; i++) {
      to[i] = from[i] * (1.0F - known[i] * known[i]);
      db[i] += to[i];
    }
  }
}

}  // namespace

void activate(const Rows& x, const float* bias, Activation activation, double slope) {
  switch (activation) {
    case Activation::Relu: return add_leaky(x, bias, 0.0F);
    case Activation::LeakyRelu: return add_leaky(x, bias, static_cast<float>(slope));
    default: add(x, bias);
  }
  if (activation == Activation::Tanh) {
    // Autograd records the operation as a whole, so nothing is recorded inside it.
    at::AutoDispatchBelowADInplaceOrView unrecorded;
    at::from_blob(x.data, {x.count, x.columns}, {x.stride, 1}, at::kFloat).tanh_();
  }
}

void deactivate(const Rows& dz, float* db, const Rows& dy, const Rows& y, Activation activation, double slope) {
  switch (activation) {
    case Activation::Identity: return back_identity(dz, db, dy);
    case Activation::Relu: return back_leaky(dz, db, dy, y, 0.0F);
    case Activation::LeakyRelu: return back_leaky(dz, db, dy, y, static_cast<float>(slope));
    case Activation::Tanh: return back_tanh(dz, db, dy, y);
  }
}

at::Tensor activated(const at::Tensor& z, Activation activation, double slope) {
  switch (activation) {
    case Activation::Relu: return at::relu(z);
    case Activation::LeakyRelu: return at::leaky_relu(z, slope);
    case Activation::Tanh: return at::tanh(z);
    default: return z;
  }
}

at::Tensor derivative(const at::Tensor& y, Activation activation, double slope) {
  switch (activation) {
    case Activation::Relu: return (y > 0).to(y.scalar_type());
    case Activation::LeakyRelu: return at::where(y > 0, at::ones_like(y), at::full_like(y, slope));
    case Activation::Tanh: return 1 - y * y;
    default: return at::ones_like(y);
  }
}

}  // namespace sparring
