// The tensors that our own operations take.
#pragma once
#include <ATen/core/Tensor.h>

namespace sparring {

// The channels of a pixel side by side in memory.
constexpr auto CHANNELS_LAST = at::MemoryFormat::ChannelsLast;

// Whether our own operations take a tensor; libtorch's take the others.
inline bool is_ours(const at::Tensor& t) { return t.device().is_cpu() && t.scalar_type() == at::kFloat; }

}  // namespace sparring
