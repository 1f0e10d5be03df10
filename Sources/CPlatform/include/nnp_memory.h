// Memory that can fail to be had, which gives NULL instead of ending the process, and what the kernel is told of memory and mapped files.
#ifndef NNP_MEMORY_H
#define NNP_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <sys/mman.h>
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#endif

// `size` bytes aligned to 64, or NULL. A size of 0 gives a valid pointer. Free with nnp_free.
static inline void *_Nullable nnp_allocate(size_t size) {
  if (size > SIZE_MAX - 63) return NULL;
  size_t rounded = (size + 63) & ~(size_t)63;
  return aligned_alloc(64, rounded == 0 ? 64 : rounded);
}

// Says that `size` bytes are about to be written: many pages are then had at once, instead of by a fault each. Where that is not
// known, nothing happens.
static inline void nnp_will_write(void *_Nonnull memory, size_t size) {
#if defined(__linux__)
  const uintptr_t page = 4096, begin = ((uintptr_t)memory + page - 1) & ~(page - 1);
  const uintptr_t end = ((uintptr_t)memory + size) & ~(page - 1);
  if (end > begin + 4 * page) madvise((void *)begin, end - begin, MADV_POPULATE_WRITE);
#else
  (void)memory;
  (void)size;
#endif
}

// Says that `size` bytes of a mapped file stay in use: it is one area there, which the kernel may map in pieces as large as it likes.
static inline void nnp_will_keep_mapped(const void *_Nonnull memory, size_t size) {
#if defined(__linux__)
  const uintptr_t page = 4096, begin = (uintptr_t)memory & ~(page - 1);
  if (size > 0) madvise((void *)begin, (uintptr_t)memory + size - begin, MADV_NORMAL);
#else
  (void)memory;
  (void)size;
#endif
}

// Says that `size` bytes of a mapped file are about to be read: as nnp_will_write().
static inline void nnp_will_read_mapped(const void *_Nonnull memory, size_t size) {
#if defined(__linux__)
  const uintptr_t page = 4096, begin = (uintptr_t)memory & ~(page - 1);
  const uintptr_t end = ((uintptr_t)memory + size + page - 1) & ~(page - 1);
  if (end > begin + 4 * page) madvise((void *)begin, end - begin, MADV_POPULATE_READ);
#else
  (void)memory;
  (void)size;
#endif
}

// Says that bytes of a mapped file have been read and are not wanted in memory any more, but for the pages at their ends. They can be read
// again. For mapped files alone: other memory would lose its content.
static inline void nnp_has_read_mapped(const void *_Nonnull memory, size_t size) {
#if defined(__linux__)
  const uintptr_t page = 4096, begin = ((uintptr_t)memory + page - 1) & ~(page - 1);
  const uintptr_t end = ((uintptr_t)memory + size) & ~(page - 1);
  if (end > begin) madvise((void *)begin, end - begin, MADV_DONTNEED);
#else
  (void)memory;
  (void)size;
#endif
}

static inline void nnp_free(void *_Nullable memory) { free(memory); }

// The value of an environment variable, or NULL.
static inline const char *_Nullable nnp_environment(const char *_Nonnull name) { return getenv(name); }

#endif
