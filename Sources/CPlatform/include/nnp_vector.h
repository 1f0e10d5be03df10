// Vectors of 16 lanes, whatever registers the target has; Swift imports the types as SIMD16<Float>, SIMD16<Int32> ….
// Comparisons give masks of all ones or zeros. Nothing here is contracted into a fused multiply-add by the compiler.
#ifndef NNP_VECTOR_H
#define NNP_VECTOR_H

#include <stdint.h>
#include <string.h>

typedef float nnp_f32x16 __attribute__((ext_vector_type(16)));
typedef double nnp_f64x16 __attribute__((ext_vector_type(16)));
typedef int32_t nnp_i32x16 __attribute__((ext_vector_type(16)));
typedef int64_t nnp_i64x16 __attribute__((ext_vector_type(16)));

// The functions are inlined, so how vectors would be passed does not matter.
#pragma clang diagnostic ignored "-Wpsabi"

#define NNP_VECTOR static inline __attribute__((always_inline))

NNP_VECTOR nnp_f32x16 nnp_load(const float *_Nonnull p) {
  nnp_f32x16 v;
  memcpy(&v, p, sizeof v);
  return v;
}

// Has the line at p brought to the first-level cache; p may point anywhere.
NNP_VECTOR void nnp_prefetch(const float *_Nonnull p) { __builtin_prefetch(p, 0, 3); }

// The same, to the second-level cache.
NNP_VECTOR void nnp_prefetch_far(const float *_Nonnull p) { __builtin_prefetch(p, 0, 2); }

NNP_VECTOR void nnp_store(float *_Nonnull p, nnp_f32x16 v) { memcpy(p, &v, sizeof v); }

#if defined(__AVX512F__) && __has_builtin(__builtin_ia32_loadups512_mask) && __has_builtin(__builtin_ia32_storeups512_mask)
#define NNP_HAS_MASK_REGISTERS 1
typedef float nnp_mask_f32x16 __attribute__((vector_size(64)));
// One bit for each lane from `begin` up to `end`.
NNP_VECTOR uint16_t nnp_lane_bits(intptr_t begin, intptr_t end) { return (uint16_t)((1u << end) - (1u << begin)); }
#elif defined(__AVX__) && __has_builtin(__builtin_ia32_maskloadps256) && __has_builtin(__builtin_ia32_maskstoreps256)
#define NNP_HAS_MASKS 1
typedef float nnp_mask_f32x8 __attribute__((vector_size(32)));
typedef int32_t nnp_mask_i32x8 __attribute__((vector_size(32)));
#endif

// All ones in the lanes from `begin` up to `end`.
NNP_VECTOR nnp_i32x16 nnp_lanes_between(intptr_t begin, intptr_t end) {
  const nnp_i32x16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return (lane >= (int32_t)begin) & (lane < (int32_t)end);
}

// Lane i from p[i] for begin <= i < end, the others from `rest`; 0 <= begin <= end <= 16. Nothing else is read, so p
// itself may lie before the memory that is.
NNP_VECTOR nnp_f32x16 nnp_load_lanes(const float *_Nonnull p, intptr_t begin, intptr_t end, nnp_f32x16 rest) {
#if defined(NNP_HAS_MASK_REGISTERS)
  union {
    nnp_f32x16 ours;
    nnp_mask_f32x16 theirs;
  } values = {rest};
  values.theirs = __builtin_ia32_loadups512_mask(p, values.theirs, nnp_lane_bits(begin, end));
  return values.ours;
#elif defined(NNP_HAS_MASKS)
  nnp_i32x16 mask = nnp_lanes_between(begin, end);
  union {
    nnp_i32x16 whole;
    nnp_mask_i32x8 half[2];
  } masks = {mask};
  union {
    nnp_f32x16 whole;
    nnp_mask_f32x8 half[2];
  } values;
  values.half[0] = __builtin_ia32_maskloadps256((const nnp_mask_f32x8 *)p, masks.half[0]);
  values.half[1] = __builtin_ia32_maskloadps256((const nnp_mask_f32x8 *)(p + 8), masks.half[1]);
  return mask ? values.whole : rest;
#else
  float lanes[16];
  memcpy(lanes, &rest, sizeof lanes);
  if (begin < end) memcpy(lanes + begin, p + begin, (size_t)(end - begin) * sizeof(float));
  memcpy(&rest, lanes, sizeof lanes);
  return rest;
#endif
}

// The first `count` lanes from p, the others from `rest`; 0 <= count <= 16.
NNP_VECTOR nnp_f32x16 nnp_load_partial(const float *_Nonnull p, intptr_t count, nnp_f32x16 rest) {
  return nnp_load_lanes(p, 0, count, rest);
}

// Lane i from p[i] where bit i is set, zeros elsewhere; nothing else is read.
NNP_VECTOR nnp_f32x16 nnp_load_where(const float *_Nonnull p, uint32_t bits) {
#if defined(NNP_HAS_MASK_REGISTERS)
  union {
    nnp_f32x16 ours;
    nnp_mask_f32x16 theirs;
  } values = {(nnp_f32x16)(0.0f)};
  values.theirs = __builtin_ia32_loadups512_mask(p, values.theirs, (uint16_t)bits);
  return values.ours;
#else
  const nnp_i32x16 lane = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768};
#if defined(NNP_HAS_MASKS)
  union {
    nnp_i32x16 whole;
    nnp_mask_i32x8 half[2];
  } masks = {((nnp_i32x16)((int32_t)bits) & lane) != 0};
  union {
    nnp_f32x16 whole;
    nnp_mask_f32x8 half[2];
  } values;
  values.half[0] = __builtin_ia32_maskloadps256((const nnp_mask_f32x8 *)p, masks.half[0]);
  values.half[1] = __builtin_ia32_maskloadps256((const nnp_mask_f32x8 *)(p + 8), masks.half[1]);
  return values.whole;
#else
  float lanes[16];
  for (int i = 0; i < 16; i++) lanes[i] = (int32_t)bits & lane[i] ? p[i] : 0;
  return nnp_load(lanes);
#endif
#endif
}

NNP_VECTOR void nnp_store_partial(float *_Nonnull p, intptr_t count, nnp_f32x16 v) {
#if defined(NNP_HAS_MASK_REGISTERS)
  union {
    nnp_f32x16 ours;
    nnp_mask_f32x16 theirs;
  } values = {v};
  __builtin_ia32_storeups512_mask(p, values.theirs, nnp_lane_bits(0, count));
#elif defined(NNP_HAS_MASKS)
  union {
    nnp_i32x16 whole;
    nnp_mask_i32x8 half[2];
  } masks = {nnp_lanes_between(0, count)};
  union {
    nnp_f32x16 whole;
    nnp_mask_f32x8 half[2];
  } values = {v};
  __builtin_ia32_maskstoreps256((nnp_mask_f32x8 *)p, masks.half[0], values.half[0]);
  __builtin_ia32_maskstoreps256((nnp_mask_f32x8 *)(p + 8), masks.half[1], values.half[1]);
#else
  float lanes[16];
  memcpy(lanes, &v, sizeof lanes);
  memcpy(p, lanes, (size_t)count * sizeof(float));
#endif
}

// Lane i from p[i * stride]. Seldom needed and long, so not inlined.
static __attribute__((noinline, unused)) nnp_f32x16 nnp_load_strided(const float *_Nonnull p, intptr_t stride) {
  float lanes[16];
  for (int i = 0; i < 16; i++) lanes[i] = p[i * stride];
  return nnp_load(lanes);
}

// Lane i from p[2 * i]; 31 floats are read, and none past the last one.
NNP_VECTOR nnp_f32x16 nnp_load_every_other(const float *_Nonnull p) {
  return __builtin_shufflevector(
      nnp_load(p), nnp_load(p + 15), 0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31);
}

// Lane i from p[2 * i] for begin <= i < end, the others from `rest`; as with nnp_load_lanes nothing else is read, but for floats between.
NNP_VECTOR nnp_f32x16 nnp_load_every_other_lanes(const float *_Nonnull p, intptr_t begin, intptr_t end, nnp_f32x16 rest) {
  // The last one's neighbour is not read: memory may end there.
  const intptr_t first = 2 * begin, last = begin < end ? 2 * end - 1 : first;
  const nnp_f32x16 a = nnp_load_lanes(p, first < 16 ? first : 16, last < 16 ? last : 16, rest);
  const nnp_f32x16 b = nnp_load_lanes(p + 16, first > 16 ? first - 16 : 0, last > 16 ? last - 16 : 0, rest);
  const nnp_f32x16 values = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  return nnp_lanes_between(begin, end) ? values : rest;
}

// Lane i from p[i * stride] for begin <= i < end, the others from `rest`; nothing else is read. Seldom needed, so not inlined.
static __attribute__((noinline, unused)) nnp_f32x16 nnp_load_strided_lanes(
    const float *_Nonnull p, intptr_t stride, intptr_t begin, intptr_t end, float rest) {
  float lanes[16];
  for (intptr_t i = 0; i < 16; i++) lanes[i] = i >= begin && i < end ? p[i * stride] : rest;
  return nnp_load(lanes);
}

// p[i * stride] += lane i for begin <= i < end, one after the other.
static __attribute__((noinline, unused)) void nnp_add_strided_lanes(
    float *_Nonnull p, intptr_t stride, intptr_t begin, intptr_t end, nnp_f32x16 v) {
  float lanes[16];
  nnp_store(lanes, v);
  for (intptr_t i = begin; i < end; i++) p[i * stride] += lanes[i];
}

// Byte i from p[i * stride], for the first `count` of 16. Seldom needed, so not inlined.
static __attribute__((noinline, unused)) void nnp_gather_bytes(
    uint8_t *_Nonnull to, const uint8_t *_Nonnull p, intptr_t stride, intptr_t count) {
  for (intptr_t i = 0; i < count; i++) to[i] = p[i * stride];
}

// As memcpy, which takes its time to find out that there is little to do.
NNP_VECTOR void nnp_copy_bytes(void *_Nonnull to, const void *_Nonnull from, intptr_t size) {
  uint8_t *y = (uint8_t *)to;
  const uint8_t *x = (const uint8_t *)from;
  if (size >= 512) {
    memcpy(y, x, (size_t)size);
  } else if (size >= 16) {
    // The last sixteen bytes may overlap those before.
    for (intptr_t i = 0; i < size - 16; i += 16) memcpy(y + i, x + i, 16);
    memcpy(y + size - 16, x + size - 16, 16);
  } else if (size >= 8) {
    memcpy(y, x, 8);
    memcpy(y + size - 8, x + size - 8, 8);
  } else if (size >= 4) {
    memcpy(y, x, 4);
    memcpy(y + size - 4, x + size - 4, 4);
  } else {
    for (intptr_t i = 0; i < size; i++) y[i] = x[i];
  }
}

NNP_VECTOR void nnp_copy(float *_Nonnull to, const float *_Nonnull from, intptr_t count) {
  memcpy(to, from, (size_t)count * sizeof(float));
}

NNP_VECTOR void nnp_clear(float *_Nonnull p, intptr_t count) { memset(p, 0, (size_t)count * sizeof(float)); }

NNP_VECTOR nnp_f32x16 nnp_splat(float x) { return (nnp_f32x16)(x); }

NNP_VECTOR nnp_f32x16 nnp_add(nnp_f32x16 a, nnp_f32x16 b) { return a + b; }
NNP_VECTOR nnp_f32x16 nnp_subtract(nnp_f32x16 a, nnp_f32x16 b) { return a - b; }
NNP_VECTOR nnp_f32x16 nnp_multiply(nnp_f32x16 a, nnp_f32x16 b) { return a * b; }
NNP_VECTOR nnp_f32x16 nnp_divide(nnp_f32x16 a, nnp_f32x16 b) { return a / b; }

NNP_VECTOR nnp_i32x16 nnp_less(nnp_f32x16 a, nnp_f32x16 b) { return a < b; }
NNP_VECTOR nnp_i32x16 nnp_less_equal(nnp_f32x16 a, nnp_f32x16 b) { return a <= b; }
NNP_VECTOR nnp_i32x16 nnp_equal(nnp_f32x16 a, nnp_f32x16 b) { return a == b; }
NNP_VECTOR nnp_i32x16 nnp_is_nan(nnp_f32x16 a) { return a != a; }
// Whether the search for a first maximum moves on from `best`: to a larger number, or to the first NaN.
NNP_VECTOR nnp_i32x16 nnp_is_better(nnp_f32x16 a, nnp_f32x16 best) { return ~(a <= best) & (best == best); }
NNP_VECTOR nnp_i32x16 nnp_less_i32(nnp_i32x16 a, nnp_i32x16 b) { return a < b; }
NNP_VECTOR nnp_i32x16 nnp_equal_i32(nnp_i32x16 a, nnp_i32x16 b) { return a == b; }
NNP_VECTOR nnp_f32x16 nnp_select(nnp_i32x16 mask, nnp_f32x16 a, nnp_f32x16 b) { return mask ? a : b; }
NNP_VECTOR nnp_i32x16 nnp_select_i32(nnp_i32x16 mask, nnp_i32x16 a, nnp_i32x16 b) { return mask ? a : b; }
NNP_VECTOR int nnp_any(nnp_i32x16 mask) { return __builtin_reduce_or(mask) != 0; }

// A mask as the first `count` of 16 bytes, 1 for true; 0 <= count <= 16.
NNP_VECTOR void nnp_store_mask(uint8_t *_Nonnull p, intptr_t count, nnp_i32x16 mask) {
  typedef uint8_t nnp_u8x16 __attribute__((ext_vector_type(16)));
  const nnp_u8x16 bytes = __builtin_convertvector(mask & 1, nnp_u8x16);
  if (count == 16) memcpy(p, &bytes, 16);
  else memcpy(p, &bytes, (size_t)count);
}
// The first `count` bytes as a mask, true for any but 0.
NNP_VECTOR nnp_i32x16 nnp_load_mask(const uint8_t *_Nonnull p, intptr_t count) {
  typedef uint8_t nnp_u8x16 __attribute__((ext_vector_type(16)));
  nnp_u8x16 bytes = 0;
  if (count == 16) memcpy(&bytes, p, 16);
  else memcpy(&bytes, p, (size_t)count);
  return __builtin_convertvector(bytes, nnp_i32x16) != 0;
}

NNP_VECTOR nnp_i32x16 nnp_bits(nnp_f32x16 a) { return (nnp_i32x16)a; }
NNP_VECTOR nnp_f32x16 nnp_from_bits(nnp_i32x16 a) { return (nnp_f32x16)a; }
// Zeros move in from above.
NNP_VECTOR nnp_i32x16 nnp_shift_right(nnp_i32x16 a, int distance) {
  typedef uint32_t nnp_u32x16 __attribute__((ext_vector_type(16)));
  return (nnp_i32x16)((nnp_u32x16)a >> (uint32_t)distance);
}
NNP_VECTOR nnp_f32x16 nnp_from_i32(nnp_i32x16 a) { return __builtin_convertvector(a, nnp_f32x16); }
// x * 2^n for -252 <= n <= 254, of an x that 2^(n / 2) leaves a normal number, or for n = 0: rounded once at most.
NNP_VECTOR nnp_f32x16 nnp_scale(nnp_f32x16 x, nnp_i32x16 n) {
#if defined(NNP_HAS_MASK_REGISTERS) && __has_builtin(__builtin_ia32_scalefps512_mask)
  union {
    nnp_f32x16 ours;
    nnp_mask_f32x16 theirs;
  } value = {x}, power = {__builtin_convertvector(n, nnp_f32x16)};
  // Every lane, rounded as everything else is.
  value.theirs = __builtin_ia32_scalefps512_mask(value.theirs, power.theirs, value.theirs, 0xffff, 4);
  return value.ours;
#else
  // Two factors, because 2^n itself may overflow or be subnormal.
  const nnp_i32x16 half = n >> 1;
  return x * (nnp_f32x16)((half + 127) << 23) * (nnp_f32x16)((n - half + 127) << 23);
#endif
}
NNP_VECTOR nnp_f32x16 nnp_sqrt(nnp_f32x16 a) { return __builtin_elementwise_sqrt(a); }

NNP_VECTOR nnp_f64x16 nnp_widen(nnp_f32x16 a) { return __builtin_convertvector(a, nnp_f64x16); }
NNP_VECTOR nnp_f32x16 nnp_narrow(nnp_f64x16 a) { return __builtin_convertvector(a, nnp_f32x16); }
NNP_VECTOR nnp_f64x16 nnp_splat_f64(double x) { return (nnp_f64x16)(x); }
NNP_VECTOR nnp_f64x16 nnp_add_f64(nnp_f64x16 a, nnp_f64x16 b) { return a + b; }
NNP_VECTOR nnp_f64x16 nnp_subtract_f64(nnp_f64x16 a, nnp_f64x16 b) { return a - b; }
NNP_VECTOR nnp_f64x16 nnp_multiply_f64(nnp_f64x16 a, nnp_f64x16 b) { return a * b; }
NNP_VECTOR nnp_f64x16 nnp_divide_f64(nnp_f64x16 a, nnp_f64x16 b) { return a / b; }
NNP_VECTOR nnp_i64x16 nnp_bits_f64(nnp_f64x16 a) { return (nnp_i64x16)a; }
NNP_VECTOR nnp_f64x16 nnp_from_bits_f64(nnp_i64x16 a) { return (nnp_f64x16)a; }
NNP_VECTOR nnp_i64x16 nnp_less_f64(nnp_f64x16 a, nnp_f64x16 b) { return a < b; }
NNP_VECTOR nnp_f64x16 nnp_select_f64(nnp_i64x16 mask, nnp_f64x16 a, nnp_f64x16 b) { return mask ? a : b; }
NNP_VECTOR nnp_i32x16 nnp_narrow_i64(nnp_i64x16 a) { return __builtin_convertvector(a, nnp_i32x16); }
NNP_VECTOR nnp_i64x16 nnp_widen_i32(nnp_i32x16 a) { return __builtin_convertvector(a, nnp_i64x16); }

// a * b + c, rounded once, where the target has the instruction (elsewhere the compiler would call fmaf).
NNP_VECTOR nnp_f32x16 nnp_fma(nnp_f32x16 a, nnp_f32x16 b, nnp_f32x16 c) {
  return __builtin_elementwise_fma(a, b, c);
}

// The lower halves of sixteen 32-bit words as bf16.
NNP_VECTOR nnp_f32x16 nnp_widen_lower_bf16(const uint16_t *_Nonnull p) {
  uint32_t words __attribute__((ext_vector_type(16)));
  memcpy(&words, p, sizeof words);
  words <<= 16;
  nnp_f32x16 v;
  memcpy(&v, &words, sizeof v);
  return v;
}

// Their upper halves.
NNP_VECTOR nnp_f32x16 nnp_widen_upper_bf16(const uint16_t *_Nonnull p) {
  uint32_t words __attribute__((ext_vector_type(16)));
  memcpy(&words, p, sizeof words);
  words &= 0xffff0000u;
  nnp_f32x16 v;
  memcpy(&v, &words, sizeof v);
  return v;
}

// Sixteen f16; only where the instruction set converts them.
NNP_VECTOR nnp_f32x16 nnp_widen_f16(const uint16_t *_Nonnull p) {
#if defined(__F16C__) || defined(__aarch64__)
  _Float16 halves __attribute__((ext_vector_type(16)));
  memcpy(&halves, p, sizeof halves);
  return __builtin_convertvector(halves, nnp_f32x16);
#else
  (void)p;
  return (nnp_f32x16)(0);
#endif
}

// Eight lanes: what is left of sixteen.
typedef float nnp_f32x8 __attribute__((ext_vector_type(8)));

NNP_VECTOR nnp_f32x8 nnp_load_half(const float *_Nonnull p) {
  nnp_f32x8 v;
  memcpy(&v, p, sizeof v);
  return v;
}

NNP_VECTOR void nnp_store_half(float *_Nonnull p, nnp_f32x8 v) { memcpy(p, &v, sizeof v); }
NNP_VECTOR nnp_f32x8 nnp_add_half(nnp_f32x8 a, nnp_f32x8 b) { return a + b; }

NNP_VECTOR nnp_f32x8 nnp_lower_half(nnp_f32x16 v) { return v.lo; }

// The lower half from v; what the upper one holds does not matter.
NNP_VECTOR nnp_f32x16 nnp_widen_half(nnp_f32x8 v) {
  return __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7);
}

NNP_VECTOR nnp_f32x8 nnp_fma_half(nnp_f32x8 a, nnp_f32x8 b, nnp_f32x8 c) { return __builtin_elementwise_fma(a, b, c); }

// a * b + c, rounded once, from doubles. The product of two floats is exact in a double; the sum is taken with its
// error (TwoSum, Knuth) and rounded to odd, which makes the second rounding, to float, see every lost bit
// (Boldo and Melquiond 2008, "Emulation of a FMA and correctly rounded sums").
NNP_VECTOR nnp_f32x16 nnp_fma_emulated(nnp_f32x16 a, nnp_f32x16 b, nnp_f32x16 c) {
#pragma clang fp contract(off)
  nnp_f64x16 product = __builtin_convertvector(a, nnp_f64x16) * __builtin_convertvector(b, nnp_f64x16);
  nnp_f64x16 addend = __builtin_convertvector(c, nnp_f64x16);
  nnp_f64x16 sum = product + addend;
  nnp_f64x16 part = sum - product;
  nnp_f64x16 error = (product - (sum - part)) + (addend - part);
  nnp_i64x16 above = error > 0.0;
  nnp_i64x16 below = error < 0.0;
  nnp_i64x16 positive = sum > 0.0;
  nnp_i64x16 bits = (nnp_i64x16)sum;
  // Where the sum is inexact and even, one step of its last place: away from zero or toward it, as the error points.
  nnp_i64x16 outward = (above & positive) | (below & ~positive);
  nnp_i64x16 even = (bits & 1) - 1;
  bits += (above | below) & even & ((outward & 2) - 1);
  return __builtin_convertvector((nnp_f64x16)bits, nnp_f32x16);
}

#undef NNP_VECTOR
#endif
