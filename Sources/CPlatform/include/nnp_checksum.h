// CRC-32C by the processor's own instruction, where there is one.
#ifndef NNP_CHECKSUM_H
#define NNP_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
static inline int nnp_cpu_has_crc32c(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("sse4.2") != 0;
}

// Continues the state (not the finished checksum) over `size` bytes. Only where nnp_cpu_has_crc32c() is not 0.
__attribute__((target("sse4.2"))) static inline uint32_t nnp_crc32c(uint32_t state, const void *_Nonnull bytes,
                                                                    size_t size) {
  const unsigned char *next = (const unsigned char *)bytes;
  uint64_t wide = state;
  for (; size >= 8; next += 8, size -= 8) {
    uint64_t word;
    memcpy(&word, next, 8);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  state = (uint32_t)wide;
  for (; size > 0; next += 1, size -= 1) state = __builtin_ia32_crc32qi(state, *next);
  return state;
}
#else
static inline int nnp_cpu_has_crc32c(void) { return 0; }

static inline uint32_t nnp_crc32c(uint32_t state, const void *_Nonnull bytes, size_t size) {
  (void)bytes;
  (void)size;
  return state;
}
#endif

#endif
