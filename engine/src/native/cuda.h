// CUDA, as far as libtorch's Rust bindings do not reach it. Nothing here needs CUDA's own headers or libraries: the
// backend is found at run time.
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace sparring {

// Makes a device the calling thread's own and gives the thread a stream of its own there, as the capture of a graph
// needs it. Sets how libtorch computes: `tf32` allows TF32 in products and convolutions; `deterministic` makes every
// operation give the same bits each time, at the price of slower kernels. Otherwise cuDNN tries its algorithms for each
// size, because the sizes stay the same for a whole run.
void prepare_cuda(int64_t index, bool tf32, bool deterministic);

// Turns autocast to bfloat16 on or off for the calling thread, and returns whether it was on.
bool set_autocast(bool enabled);

// A CPU tensor's copy on a CUDA device, which fetches it on its own: nobody waits.
at::Tensor sent(const at::Tensor& tensor, int64_t index);

// Copies of tensors of a CUDA device on the CPU. Waits for the device once, however many they are.
std::vector<at::Tensor> fetched(const std::vector<at::Tensor>& tensors);

// The CUDA version that libtorch was built for, such as 13000; 0 if it has no CUDA backend.
int64_t cuda_version();

// What libtorch says of its CUDA backend; empty if there is none.
std::string cuda_description();

// The operations that a stream was given between `begin` and `end`, to be made again on the same memory by one call.
class Graph {
 public:
  // Throws if libtorch has no graphs.
  Graph();
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // From here on operations are recorded instead of made. They get memory of their own.
  void begin();
  void end();
  void replay();

 private:
  // An at::cuda::CUDAGraph.
  void* graph_;
};

}  // namespace sparring
