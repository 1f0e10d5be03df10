// Bytes of elements, gathered from planes of equally significant ones.
#ifndef NNP_BYTES_H
#define NNP_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t nnp_bytes16 __attribute__((vector_size(16)));
typedef uint16_t nnp_words8 __attribute__((vector_size(16)));
typedef uint32_t nnp_words4 __attribute__((vector_size(16)));

static inline nnp_bytes16 nnp_load_bytes(const uint8_t *_Nonnull from) {
  nnp_bytes16 result;
  memcpy(&result, from, 16);
  return result;
}

static inline nnp_bytes16 nnp_interleave_low_bytes(nnp_bytes16 a, nnp_bytes16 b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

static inline nnp_bytes16 nnp_interleave_high_bytes(nnp_bytes16 a, nnp_bytes16 b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

// Loops over vectors are unrolled, also where code is optimised for size: else the vectors lie in memory.

// Elements of two bytes from the planes of their lower and upper ones, as many times 16 as `count` has, each rotated right by
// `rotation` bits, 0 or 1. Returns how many: none where words do not begin with their lowest byte.
static inline size_t nnp_join_2(const uint8_t *_Nonnull low, const uint8_t *_Nonnull high, size_t count, int rotation,
                                uint8_t *_Nonnull out) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  size_t done = 0;
  for (; done + 16 <= count; done += 16) {
    const nnp_bytes16 a = nnp_load_bytes(low + done), b = nnp_load_bytes(high + done);
    nnp_words8 words[2] = {(nnp_words8)nnp_interleave_low_bytes(a, b),
                           (nnp_words8)nnp_interleave_high_bytes(a, b)};
    if (rotation) {
#pragma clang loop unroll(full)
      for (int i = 0; i < 2; i++) words[i] = words[i] >> 1 | words[i] << 15;
    }
    memcpy(out + 2 * done, words, 32);
  }
  return done;
#else
  return 0;
#endif
}

// The same for elements of four bytes.
static inline size_t nnp_join_4(const uint8_t *_Nonnull plane0, const uint8_t *_Nonnull plane1,
                                const uint8_t *_Nonnull plane2, const uint8_t *_Nonnull plane3, size_t count,
                                int rotation, uint8_t *_Nonnull out) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  size_t done = 0;
  for (; done + 16 <= count; done += 16) {
    const nnp_bytes16 a = nnp_load_bytes(plane0 + done), b = nnp_load_bytes(plane1 + done);
    const nnp_bytes16 c = nnp_load_bytes(plane2 + done), d = nnp_load_bytes(plane3 + done);
    const nnp_words8 lower[2] = {(nnp_words8)nnp_interleave_low_bytes(a, b),
                                 (nnp_words8)nnp_interleave_high_bytes(a, b)};
    const nnp_words8 upper[2] = {(nnp_words8)nnp_interleave_low_bytes(c, d),
                                 (nnp_words8)nnp_interleave_high_bytes(c, d)};
    nnp_words4 words[4];
#pragma clang loop unroll(full)
    for (int i = 0; i < 2; i++) {
      words[2 * i] = (nnp_words4)__builtin_shufflevector(lower[i], upper[i], 0, 8, 1, 9, 2, 10, 3, 11);
      words[2 * i + 1] = (nnp_words4)__builtin_shufflevector(lower[i], upper[i], 4, 12, 5, 13, 6, 14, 7, 15);
    }
    if (rotation) {
#pragma clang loop unroll(full)
      for (int i = 0; i < 4; i++) words[i] = words[i] >> 1 | words[i] << 31;
    }
    memcpy(out + 4 * done, words, 64);
  }
  return done;
#else
  return 0;
#endif
}

#endif
