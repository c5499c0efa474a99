// NVIDIA's driver, as far as sparring asks it (cuda.h).
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, NO_DEVICE = 100, INVALID_DEVICE = 101 };
enum { COMPUTE_MODE = 20, MAJOR = 75, MINOR = 76 };

static int number(const char* variable, int otherwise) {
  const char* text = getenv(variable);
  return text == NULL ? otherwise : atoi(text);
}

static int devices(void) { return number("FAKE_CUDA_DEVICES", 1); }

int cuInit(unsigned flags) {
  (void)flags;
  return devices() > 0 ? SUCCESS : NO_DEVICE;
}

int cuDriverGetVersion(int* version) {
  *version = number("FAKE_CUDA_DRIVER", 13000);
  return SUCCESS;
}

int cuDeviceGetCount(int* count) {
  *count = devices();
  return SUCCESS;
}

int cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return ordinal < devices() ? SUCCESS : INVALID_DEVICE;
}

int cuDeviceGetName(char* name, int length, int device) {
  (void)device;
  strncpy(name, "Fake device", (size_t)length);
  return SUCCESS;
}

int cuDeviceGetAttribute(int* value, int attribute, int device) {
  (void)device;
  *value = attribute == MAJOR ? 9 : 0;
  return SUCCESS;
}

int cuDeviceTotalMem_v2(size_t* bytes, int device) {
  (void)device;
  const char* text = getenv("FAKE_CUDA_MEMORY");
  *bytes = text == NULL ? (size_t)8 << 30 : (size_t)atoll(text);
  return SUCCESS;
}

int cuDeviceGetUuid(char* uuid, int device) {
  for (int i = 0; i < 16; i++) uuid[i] = (char)i;
  uuid[15] = (char)device;
  return SUCCESS;
}
