// Which instruction sets this processor (and its operating system) can run.
#ifndef NNP_CPU_H
#define NNP_CPU_H

#if defined(__x86_64__)
static inline int nnp_cpu_has_x86_v3(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("f16c") && __builtin_cpu_supports("popcnt");
}
static inline int nnp_cpu_has_x86_v4(void) {
  return nnp_cpu_has_x86_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#else
static inline int nnp_cpu_has_x86_v3(void) { return 0; }
static inline int nnp_cpu_has_x86_v4(void) { return 0; }
#endif

#endif
