// Counts what the whole process allocates, libnnrt.so included, by standing in front of the C library's functions.
// With COUNT_ALLOCATIONS undefined (under a sanitizer, which has allocators of its own) everything counts as 0.
#ifndef ALLOCATIONS_H
#define ALLOCATIONS_H

// Calls of any allocating or freeing function so far.
long allocation_calls(void);
// Blocks allocated and not yet freed.
long live_allocations(void);

#endif
