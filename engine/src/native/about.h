// What the libtorch in use says of itself.
#pragma once
#include <string>

namespace sparring {

// libtorch's description of its configuration, several lines.
std::string configuration();

// The vector units for which libtorch chose its CPU kernels.
std::string cpu_capability();

// The file of libtorch's CPU library; empty if it cannot be found.
std::string library();

}  // namespace sparring
