// Memory that can fail to be had: every function returns NULL instead of ending the process.
#ifndef NNP_MEMORY_H
#define NNP_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// `size` bytes aligned to 64, or NULL. A size of 0 gives a valid pointer. Free with nnp_free.
static inline void *_Nullable nnp_allocate(size_t size) {
  if (size > SIZE_MAX - 63) return NULL;
  size_t rounded = (size + 63) & ~(size_t)63;
  return aligned_alloc(64, rounded == 0 ? 64 : rounded);
}

static inline void nnp_free(void *_Nullable memory) { free(memory); }

// The value of an environment variable, or NULL.
static inline const char *_Nullable nnp_environment(const char *_Nonnull name) { return getenv(name); }

#endif
