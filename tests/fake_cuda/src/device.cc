// The devices themselves: libtorch's guard and hooks for CUDA, memory, and counts.
#include "device.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/impl/alloc_cpu.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <set>
#include <sstream>

namespace fake {
namespace {

// What libtorch 2.13 is built for.
constexpr int64_t CUDA_VERSION = 13000;

using c10::Device;
using c10::DeviceIndex;
using c10::kCUDA;

int64_t number(const char* variable, int64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::atoll(text);
}

std::string text(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? "" : text;
}

thread_local DeviceIndex current = 0;

struct Guard final : c10::impl::DeviceGuardImplInterface {
  static constexpr c10::DeviceType static_type = kCUDA;
  c10::DeviceType type() const override { return kCUDA; }
  Device exchangeDevice(Device device) const override {
    const Device before = getDevice();
    setDevice(device);
    return before;
  }
  Device getDevice() const override { return Device(kCUDA, current); }
  void setDevice(Device device) const override {
    TORCH_CHECK(device.index() < device_count(), "CUDA error: invalid device ordinal");
    uncheckedSetDevice(device);
  }
  void uncheckedSetDevice(Device device) const noexcept override {
    if (device.has_index()) current = device.index();
  }
  c10::Stream getStream(Device device) const override { return getDefaultStream(device); }
  c10::Stream getDefaultStream(Device device) const override { return c10::Stream(c10::Stream::DEFAULT, device); }
  c10::Stream getStreamFromGlobalPool(Device device, bool) const override { return getDefaultStream(device); }
  c10::Stream exchangeStream(c10::Stream stream) const override { return getDefaultStream(stream.device()); }
  DeviceIndex deviceCount() const noexcept override { return device_count(); }
  void record(void**, const c10::Stream&, const DeviceIndex, const c10::EventFlag) const override {}
  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  void destroyEvent(void*, const DeviceIndex) const noexcept override {}
  void synchronizeDevice(const DeviceIndex) const override { synchronize("synchronizeDevice"); }
  void synchronizeStream(const c10::Stream&) const override { synchronize("synchronizeStream"); }
};

// Pinned memory is the CPU's, and its addresses are kept, so that a copy into other memory counts as a wait.
struct PinnedAllocator final : c10::Allocator {
  static std::mutex mutex;
  static std::set<const void*> pinned;
  c10::DataPtr allocate(size_t bytes) override {
    void* data = c10::alloc_cpu(bytes);
    const std::lock_guard<std::mutex> lock(mutex);
    pinned.insert(data);
    return {data, data, &release, c10::kCPU};
  }
  static void release(void* data) {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      pinned.erase(data);
    }
    c10::free_cpu(data);
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override { default_copy_data(to, from, bytes); }
};
std::mutex PinnedAllocator::mutex;
std::set<const void*> PinnedAllocator::pinned;

const at::Generator& generator() {
  static const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>();
  return generator;
}

std::atomic<int64_t> live_bytes = 0;
std::atomic<uint64_t> operations = 0, synchronizations = 0;
std::mutex trace_mutex;
std::string trace;

void note(const std::string& line) {
  const std::lock_guard<std::mutex> lock(trace_mutex);
  trace += line + "\n";
}

[[noreturn]] void run_out(int64_t bytes) {
  TORCH_CHECK_WITH(OutOfMemoryError, false, "CUDA out of memory. Tried to allocate ", bytes / 1048576.0,
                   " MiB. GPU 0 has a total capacity of ", number("FAKE_CUDA_MEMORY", 0) / 1048576.0,
                   " MiB of which 0 bytes is free.");
  std::abort();
}

}  // namespace

DeviceIndex device_count() {
  if (number("FAKE_CUDA_DRIVER", CUDA_VERSION) < CUDA_VERSION) return 0;
  return static_cast<DeviceIndex>(number("FAKE_CUDA_DEVICES", 1));
}

Device current_device() { return Device(kCUDA, current); }

at::Tensor to_device(const at::Tensor& on_host, Device device) {
  if (!on_host.defined()) return on_host;
  static const int64_t memory = number("FAKE_CUDA_MEMORY", INT64_MAX);
  const auto bytes = static_cast<int64_t>(on_host.storage().nbytes());
  if (live_bytes.fetch_add(bytes) + bytes > memory) {
    live_bytes -= bytes;
    run_out(bytes);
  }
  struct Held {
    at::Tensor tensor;
    int64_t bytes;
  };
  auto* held = new Held{on_host, bytes};
  const auto release = [](void* context) {
    auto* held = static_cast<Held*>(context);
    live_bytes -= held->bytes;
    delete held;
  };
  c10::DataPtr data(on_host.storage().mutable_data(), held, release, device);
  c10::Storage storage(c10::Storage::use_byte_size_t(), bytes, std::move(data), /*allocator=*/nullptr,
                       /*resizable=*/false);
  at::Tensor tensor = at::detail::make_tensor<c10::TensorImpl>(
      std::move(storage), c10::DispatchKeySet(c10::DispatchKey::CUDA), on_host.dtype());
  tensor.unsafeGetTensorImpl()->set_sizes_and_strides(on_host.sizes(), on_host.strides(), on_host.storage_offset());
  return tensor;
}

at::Tensor to_host(const at::Tensor& tensor) {
  if (!tensor.defined() || !tensor.is_cuda()) return tensor;
  char* data = static_cast<char*>(tensor.storage().mutable_data()) + tensor.storage_offset() * tensor.element_size();
  at::Tensor on_host =
      at::from_blob(data, tensor.sizes(), tensor.strides(), at::TensorOptions().dtype(tensor.dtype()));
  // A number in an expression does not decide the type of its result.
  if (tensor.unsafeGetTensorImpl()->is_wrapped_number()) on_host.unsafeGetTensorImpl()->set_wrapped_number(true);
  return on_host;
}

void launch(const std::string& name) {
  operations++;
  note(name);
  static const std::string broken = text("FAKE_CUDA_BROKEN"), out_of_memory = text("FAKE_CUDA_OUT_OF_MEMORY_IN");
  TORCH_CHECK(broken.empty(), broken);
  if (name == out_of_memory) run_out(1 << 30);
}

void synchronize(const std::string& what) {
  synchronizations++;
  note("waited: " + what);
  TORCH_CHECK(!is_capturing(), "CUDA error: operation not permitted when stream is capturing (", what, ")");
}

C10_REGISTER_GUARD_IMPL(CUDA, Guard);

}  // namespace fake

namespace at {

// libtorch looks for these by name: they must be in its namespace.
struct CUDAHooks : CUDAHooksInterface {
  explicit CUDAHooks(CUDAHooksArgs) {}
  void init() const override {}
  bool hasCUDA() const override { return true; }
  bool isAvailable() const override { return fake::device_count() > 0; }
  bool isBuilt() const override { return true; }
  DeviceIndex deviceCount() const override { return fake::device_count(); }
  DeviceIndex getCurrentDevice() const override { return fake::current_device().index(); }
  DeviceIndex current_device() const override { return fake::current_device().index(); }
  bool hasPrimaryContext(DeviceIndex) const override { return true; }
  const Generator& getDefaultGenerator(DeviceIndex) const override { return fake::generator(); }
  Allocator* getPinnedMemoryAllocator() const override {
    static fake::PinnedAllocator allocator;
    return &allocator;
  }
  bool isPinnedPtr(const void* data) const override {
    const std::lock_guard<std::mutex> lock(fake::PinnedAllocator::mutex);
    return fake::PinnedAllocator::pinned.count(data) > 0;
  }
  bool hasCUDART() const override { return true; }
  long versionCUDART() const override { return fake::CUDA_VERSION; }
  std::string showConfig() const override {
    return "  - CUDA Runtime 13.0 (a fake)\n  - NVCC architecture flags: -gencode;arch=compute_90,code=sm_90\n";
  }
};

REGISTER_CUDA_HOOKS(CUDAHooks)

}  // namespace at

extern "C" {

uint64_t fake_cuda_operations() { return fake::operations; }

uint64_t fake_cuda_synchronizations() { return fake::synchronizations; }

const char* fake_cuda_take_trace() {
  static std::string taken;
  const std::lock_guard<std::mutex> lock(fake::trace_mutex);
  taken = std::move(fake::trace);
  fake::trace.clear();
  return taken.c_str();
}

}  // extern "C"
