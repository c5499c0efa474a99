#include "about.h"

#include <ATen/Version.h>

#include <dlfcn.h>

namespace sparring {

std::string configuration() { return at::show_config(); }

std::string cpu_capability() { return at::get_cpu_capability(); }

std::string library() {
  Dl_info found;
  const bool is_known = dladdr(reinterpret_cast<const void*>(&at::show_config), &found) != 0;
  return is_known && found.dli_fname != nullptr ? found.dli_fname : "";
}

}  // namespace sparring
