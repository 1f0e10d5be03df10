// What the processor can do at most, for benchmarks to compare with: register-only loops of fused multiply-adds, and sums of memory.
#ifndef NNP_PEAK_H
#define NNP_PEAK_H

typedef float nnp_f32x4_any __attribute__((ext_vector_type(4)));

// With what every processor of its kind has: a product and a sum where there is no fused multiply-add. Each iteration is 12 * 4 of them.
__attribute__((noinline, unused)) static float nnp_peak_any(long iterations) {
#pragma clang fp contract(fast)
  nnp_f32x4_any sums[12];
  for (int i = 0; i < 12; i++) sums[i] = (nnp_f32x4_any)((float)i);
  nnp_f32x4_any factor = (nnp_f32x4_any)(0.999f), term = (nnp_f32x4_any)(0.001f);
  for (long n = 0; n < iterations; n++) {
    __asm__ volatile("");  // keeps the compiler from taking two calls for one
#pragma clang loop unroll(full)
    for (int i = 0; i < 12; i++) sums[i] = sums[i] * factor + term;
  }
  float result = 0;
  for (int i = 0; i < 12; i++) result += sums[i][0] + sums[i][3];
  return result;
}

// Reads `count` floats, a multiple of 128, from an address that is a multiple of 64, again and again: from four places at once, which
// memory answers faster than one. Eight chains of sums hide the latency; the result has some of them.
__attribute__((noinline, unused)) static float nnp_read_any(const float *_Nonnull from, long count, long times) {
  nnp_f32x4_any sums[8] = {0};
  const nnp_f32x4_any *x = (const nnp_f32x4_any *)from;
  for (long time = 0; time < times; time++) {
    for (long n = 0; n < count / 16; n += 2) {
      __asm__ volatile("");
#pragma clang loop unroll(full)
      for (int i = 0; i < 8; i++) sums[i] += x[i / 2 * (count / 16) + n + i % 2];
    }
  }
  float result = 0;
  for (int i = 0; i < 8; i++) result += sums[i][0] + sums[i][3];
  return result;
}

#if defined(__x86_64__)
typedef float nnp_f32x8 __attribute__((ext_vector_type(8)));
typedef float nnp_f32x16_zmm __attribute__((ext_vector_type(16)));

// Twelve chains hide the latency of two units; each iteration is 12 * 8 multiply-adds.
__attribute__((noinline, unused, target("avx2,fma"))) static float nnp_peak_v3(long iterations) {
  nnp_f32x8 sums[12];
  for (int i = 0; i < 12; i++) sums[i] = (nnp_f32x8)((float)i);
  nnp_f32x8 factor = (nnp_f32x8)(0.999f), term = (nnp_f32x8)(0.001f);
  for (long n = 0; n < iterations; n++) {
    __asm__ volatile("");  // keeps the compiler from taking two calls for one
#pragma clang loop unroll(full)
    for (int i = 0; i < 12; i++) sums[i] = __builtin_elementwise_fma(sums[i], factor, term);
  }
  float result = 0;
  for (int i = 0; i < 12; i++) result += sums[i][0] + sums[i][7];
  return result;
}

// Each iteration is 12 * 16 multiply-adds.
__attribute__((noinline, unused, target("avx512f"))) static float nnp_peak_v4(long iterations) {
  nnp_f32x16_zmm sums[12];
  for (int i = 0; i < 12; i++) sums[i] = (nnp_f32x16_zmm)((float)i);
  nnp_f32x16_zmm factor = (nnp_f32x16_zmm)(0.999f), term = (nnp_f32x16_zmm)(0.001f);
  for (long n = 0; n < iterations; n++) {
    __asm__ volatile("");  // keeps the compiler from taking two calls for one
#pragma clang loop unroll(full)
    for (int i = 0; i < 12; i++) sums[i] = __builtin_elementwise_fma(sums[i], factor, term);
  }
  float result = 0;
  for (int i = 0; i < 12; i++) result += sums[i][0] + sums[i][15];
  return result;
}

// As nnp_read_any.
__attribute__((noinline, unused, target("avx2"))) static float nnp_read_v3(const float *_Nonnull from, long count, long times) {
  nnp_f32x8 sums[8] = {0};
  const nnp_f32x8 *x = (const nnp_f32x8 *)from;
  for (long time = 0; time < times; time++) {
    for (long n = 0; n < count / 32; n += 2) {
      __asm__ volatile("");
#pragma clang loop unroll(full)
      for (int i = 0; i < 8; i++) sums[i] += x[i / 2 * (count / 32) + n + i % 2];
    }
  }
  float result = 0;
  for (int i = 0; i < 8; i++) result += sums[i][0] + sums[i][7];
  return result;
}

// As nnp_read_any.
__attribute__((noinline, unused, target("avx512f"))) static float nnp_read_v4(const float *_Nonnull from, long count, long times) {
  nnp_f32x16_zmm sums[8] = {0};
  const nnp_f32x16_zmm *x = (const nnp_f32x16_zmm *)from;
  for (long time = 0; time < times; time++) {
    for (long n = 0; n < count / 64; n += 2) {
      __asm__ volatile("");
#pragma clang loop unroll(full)
      for (int i = 0; i < 8; i++) sums[i] += x[i / 2 * (count / 64) + n + i % 2];
    }
  }
  float result = 0;
  for (int i = 0; i < 8; i++) result += sums[i][0] + sums[i][15];
  return result;
}
#endif

#endif
