// Small operations of a step, each replacing several of libtorch: whatever its size, an operation costs some ten
// microseconds once the matrix products have emptied the caches.
#pragma once
#include <ATen/core/Tensor.h>

namespace sparring {

// mean(log(1 + exp(sign · x))), a scalar.
at::Tensor mean_softplus(const at::Tensor& x, double sign);

// images[indices] / 127.5 - 1, with images [count, …] of bytes and indices [n]: [n, …] of floats.
at::Tensor scaled_images(const at::Tensor& images, const at::Tensor& indices);

// pictures + amount · (pictures - means), where a pixel's mean is that of the 3 x 3 pixels around it, with zeros
// outside the picture; pictures [n, c, h, w]. Differentiable any number of times.
at::Tensor sharpened(const at::Tensor& pictures, double amount);

}  // namespace sparring
