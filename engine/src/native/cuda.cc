#include "cuda.h"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/types.h>

#include <dlfcn.h>

#include <new>
#include <utility>

namespace sparring {

void prepare_cuda(int64_t index, bool tf32, bool deterministic) {
  const c10::Device device(c10::kCUDA, static_cast<c10::DeviceIndex>(index));
  const c10::impl::VirtualGuardImpl guard(c10::kCUDA);
  guard.setDevice(device);
  guard.exchangeStream(guard.getStreamFromGlobalPool(device));
  auto& context = at::globalContext();
  context.setAllowTF32CuBLAS(tf32);
  context.setAllowTF32CuDNN(tf32);
  context.setBenchmarkCuDNN(!deterministic);
  context.setDeterministicCuDNN(deterministic);
  context.setDeterministicAlgorithms(deterministic, /*warn_only=*/false);
  // It is for finding bugs, and fills every new tensor.
  context.setDeterministicFillUninitializedMemory(false);
  at::autocast::set_autocast_dtype(at::kCUDA, at::kBFloat16);
}

bool set_autocast(bool enabled) {
  const bool before = at::autocast::is_autocast_enabled(at::kCUDA);
  at::autocast::set_autocast_enabled(at::kCUDA, enabled);
  // Casts of weights are kept for the forward pass that they were made in, and belong to its graph of operations.
  at::autocast::clear_cache();
  return before;
}

at::Tensor sent(const at::Tensor& tensor, int64_t index) {
  const c10::Device device(c10::kCUDA, static_cast<c10::DeviceIndex>(index));
  return tensor.pin_memory().to(tensor.options().device(device), /*non_blocking=*/true);
}

std::vector<at::Tensor> fetched(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> copies;
  copies.reserve(tensors.size());
  // A device writes to pinned memory on its own, and to no other.
  for (const at::Tensor& tensor : tensors) {
    copies.push_back(at::empty(tensor.sizes(), tensor.options().device(c10::kCPU).pinned_memory(true)));
    copies.back().copy_(tensor, /*non_blocking=*/true);
  }
  if (!tensors.empty()) {
    const c10::impl::VirtualGuardImpl guard(c10::kCUDA);
    guard.synchronizeStream(guard.getStream(tensors.front().device()));
  }
  return copies;
}

int64_t cuda_version() {
  const auto& hooks = at::detail::getCUDAHooks();
  return hooks.hasCUDART() ? hooks.versionCUDART() : 0;
}

std::string cuda_description() {
  const auto& hooks = at::detail::getCUDAHooks();
  return hooks.hasCUDA() ? hooks.showConfig() : "";
}

namespace {

// at::cuda::CUDAGraph is in libtorch's CUDA library, which may not be there, and its header needs CUDA's. So it is found by the
// names of its functions. A member function takes the object as its first argument.
struct CudaGraphApi {
  using Pool = std::pair<unsigned long long, unsigned long long>;
  void (*construct)(void* self, bool keep_graph);
  void (*destroy)(void* self);
  void (*begin)(void* self, Pool pool, unsigned mode);
  void (*end)(void* self);
  void (*replay)(void* self);

  static const CudaGraphApi& get() {
    static const CudaGraphApi api;
    return api;
  }

 private:
  CudaGraphApi() {
    find(construct, "_ZN2at4cuda9CUDAGraphC1Eb");
    find(destroy, "_ZN2at4cuda9CUDAGraphD1Ev");
    find(begin, "_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode");
    find(end, "_ZN2at4cuda9CUDAGraph11capture_endEv");
    find(replay, "_ZN2at4cuda9CUDAGraph6replayEv");
  }

  template <typename Function>
  static void find(Function& function, const char* name) {
    function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
    TORCH_CHECK(function != nullptr, "this libtorch has no CUDA graphs");
  }
};

// More than twice what a CUDAGraph of libtorch 2.13 takes.
constexpr std::size_t GRAPH_BYTES = 4096;

// cudaStreamCaptureModeThreadLocal: what other threads do meanwhile is their own business.
constexpr unsigned THREAD_LOCAL = 1;

}  // namespace

Graph::Graph() : graph_(nullptr) {
  const auto& api = CudaGraphApi::get();
  graph_ = ::operator new(GRAPH_BYTES, std::align_val_t{64});
  api.construct(graph_, /*keep_graph=*/false);
}

Graph::~Graph() {
  CudaGraphApi::get().destroy(graph_);
  ::operator delete(graph_, std::align_val_t{64});
}

void Graph::begin() { CudaGraphApi::get().begin(graph_, /*pool=*/{0, 0}, THREAD_LOCAL); }

void Graph::end() { CudaGraphApi::get().end(graph_); }

void Graph::replay() { CudaGraphApi::get().replay(graph_); }

}  // namespace sparring
