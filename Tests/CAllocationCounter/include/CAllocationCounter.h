// Counts what each thread takes from the C library's heap, by standing in front of malloc and its kin.
#ifndef CALLOCATION_COUNTER_H
#define CALLOCATION_COUNTER_H

// Calls of malloc, calloc, realloc, aligned_alloc, posix_memalign and memalign by the calling thread so far.
long nnrt_test_allocations(void);

// Whether they are counted at all: not under a sanitizer.
int nnrt_test_counts_allocations(void);

#endif
