// Register-only loops of fused multiply-adds: what the processor can do at most, for benchmarks to compare with.
#ifndef NNP_PEAK_H
#define NNP_PEAK_H

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
#endif

#endif
