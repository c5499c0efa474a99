// A convolution of single pixels over the channels of two pictures.
#pragma once
#include <ATen/core/Tensor.h>

namespace sparring {

// weight · (a, b), with a [n, c, h, w], b [n, d, h, w] and weight [outputs, c + d, 1, 1]: [n, outputs, h, w]. The same as the
// convolution of both pictures joined, which are never joined. Differentiable any number of times.
at::Tensor merged(const at::Tensor& a, const at::Tensor& b, const at::Tensor& weight);

}  // namespace sparring
