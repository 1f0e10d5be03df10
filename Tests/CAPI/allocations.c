#include "allocations.h"

#ifdef COUNT_ALLOCATIONS

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

static atomic_long calls, live;

long allocation_calls(void) { return atomic_load(&calls); }
long live_allocations(void) { return atomic_load(&live); }

// The C library's own, under the names it keeps for such programs.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static void *counted(void *block) {
  atomic_fetch_add(&calls, 1);
  if (block) atomic_fetch_add(&live, 1);
  return block;
}

void *malloc(size_t size) { return counted(__libc_malloc(size)); }
void *calloc(size_t count, size_t size) { return counted(__libc_calloc(count, size)); }
void *memalign(size_t alignment, size_t size) { return counted(__libc_memalign(alignment, size)); }
void *aligned_alloc(size_t alignment, size_t size) { return counted(__libc_memalign(alignment, size)); }

int posix_memalign(void **block, size_t alignment, size_t size) {
  *block = counted(__libc_memalign(alignment, size));
  return *block ? 0 : ENOMEM;
}

void *realloc(void *old, size_t size) {
  atomic_fetch_add(&calls, 1);
  void *block = __libc_realloc(old, size);
  if (!old && block) atomic_fetch_add(&live, 1);
  if (old && size == 0) atomic_fetch_sub(&live, 1);
  return block;
}

void free(void *block) {
  atomic_fetch_add(&calls, 1);
  if (block) atomic_fetch_sub(&live, 1);
  __libc_free(block);
}

#else

long allocation_calls(void) { return 0; }
long live_allocations(void) { return 0; }

#endif
