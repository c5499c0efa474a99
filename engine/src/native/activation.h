// Activations, on blocks of rows in memory.
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace sparring {

enum class Activation : int64_t { Identity = 0, Relu = 1, LeakyRelu = 2, Tanh = 3 };

// Some rows of floats, `stride` floats from one to the next.
struct Rows {
  float* data;
  int64_t count, columns, stride;
};

// x = activation(x + bias), with a bias for each column.
void activate(const Rows& x, const float* bias, Activation activation, double slope);

// dz = dy · activation'(z), computed from y = activation(z); adds the sums of its columns to db. dz may be
// dy.
void deactivate(const Rows& dz, float* db, const Rows& dy, const Rows& y, Activation activation, double slope);

// activation(z), and activation'(z) computed from y, both made of differentiable operations.
at::Tensor activated(const at::Tensor& z, Activation activation, double slope);
at::Tensor derivative(const at::Tensor& y, Activation activation, double slope);

}  // namespace sparring
