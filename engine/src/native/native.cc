// The C interface of this folder. Each function returns null, or an error message that the caller frees with `free`.
#include <ATen/Context.h>
#include <torch/types.h>

#include <cstdint>
#include <cstring>
#include <exception>
#include <utility>
#include <vector>

#include "about.h"
#include "adam.h"
#include "conv.h"
#include "cuda.h"
#include "dense.h"
#include "layout.h"
#include "matmul.h"
#include "merge.h"
#include "norm.h"
#include "product.h"
#include "random.h"
#include "resample.h"
#include "residual.h"
#include "small.h"
#include "team.h"

namespace {

template <typename Work>
char* guarded(Work work) {
  try {
    work();
    return nullptr;
  } catch (const c10::Error& error) {
    return strdup(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return strdup(error.what());
  }
}

std::vector<at::Tensor> list(torch::Tensor* const* tensors, int64_t count) {
  std::vector<at::Tensor> out;
  out.reserve(count);
  for (int64_t i = 0; i < count; i++) out.push_back(*tensors[i]);
  return out;
}

}  // namespace

extern "C" {

// Flushes numbers below 1e-38 to zero. The Adam moments of dead units decay into that range, where each operation takes
// the processor a hundred times as long.
void sparring_flush_denormals() { at::globalContext().setFlushDenormal(true); }

char* sparring_prepare_cuda(int64_t index, bool tf32, bool deterministic) {
  return guarded([&] { sparring::prepare_cuda(index, tf32, deterministic); });
}

bool sparring_set_autocast(bool enabled) { return sparring::set_autocast(enabled); }

char* sparring_sent(torch::Tensor** out, const torch::Tensor* tensor, int64_t index) {
  return guarded([&] { *out = new torch::Tensor(sparring::sent(*tensor, index)); });
}

// `out` has room for as many pointers.
char* sparring_fetched(torch::Tensor** out, torch::Tensor* const* tensors, int64_t count) {
  return guarded([&] {
    for (at::Tensor& copy : sparring::fetched(list(tensors, count))) *out++ = new torch::Tensor(std::move(copy));
  });
}

// The caller frees the texts.
char* sparring_configuration() { return strdup(sparring::configuration().c_str()); }

char* sparring_cpu_capability() { return strdup(sparring::cpu_capability().c_str()); }

char* sparring_library() { return strdup(sparring::library().c_str()); }

char* sparring_products() { return strdup(sparring::products()); }

char* sparring_cuda_description() { return strdup(sparring::cuda_description().c_str()); }

int64_t sparring_cuda_version() { return sparring::cuda_version(); }

char* sparring_graph_new(sparring::Graph** out) {
  return guarded([&] { *out = new sparring::Graph(); });
}

void sparring_graph_free(sparring::Graph* graph) { delete graph; }

char* sparring_graph_begin(sparring::Graph* graph) {
  return guarded([&] { graph->begin(); });
}

char* sparring_graph_end(sparring::Graph* graph) {
  return guarded([&] { graph->end(); });
}

char* sparring_graph_replay(sparring::Graph* graph) {
  return guarded([&] { graph->replay(); });
}

char* sparring_random_new(sparring::Random** out, uint64_t seed) {
  return guarded([&] { *out = new sparring::Random(seed); });
}

void sparring_random_free(sparring::Random* random) { delete random; }

char* sparring_random_normal(torch::Tensor** out, sparring::Random* random, int64_t rows, int64_t columns) {
  return guarded([&] { *out = new torch::Tensor(random->normal(rows, columns)); });
}

void sparring_work_alone() { sparring::work_alone(); }

bool sparring_rounds_fast() { return sparring::rounds_fast(); }

bool sparring_set_rounding(bool rounding) { return sparring::set_rounding(rounding); }

char* sparring_form_team(int threads) {
  return guarded([&] { sparring::form_team(threads); });
}

char* sparring_dense(torch::Tensor** out, const torch::Tensor* input, const torch::Tensor* weight,
                     const torch::Tensor* bias, int64_t activation, double slope) {
  return guarded([&] {
    *out = new torch::Tensor(
        sparring::dense(*input, *weight, *bias, static_cast<sparring::Activation>(activation), slope));
  });
}

char* sparring_matmul(torch::Tensor** out, const torch::Tensor* left, const torch::Tensor* right) {
  return guarded([&] { *out = new torch::Tensor(sparring::matrix_product(*left, *right)); });
}

char* sparring_mean_softplus(torch::Tensor** out, const torch::Tensor* input, double sign) {
  return guarded([&] { *out = new torch::Tensor(sparring::mean_softplus(*input, sign)); });
}

char* sparring_sharpened(torch::Tensor** out, const torch::Tensor* pictures, double amount) {
  return guarded([&] { *out = new torch::Tensor(sparring::sharpened(*pictures, amount)); });
}

char* sparring_scaled_images(torch::Tensor** out, const torch::Tensor* images, const torch::Tensor* indices) {
  return guarded([&] { *out = new torch::Tensor(sparring::scaled_images(*images, *indices)); });
}

char* sparring_conv(torch::Tensor** out, const torch::Tensor* input, const torch::Tensor* weight,
                    const torch::Tensor* bias, int64_t stride, int64_t padding, bool transposed, int64_t groups,
                    int64_t activation, double slope) {
  return guarded([&] {
    *out = new torch::Tensor(sparring::conv(*input, *weight, bias == nullptr ? torch::Tensor() : *bias,
                                            {stride, padding, transposed, groups},
                                            static_cast<sparring::Activation>(activation), slope));
  });
}

char* sparring_residual_block(torch::Tensor** out, const torch::Tensor* input, const torch::Tensor* expand,
                              const torch::Tensor* expand_bias, const torch::Tensor* grouped,
                              const torch::Tensor* grouped_bias, const torch::Tensor* project, int64_t activation,
                              double slope) {
  return guarded([&] {
    *out = new torch::Tensor(sparring::residual_block(*input,
                                                      {*expand, *expand_bias, *grouped, *grouped_bias, *project},
                                                      static_cast<sparring::Activation>(activation), slope));
  });
}

char* sparring_merged(torch::Tensor** out, const torch::Tensor* a, const torch::Tensor* b,
                      const torch::Tensor* weight) {
  return guarded([&] { *out = new torch::Tensor(sparring::merged(*a, *b, *weight)); });
}

char* sparring_flattened(torch::Tensor** out, const torch::Tensor* pictures) {
  return guarded([&] { *out = new torch::Tensor(sparring::flattened(*pictures)); });
}

char* sparring_unflattened(torch::Tensor** out, const torch::Tensor* numbers, int64_t channels, int64_t height,
                           int64_t width) {
  return guarded([&] { *out = new torch::Tensor(sparring::unflattened(*numbers, channels, height, width)); });
}

char* sparring_upsampled(torch::Tensor** out, const torch::Tensor* pictures) {
  return guarded([&] { *out = new torch::Tensor(sparring::upsampled(*pictures)); });
}

char* sparring_downsampled(torch::Tensor** out, const torch::Tensor* pictures) {
  return guarded([&] { *out = new torch::Tensor(sparring::downsampled(*pictures)); });
}

char* sparring_batch_norm(torch::Tensor** out, const torch::Tensor* input, const torch::Tensor* weight,
                          const torch::Tensor* bias, const torch::Tensor* running_mean,
                          const torch::Tensor* running_var, bool training, int64_t activation, double slope) {
  return guarded([&] {
    *out = new torch::Tensor(sparring::batch_norm(*input, {*weight, *bias, *running_mean, *running_var}, training,
                                                  static_cast<sparring::Activation>(activation), slope));
  });
}

char* sparring_adam(torch::Tensor* const* parameters, torch::Tensor* const* gradients, torch::Tensor* const* exp_avgs,
                    torch::Tensor* const* exp_avg_sqs, torch::Tensor* const* averages, int64_t count,
                    int64_t averages_count, const torch::Tensor* step, const torch::Tensor* fault,
                    const torch::Tensor* learning_rate_on_device, const torch::Tensor* scale, double learning_rate, double beta1, double beta2, double epsilon, double average_rate) {
  return guarded([&] {
    sparring::adam(list(parameters, count), list(gradients, count), list(exp_avgs, count), list(exp_avg_sqs, count),
                   list(averages, averages_count), {*step, *fault, *learning_rate_on_device, *scale},
                   {learning_rate, beta1, beta2, epsilon, average_rate});
  });
}

char* sparring_move_towards(torch::Tensor* const* averages, torch::Tensor* const* targets, int64_t count, double rate) {
  return guarded([&] { sparring::move_towards(list(averages, count), list(targets, count), rate); });
}

}  // extern "C"
