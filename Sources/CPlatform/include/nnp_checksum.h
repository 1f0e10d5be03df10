// CRC-32C by the processor's own instruction, where there is one.
#ifndef NNP_CHECKSUM_H
#define NNP_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
static inline int nnp_cpu_has_crc32c(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

// The state after as many zero bytes as `power` stands for: for n it is x^(8n - 33) modulo the polynomial, bits reflected. The product
// of two reflected numbers is one place short of a message of 64 bits, and the instruction appends 32 zeros to that.
__attribute__((target("sse4.2,pclmul"))) static inline uint32_t nnp_crc32c_skip(uint32_t state, uint32_t power) {
  typedef long long pair __attribute__((vector_size(16)));
  const pair product = __builtin_ia32_pclmulqdq128((pair){state, 0}, (pair){power, 0}, 0);
  return (uint32_t)__builtin_ia32_crc32di(0, (uint64_t)product[0]);
}

// Continues the state (not the finished checksum) over `size` bytes. Only where nnp_cpu_has_crc32c() is not 0.
//
// The instruction takes three cycles and may start every cycle: three stretches of 4096 bytes go side by side, and those after them come to
// the cache meanwhile.
__attribute__((target("sse4.2,pclmul"))) static inline uint32_t nnp_crc32c(uint32_t state,
                                                                          const void *_Nonnull bytes, size_t size) {
  enum { stretch = 4096, line = 64 };
  const unsigned char *next = (const unsigned char *)bytes;
  uint64_t wide = state;
  for (; size >= 3 * stretch; next += 3 * stretch, size -= 3 * stretch) {
    uint64_t second = 0, third = 0;
    for (const unsigned char *at = next; at < next + stretch; at += line) {
      for (int j = 3; j < 6; j++) __builtin_prefetch(at + j * stretch);
#pragma clang loop unroll(full)
      for (int i = 0; i < line; i += 8) {
        uint64_t a, b, c;
        memcpy(&a, at + i, 8);
        memcpy(&b, at + stretch + i, 8);
        memcpy(&c, at + 2 * stretch + i, 8);
        wide = __builtin_ia32_crc32di(wide, a);
        second = __builtin_ia32_crc32di(second, b);
        third = __builtin_ia32_crc32di(third, c);
      }
    }
    wide = nnp_crc32c_skip((uint32_t)wide, 0x54a86326) ^ nnp_crc32c_skip((uint32_t)second, 0x82f89c77) ^ third;
  }
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
