// The threads that share the work of one operation.
#pragma once
#include <c10/util/FunctionRef.h>

#include <cstdint>

namespace sparring {

// Makes the calling thread the leader of a team of `threads` threads, itself included. Once per process.
void form_team(int threads);

// Makes the calling thread one that does its work alone, beside the leader: its operations are not shared.
void work_alone();

// A mark of the calling thread, which its work bears on whichever thread it is done.
bool has_mark();
// Returns whether it was there before.
bool set_mark(bool mark);

// Number of threads in the team; 1 before it is formed.
int team_size();

// Runs work(0) to work(pieces - 1), each once, on whichever thread of the team is free, and returns when all are done.
// Only the leader and threads that work alone may call this, and not from within a piece. Rethrows an exception of a piece.
void share(int64_t pieces, c10::function_ref<void(int64_t)> work);

// The part of `length` that is piece `index` of `pieces`: whole blocks of 16 floats (a cache line), except at the end.
struct Range {
  int64_t start, length;
};
Range piece(int64_t length, int64_t pieces, int64_t index);

// The number of pieces into which to divide a length: one per thread (two were 3% slower), and none shorter than 64,
// because narrow products are slow.
int64_t pieces_of(int64_t length);

}  // namespace sparring
