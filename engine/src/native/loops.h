// How loops over floats are compiled: for the processors of today beside those of 2003, chosen when the program starts.
#pragma once
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__)
#define VECTORIZED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VECTORIZED
#endif
