// The numbers of a row that are not zero.
#ifndef NNP_NONZEROS_H
#define NNP_NONZEROS_H

#include "nnp_vector.h"

// How many of the first `count` numbers are not zero; NaN is not.
static __attribute__((noinline, unused)) intptr_t nnp_count_nonzeros(const float *_Nonnull x, intptr_t count) {
  nnp_i32x16 found = 0;
  intptr_t i = 0;
  for (; i + 16 <= count; i += 16) found -= nnp_load(x + i) != 0;
  if (i < count) found -= nnp_load_partial(x + i, count - i, nnp_splat(0)) != 0;
  return __builtin_reduce_add(found);
}

// The x[i] of i < count that are not zero, and i * stride for each of them, in order; returns their number. Both lists need room for
// 16 more than `count`.
static __attribute__((noinline, unused)) intptr_t nnp_pick_nonzeros(
    const float *_Nonnull x, intptr_t count, intptr_t stride, float *_Nonnull values, intptr_t *_Nonnull places) {
  intptr_t found = 0;
#if defined(NNP_HAS_MASK_REGISTERS) && __has_builtin(__builtin_ia32_compresssf512_mask) && \
    __has_builtin(__builtin_ia32_compressdi512_mask)
  typedef long long places8 __attribute__((vector_size(64)));
  typedef _Bool bits16 __attribute__((ext_vector_type(16)));
  const places8 none = {0};
  places8 low = {0, stride, 2 * stride, 3 * stride, 4 * stride, 5 * stride, 6 * stride, 7 * stride};
  for (intptr_t i = 0; i < count; i += 16) {
    const nnp_f32x16 v = count - i >= 16 ? nnp_load(x + i) : nnp_load_partial(x + i, count - i, nnp_splat(0));
    const bits16 lanes = __builtin_convertvector(v != 0, bits16);
    uint16_t bits;
    memcpy(&bits, &lanes, sizeof bits);
    union {
      nnp_f32x16 ours;
      nnp_mask_f32x16 theirs;
    } picked = {v};
    picked.theirs = __builtin_ia32_compresssf512_mask(picked.theirs, picked.theirs, bits);
    nnp_store(values + found, picked.ours);
    const uint8_t lower = (uint8_t)bits, upper = (uint8_t)(bits >> 8);
    const places8 first = __builtin_ia32_compressdi512_mask(low, none, lower);
    const places8 second = __builtin_ia32_compressdi512_mask(low + 8 * stride, none, upper);
    memcpy(places + found, &first, sizeof first);
    memcpy(places + found + __builtin_popcount(lower), &second, sizeof second);
    found += __builtin_popcount(bits);
    low += 16 * stride;
  }
#else
  for (intptr_t i = 0; i < count; i++) {
    values[found] = x[i];
    places[found] = i * stride;
    found += x[i] != 0;
  }
#endif
  return found;
}

#endif
