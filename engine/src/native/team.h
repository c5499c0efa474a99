// The threads that share the work of one operation.
#pragma once
#include <c10/util/FunctionRef.h>

#include <cstdint>

namespace sparring {

// Makes the calling thread the leader of a team of so many threads, itself among them. Once a process.
void form_team(int threads);

// Threads of the team; 1 before it is formed.
int team_size();

// Does pieces 0 to pieces - 1 of some work, each once, on whichever thread of the team is free, and returns when all
// are done. Only the leader may call it, and not from within a piece. An exception of a piece is thrown here.
void share(int64_t pieces, c10::function_ref<void(int64_t)> work);

// The range of `length` that is piece `index` of `pieces`: whole blocks of 16 (a cache line of floats), but at the end.
struct Range {
  int64_t start, length;
};
Range piece(int64_t length, int64_t pieces, int64_t index);

// In how many pieces a length is worth cutting for a team: one a thread (two were 3% slower), and none below 64, since
// a narrow product is a slow one.
int64_t pieces_of(int64_t length);

}  // namespace sparring
