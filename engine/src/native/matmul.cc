#include "matmul.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include "product.h"
#include "team.h"

namespace sparring {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// A tensor whose rows or columns are contiguous.
Tensor in_order(const Tensor& t) { return t.is_contiguous() || t.t().is_contiguous() ? t : t.contiguous(); }

Block block_of(const Tensor& t) { return t.is_contiguous() ? Block::of(t) : Block::of(t.t()).t(); }

struct Matmul : torch::autograd::Function<Matmul> {
  static Tensor forward(AutogradContext* context, const Tensor& left, const Tensor& right) {
    context->save_for_backward({left, right});
    const Tensor from = in_order(left), by = in_order(right);
    const int64_t rows = left.size(0), columns = right.size(1);
    Tensor out = at::empty({rows, columns}, left.options());
    const Block l = block_of(from), r = block_of(by);
    // The longer side of the result is divided among the threads.
    const bool by_columns = columns >= rows;
    const int64_t length = by_columns ? columns : rows, pieces = pieces_of(length);
    share(pieces, [&](int64_t index) {
      const auto [start, part] = piece(length, pieces, index);
      float* to = out.data_ptr<float>() + start * (by_columns ? 1 : columns);
      product(to, columns, by_columns ? l : l.rows_from(start, part), by_columns ? r.columns_from(start, part) : r);
    });
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list arriving) {
    const auto saved = context->get_saved_variables();
    const Tensor &left = saved[0], &right = saved[1];
    return {context->needs_input_grad(0) ? matrix_product(arriving[0], right.t()) : Tensor(),
            context->needs_input_grad(1) ? matrix_product(left.t(), arriving[0]) : Tensor()};
  }
};

}  // namespace

Tensor matrix_product(const Tensor& left, const Tensor& right) {
  if (!left.device().is_cpu() || left.scalar_type() != at::kFloat) return left.mm(right);
  TORCH_CHECK(left.dim() == 2 && right.dim() == 2 && left.size(1) == right.size(0), "a product of ", left.sizes(), " and ",
              right.sizes());
  return Matmul::apply(left, right);
}

}  // namespace sparring
