// The numbers of a row that are not zero.
#ifndef NNP_NONZEROS_H
#define NNP_NONZEROS_H

#include "nnp_vector.h"

// The first sixteen of `left` numbers, or all of them and zeros.
static inline __attribute__((always_inline)) nnp_f32x16 nnp_load_up_to_16(const float *_Nonnull p, intptr_t left) {
  return left >= 16 ? nnp_load(p) : nnp_load_partial(p, left, nnp_splat(0));
}

// How many of the first `count` numbers are other than zero, as NaN is.
static __attribute__((noinline, unused)) intptr_t nnp_count_nonzeros(const float *_Nonnull x, intptr_t count) {
  nnp_i32x16 found = 0;
  for (intptr_t i = 0; i < count; i += 16) found -= nnp_load_up_to_16(x + i, count - i) != 0;
  return __builtin_reduce_add(found);
}

#if defined(NNP_HAS_MASK_REGISTERS) && __has_builtin(__builtin_ia32_compresssf512_mask) && \
    __has_builtin(__builtin_ia32_compressdi512_mask)
#define NNP_CAN_COMPRESS 1
typedef long long nnp_places8 __attribute__((vector_size(64)));

static inline __attribute__((always_inline)) nnp_places8 nnp_first_places(intptr_t stride) {
  return (nnp_places8){0, 1, 2, 3, 4, 5, 6, 7} * stride;
}

// A bit for each lane that is not zero.
static inline __attribute__((always_inline)) uint16_t nnp_nonzero_lanes(nnp_f32x16 v) {
  typedef _Bool bits16 __attribute__((ext_vector_type(16)));
  const bits16 lanes = __builtin_convertvector(v != 0, bits16);
  uint16_t bits;
  memcpy(&bits, &lanes, sizeof bits);
  return bits;
}

// The lanes of set bits, next to each other.
static inline __attribute__((always_inline)) nnp_f32x16 nnp_compress(nnp_f32x16 v, uint16_t bits) {
  union {
    nnp_f32x16 ours;
    nnp_mask_f32x16 theirs;
  } picked = {v};
  picked.theirs = __builtin_ia32_compresssf512_mask(picked.theirs, picked.theirs, bits);
  return picked.ours;
}

// Stores the places of set bits next to each other, and as many more as make eight; returns how many bits are set.
static inline __attribute__((always_inline)) intptr_t nnp_store_places(
    intptr_t *_Nonnull p, nnp_places8 places, uint8_t bits) {
  const nnp_places8 picked = __builtin_ia32_compressdi512_mask(places, places, bits);
  memcpy(p, &picked, sizeof picked);
  return __builtin_popcount(bits);
}
#endif

// The x[i] of i < count that are not zero, and i * stride for each of them, in order; returns their number. Both lists need room for
// 16 more than `count`.
static __attribute__((noinline, unused)) intptr_t nnp_pick_nonzeros(
    const float *_Nonnull x, intptr_t count, intptr_t stride, float *_Nonnull values, intptr_t *_Nonnull places) {
  intptr_t found = 0;
#if defined(NNP_CAN_COMPRESS)
  nnp_places8 place = nnp_first_places(stride);
  for (intptr_t i = 0; i < count; i += 16) {
    const nnp_f32x16 v = nnp_load_up_to_16(x + i, count - i);
    const uint16_t lanes = nnp_nonzero_lanes(v);
    nnp_store(values + found, nnp_compress(v, lanes));
    found += nnp_store_places(places + found, place, (uint8_t)lanes);
    found += nnp_store_places(places + found, place + 8 * stride, (uint8_t)(lanes >> 8));
    place += 16 * stride;
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

// The same of pairs x[2 * i], x[2 * i + 1] of which one is not zero, both of them; an odd last number has 0 beside it. Lists as above.
static __attribute__((noinline, unused)) intptr_t nnp_pick_nonzero_pairs(
    const float *_Nonnull x, intptr_t count, intptr_t stride, float *_Nonnull values, intptr_t *_Nonnull places) {
  intptr_t found = 0;
#if defined(NNP_CAN_COMPRESS) && defined(__BMI2__)
  nnp_places8 place = nnp_first_places(stride);
  for (intptr_t i = 0; i < count; i += 16) {
    const nnp_f32x16 v = nnp_load_up_to_16(x + i, count - i);
    const uint32_t lanes = nnp_nonzero_lanes(v);
    const uint32_t pairs = (lanes | lanes >> 1) & 0x5555;
    nnp_store(values + 2 * found, nnp_compress(v, (uint16_t)(pairs | pairs << 1)));
    found += nnp_store_places(places + found, place, (uint8_t)__builtin_ia32_pext_si(pairs, 0x5555));
    place += 8 * stride;
  }
#else
  for (intptr_t i = 0; i < count; i += 2) {
    const float second = i + 1 < count ? x[i + 1] : 0;
    values[2 * found] = x[i];
    values[2 * found + 1] = second;
    places[found] = i / 2 * stride;
    found += x[i] != 0 || second != 0;
  }
#endif
  return found;
}

#endif
