// Lanes of vectors that change places, and squares of floats turned by them.
#ifndef NNP_SHUFFLES_H
#define NNP_SHUFFLES_H

#include "nnp_vector.h"

#define NNP_VECTOR static inline __attribute__((always_inline))

// Lane i from lane i + distance, for the lanes that have one.
NNP_VECTOR nnp_f32x16 nnp_shift_8(nnp_f32x16 v) {
  return __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
}
NNP_VECTOR nnp_f32x16 nnp_shift_4(nnp_f32x16 v) {
  return __builtin_shufflevector(v, v, 4, 5, 6, 7, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
NNP_VECTOR nnp_f32x16 nnp_shift_2(nnp_f32x16 v) {
  return __builtin_shufflevector(v, v, 2, 3, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
NNP_VECTOR nnp_f32x16 nnp_shift_1(nnp_f32x16 v) {
  return __builtin_shufflevector(v, v, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

// Lane i from lane i + 2, or from lane i + 4; the last lanes do not matter.
NNP_VECTOR nnp_f32x16 nnp_from_lane_2(nnp_f32x16 v) {
  return __builtin_shufflevector(v, v, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1);
}
NNP_VECTOR nnp_f32x16 nnp_from_lane_4(nnp_f32x16 v) {
  return __builtin_shufflevector(v, v, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3);
}

// x, then the lanes of v but the last.
NNP_VECTOR nnp_f32x16 nnp_shift_in(nnp_f32x16 v, float x) {
  return __builtin_shufflevector(v, (nnp_f32x16)(x), 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14);
}

// Vector i of the sixteen that lie at `lanes`.
NNP_VECTOR nnp_f32x16 nnp_lane(const void *_Nonnull lanes, intptr_t i) {
  return nnp_load((const float *)lanes + 16 * i);
}
NNP_VECTOR void nnp_set_lane(void *_Nonnull lanes, intptr_t i, nnp_f32x16 v) {
  nnp_store((float *)lanes + 16 * i, v);
}

// The even and the odd elements of the 32 in a and b, and back: the first and the last sixteen of alternating elements.
NNP_VECTOR nnp_i32x16 nnp_even(nnp_i32x16 a, nnp_i32x16 b) {
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}
NNP_VECTOR nnp_i32x16 nnp_odd(nnp_i32x16 a, nnp_i32x16 b) {
  return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}
NNP_VECTOR nnp_f32x16 nnp_interleave_low(nnp_f32x16 a, nnp_f32x16 b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
NNP_VECTOR nnp_f32x16 nnp_interleave_high(nnp_f32x16 a, nnp_f32x16 b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

// Of both a and b, in each quarter of the lanes: the first two, taken in turns, and the last two; the same of pairs.
NNP_VECTOR nnp_f32x16 nnp_quarters_low(nnp_f32x16 a, nnp_f32x16 b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
}
NNP_VECTOR nnp_f32x16 nnp_quarters_high(nnp_f32x16 a, nnp_f32x16 b) {
  return __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
}
NNP_VECTOR nnp_f32x16 nnp_quarters_low_pairs(nnp_f32x16 a, nnp_f32x16 b) {
  return __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
}
NNP_VECTOR nnp_f32x16 nnp_quarters_high_pairs(nnp_f32x16 a, nnp_f32x16 b) {
  return __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
}
// The first and third quarter of a and of b, and the second and fourth.
NNP_VECTOR nnp_f32x16 nnp_even_quarters(nnp_f32x16 a, nnp_f32x16 b) {
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
}
NNP_VECTOR nnp_f32x16 nnp_odd_quarters(nnp_f32x16 a, nnp_f32x16 b) {
  return __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
}

// Four rows of four floats, `from_stride` apart, become four columns.
NNP_VECTOR void nnp_transpose_4x4(const float *_Nonnull from, intptr_t from_stride, float *_Nonnull to, intptr_t to_stride) {
  typedef float four __attribute__((ext_vector_type(4)));
  four a, b, c, d;
  memcpy(&a, from, sizeof a);
  memcpy(&b, from + from_stride, sizeof b);
  memcpy(&c, from + 2 * from_stride, sizeof c);
  memcpy(&d, from + 3 * from_stride, sizeof d);
  const four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const four cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  const four rows[4] = {
      __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5), __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
      __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5), __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
  // Also where code is optimised for size: else the rows lie in memory.
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++) memcpy(to + i * to_stride, &rows[i], sizeof rows[i]);
}

// to[r * to_stride + c] = from[r + c * from_stride] for r < rows and c < columns, at most 16 each. Nothing else is read or written.
NNP_VECTOR void nnp_transpose_16x16(
    const float *_Nonnull from, intptr_t from_stride, float *_Nonnull to, intptr_t to_stride, intptr_t rows, intptr_t columns) {
  nnp_f32x16 lines[16];
  for (int i = 0; i < 16; i++) lines[i] = i < columns ? nnp_load_partial(from + i * from_stride, rows, (nnp_f32x16)(0.0f)) : (nnp_f32x16)(0.0f);
  // Squares of four within the quarters of four lines each; then the quarters.
  for (int i = 0; i < 16; i += 4) {
    const nnp_f32x16 low = nnp_quarters_low(lines[i], lines[i + 1]), high = nnp_quarters_high(lines[i], lines[i + 1]);
    const nnp_f32x16 low2 = nnp_quarters_low(lines[i + 2], lines[i + 3]), high2 = nnp_quarters_high(lines[i + 2], lines[i + 3]);
    lines[i] = nnp_quarters_low_pairs(low, low2);
    lines[i + 1] = nnp_quarters_high_pairs(low, low2);
    lines[i + 2] = nnp_quarters_low_pairs(high, high2);
    lines[i + 3] = nnp_quarters_high_pairs(high, high2);
  }
  for (int i = 0; i < 4; i++) {
    const nnp_f32x16 even = nnp_even_quarters(lines[i], lines[i + 4]), odd = nnp_odd_quarters(lines[i], lines[i + 4]);
    const nnp_f32x16 even2 = nnp_even_quarters(lines[i + 8], lines[i + 12]), odd2 = nnp_odd_quarters(lines[i + 8], lines[i + 12]);
    lines[i] = nnp_even_quarters(even, even2);
    lines[i + 4] = nnp_even_quarters(odd, odd2);
    lines[i + 8] = nnp_odd_quarters(even, even2);
    lines[i + 12] = nnp_odd_quarters(odd, odd2);
  }
  for (int i = 0; i < 16; i++) {
    if (i < rows) nnp_store_partial(to + i * to_stride, columns, lines[i]);
  }
}

#undef NNP_VECTOR
#endif
