// What the parts of the fake share: its devices, their memory, and the count of what is done with them.
#pragma once
#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>
#include <string>

namespace fake {

c10::DeviceIndex device_count();
c10::Device current_device();

// A CPU tensor's memory as a tensor on a device. Throws CUDA's error if the device has not that much left.
at::Tensor to_device(const at::Tensor& on_host, c10::Device device);

// A CUDA tensor's memory as a CPU tensor; any other tensor as it is.
at::Tensor to_host(const at::Tensor& tensor);

// Counts an operation of the device. Throws if it is one that is to fail.
void launch(const std::string& name);

// Counts a wait for the device. An error while a graph is captured, as on a device.
void synchronize(const std::string& what);

// Whether a graph is being captured, and what it is to do again when it is replayed.
bool is_capturing();
void record(std::function<void()> again);

}  // namespace fake
