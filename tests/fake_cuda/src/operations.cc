// All operations on CUDA tensors: the CPU's kernels compute them, in the same memory.
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/view_native.h>
#include <torch/library.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "device.h"

namespace fake {
namespace {

using at::Tensor;
using c10::Device;
using c10::IValue;
using torch::jit::Stack;

bool starts_with(const std::string& text, const std::string& start) { return text.rfind(start, 0) == 0; }

// Operations whose result the host needs before it can go on.
bool waits(const std::string& name) {
  static const char* const waiting[] = {"aten::_local_scalar_dense", "aten::nonzero",      "aten::equal",
                                        "aten::masked_select",       "aten::_unique2",     "aten::bincount",
                                        "aten::unique_dim",          "aten::repeat_interleave"};
  for (const char* one : waiting)
    if (name == one) return true;
  return false;
}

// Allocations start nothing on a device.
bool is_allocation(const std::string& name) { return starts_with(name, "aten::empty") || name == "aten::set_"; }

// All tensors of an argument; undefined ones too.
std::vector<Tensor> tensors_in(const IValue& value) {
  if (value.isTensor()) return {value.toTensor()};
  if (value.isTensorList()) return value.toTensorVector();
  std::vector<Tensor> tensors;
  if (value.isOptionalTensorList())
    for (const std::optional<Tensor> tensor : value.toOptionalTensorList()) tensors.push_back(tensor.value_or(Tensor()));
  return tensors;
}

// The device of the operation: that of its tensors, which must all be on the same, or the one that it is told.
Device device_of(const std::string& name, const std::vector<IValue>& arguments) {
  std::optional<Device> found, told;
  for (const IValue& argument : arguments) {
    if (argument.isDevice()) told = argument.toDevice();
    for (const Tensor& tensor : tensors_in(argument)) {
      if (!tensor.defined()) continue;
      if (tensor.is_cuda()) {
        TORCH_CHECK(!found || *found == tensor.device(), "Expected all tensors to be on the same device, but found at least two devices, ",
                    *found, " and ", tensor.device(), "! (", name, ")");
        found = tensor.device();
      } else {
        // A CPU number may take part in an operation on a device, a CPU tensor may not.
        TORCH_CHECK(tensor.dim() == 0, "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu! (",
                    name, " of a CPU tensor of sizes ", tensor.sizes(), ")");
      }
    }
  }
  if (found) return *found;
  return told && told->has_index() ? *told : current_device();
}

// What the CPU's kernel gets of a tensor. What is recorded is not made: then the kernel works on a copy.
Tensor given(const Tensor& tensor) {
  const Tensor host = to_host(tensor);
  return host.defined() && is_capturing() ? host.clone() : host;
}

IValue on_host(const IValue& value, const std::string& argument) {
  if (value.isDevice() || argument == "device") return Device(c10::kCPU);
  if (value.isTensor()) return given(value.toTensor());
  if (value.isTensorList()) {
    c10::List<Tensor> list;
    for (const Tensor& tensor : value.toTensorVector()) list.push_back(given(tensor));
    return list;
  }
  if (value.isOptionalTensorList()) {
    c10::List<std::optional<Tensor>> list;
    for (const std::optional<Tensor> tensor : value.toOptionalTensorList())
      list.push_back(tensor ? std::optional<Tensor>(given(*tensor)) : std::nullopt);
    return list;
  }
  return value;
}

// Computes the operation on the host's side of its arguments.
std::vector<IValue> compute(const c10::OperatorHandle& op, const std::vector<IValue>& arguments) {
  const auto& schema = op.schema();
  Stack stack;
  // Outputs that an operation with `out=` is to size itself.
  std::vector<std::pair<Tensor, Tensor>> sized;
  for (size_t i = 0; i < arguments.size(); i++) {
    const auto* alias = schema.arguments()[i].alias_info();
    const bool is_written = alias != nullptr && alias->isWrite();
    if (is_written && arguments[i].isTensor() && arguments[i].toTensor().defined() &&
        arguments[i].toTensor().is_cuda() && arguments[i].toTensor().numel() == 0) {
      const Tensor& out = arguments[i].toTensor();
      Tensor host = at::empty({0}, at::TensorOptions().dtype(out.dtype()));
      sized.emplace_back(out, host);
      stack.emplace_back(host);
    } else {
      stack.push_back(on_host(arguments[i], schema.arguments()[i].name()));
    }
  }
  {
    at::AutoDispatchBelowADInplaceOrView below;
    op.callBoxed(stack);
  }
  for (const auto& [out, host] : sized) {
    if (host.numel() == 0) continue;
    const Tensor made = to_device(host, out.device());
    out.unsafeGetTensorImpl()->set_storage_keep_dtype(made.storage());
    out.unsafeGetTensorImpl()->set_sizes_and_strides(made.sizes(), made.strides());
  }
  return stack;
}

// The argument that a result is: an operation that writes into an argument returns it.
const IValue* written_argument(const c10::FunctionSchema& schema, size_t result, const std::vector<IValue>& arguments) {
  const auto* alias = schema.returns()[result].alias_info();
  if (alias == nullptr || !alias->isWrite()) return nullptr;
  for (size_t i = 0; i < arguments.size(); i++) {
    const auto* own = schema.arguments()[i].alias_info();
    if (own != nullptr && own->isWrite() && *own == *alias) return &arguments[i];
  }
  return nullptr;
}

void compute_on_device(const c10::OperatorHandle& op, Stack* stack) {
  const auto& schema = op.schema();
  const std::string& name = schema.name();
  const size_t count = schema.arguments().size();
  const std::vector<IValue> arguments(stack->end() - static_cast<std::ptrdiff_t>(count), stack->end());
  torch::jit::drop(*stack, count);
  const Device device = device_of(name, arguments);
  if (!is_allocation(name)) launch(name);
  if (waits(name)) synchronize(name);

  const std::vector<IValue> results = compute(op, arguments);
  // New tensors, each with the number of the result that it is a part of.
  std::vector<std::pair<size_t, Tensor>> made;
  const auto keep = [&](size_t result, const Tensor& host) {
    Tensor tensor = to_device(host, device);
    made.emplace_back(result, tensor);
    return tensor;
  };
  for (size_t i = 0; i < results.size(); i++) {
    // What is recorded is not made, and what would be copied into new memory is not: nothing there is anything.
    if (is_allocation(name) && is_capturing() && results[i].isTensor()) results[i].toTensor().zero_();
    if (const IValue* argument = written_argument(schema, i, arguments)) {
      stack->push_back(*argument);
    } else if (results[i].isTensor()) {
      stack->emplace_back(keep(i, results[i].toTensor()));
    } else if (results[i].isTensorList()) {
      c10::List<Tensor> list;
      for (const Tensor& host : results[i].toTensorVector()) list.push_back(keep(i, host));
      stack->emplace_back(list);
    } else {
      stack->push_back(results[i]);
    }
  }
  if (!is_capturing() || is_allocation(name)) return;
  record([op, arguments, made] {
    const std::vector<IValue> results = compute(op, arguments);
    size_t next = 0;
    for (size_t i = 0; i < results.size(); i++)
      for (const Tensor& host : tensors_in(results[i]))
        if (next < made.size() && made[next].first == i) {
          if (host.defined()) to_host(made[next].second).copy_(host);
          next++;
        }
  });
}

Tensor& copy(Tensor& to, const Tensor& from, bool non_blocking) {
  const bool crosses = to.is_cuda() != from.is_cuda();
  launch(crosses ? (to.is_cuda() ? "copy to device" : "copy to host") : "aten::copy_");
  // Between pinned memory and a device a copy can be left to itself.
  const Tensor& host = to.is_cuda() ? from : to;
  if (crosses && !(non_blocking && host.is_pinned())) synchronize(to.is_cuda() ? "copy to device" : "copy to host");
  const auto again = [to, from] {
    at::AutoDispatchBelowADInplaceOrView below;
    to_host(to).copy_(to_host(from));
  };
  if (is_capturing())
    record(again);
  else
    again();
  return to;
}

TORCH_LIBRARY_IMPL(_, CUDA, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&compute_on_device>());
}

TORCH_LIBRARY_IMPL(aten, CUDA, library) {
  library.impl("copy_", TORCH_FN(copy));
  library.impl("view", TORCH_FN(at::native::view));
  library.impl("as_strided", TORCH_FN(at::native::as_strided_tensorimpl));
  library.impl("_reshape_alias", TORCH_FN(at::native::_reshape_alias));
  // libtorch composes these of others, but a device has a kernel, or a library, for each.
  for (const char* name :
       {"convolution", "convolution_backward", "_convolution", "arange", "arange.start", "arange.start_step",
        "_foreach_lerp_.Scalar", "_foreach_norm.Scalar", "_foreach_copy_", "_foreach_add_.List", "_foreach_sub.List",
        "_foreach_mul_.Tensor"})
    library.impl(name, torch::CppFunction::makeFromBoxedFunction<&compute_on_device>());
}

}  // namespace
}  // namespace fake
