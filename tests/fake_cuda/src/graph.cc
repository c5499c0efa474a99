// CUDA graphs: what was done during the capture is done again, on the same memory, at each replay.
//
// sparring looks up these functions of libtorch by their names and knows nothing of the class beyond them.
#include <ATen/CPUGeneratorImpl.h>
#include <c10/util/Exception.h>

#include <atomic>
#include <utility>
#include <vector>

#include "device.h"

namespace fake {
namespace {

using Recording = std::vector<std::function<void()>>;

std::atomic<Recording*> capturing = nullptr;

}  // namespace

bool is_capturing() { return capturing != nullptr; }

void record(std::function<void()> again) {
  if (Recording* recording = capturing) recording->push_back(std::move(again));
}

}  // namespace fake

// The stand-in for CUDA's type of this name, which is part of the name of a function below.
enum cudaStreamCaptureMode : unsigned {};

namespace at::cuda {

using MempoolId_t = std::pair<unsigned long long, unsigned long long>;

struct __attribute__((visibility("default"))) CUDAGraph {
  CUDAGraph(bool keep_graph);
  ~CUDAGraph();
  void capture_begin(MempoolId_t pool, cudaStreamCaptureMode mode);
  void capture_end();
  void replay();

 private:
  fake::Recording* recording_;
  // The state of the random numbers before the recording, which draws none.
  at::Tensor random_state_;
};

CUDAGraph::CUDAGraph(bool) : recording_(new fake::Recording()) {}

CUDAGraph::~CUDAGraph() { delete recording_; }

void CUDAGraph::capture_begin(MempoolId_t, cudaStreamCaptureMode) {
  TORCH_CHECK(!fake::is_capturing(), "a graph is being captured already");
  random_state_ = at::detail::getDefaultCPUGenerator().get_state();
  fake::capturing = recording_;
}

void CUDAGraph::capture_end() {
  fake::capturing = nullptr;
  auto generator = at::detail::getDefaultCPUGenerator();
  generator.set_state(random_state_);
}

void CUDAGraph::replay() {
  TORCH_CHECK(!fake::is_capturing(), "a graph is being captured");
  fake::launch("graph");
  for (const auto& again : *recording_) again();
}

}  // namespace at::cuda
