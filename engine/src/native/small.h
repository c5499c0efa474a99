// Small operations of a step, each one where libtorch would take several: every operation costs some ten microseconds
// once the products have swept the caches, whatever its size.
#pragma once
#include <ATen/core/Tensor.h>

namespace sparring {

// mean(log(1 + exp(sign · x))), a scalar.
at::Tensor mean_softplus(const at::Tensor& x, double sign);

// images[indices] / 127.5 - 1, with images [count, …] of bytes and indices [n]: [n, …] of floats.
at::Tensor scaled_images(const at::Tensor& images, const at::Tensor& indices);

// pictures + amount · (pictures - the means of 3 x 3 pixels about each, with zeros outside), pictures [n, c, h, w]. It can
// be differentiated as often as wanted.
at::Tensor sharpened(const at::Tensor& pictures, double amount);

}  // namespace sparring
