// Compiles loops over floats for current processors and for those of 2003; the program chooses when it starts.
#pragma once
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__)
#define VECTORIZED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VECTORIZED
#endif
