// Takes the place of zstd's decoders for its formats before 0.8 in libnnrt.so: a .nnrt file never holds such frames, and
// what is not there cannot be attacked. tools/build compiles this file; the linker then leaves the old decoders out.
#include <stddef.h>
#include <zstd_errors.h>

static const size_t unsupported = (size_t)-ZSTD_error_version_unsupported;

#define NNRT_WITHOUT(version)                                                                             \
  void *ZSTDv0##version##_createDCtx(void) { return NULL; }                                               \
  size_t ZSTDv0##version##_freeDCtx(void *context) { return context ? unsupported : 0; }                  \
  size_t ZSTDv0##version##_decompress_usingDict(                                                          \
      void *context, void *to, size_t capacity, const void *from, size_t size, const void *dictionary,    \
      size_t dictionary_size) {                                                                           \
    (void)context, (void)to, (void)capacity, (void)from, (void)size, (void)dictionary;                    \
    (void)dictionary_size;                                                                                \
    return unsupported;                                                                                   \
  }                                                                                                       \
  void ZSTDv0##version##_findFrameSizeInfoLegacy(                                                         \
      const void *from, size_t size, size_t *compressed, unsigned long long *bound) {                     \
    (void)from, (void)size;                                                                               \
    *compressed = unsupported;                                                                            \
    *bound = (unsigned long long)-2; /* ZSTD_CONTENTSIZE_ERROR */                                         \
  }                                                                                                       \
  size_t ZSTDv0##version##_getFrameParams(void *parameters, const void *from, size_t size) {              \
    (void)parameters, (void)from, (void)size;                                                             \
    return unsupported;                                                                                   \
  }                                                                                                       \
  void *ZBUFFv0##version##_createDCtx(void) { return NULL; }                                              \
  size_t ZBUFFv0##version##_freeDCtx(void *context) { return context ? unsupported : 0; }                 \
  size_t ZBUFFv0##version##_decompressInitDictionary(void *context, const void *bytes, size_t size) {     \
    (void)context, (void)bytes, (void)size;                                                               \
    return unsupported;                                                                                   \
  }                                                                                                       \
  size_t ZBUFFv0##version##_decompressContinue(                                                           \
      void *context, void *to, size_t *capacity, const void *from, size_t *size) {                        \
    (void)context, (void)to, (void)capacity, (void)from, (void)size;                                      \
    return unsupported;                                                                                   \
  }

NNRT_WITHOUT(5)
NNRT_WITHOUT(6)
NNRT_WITHOUT(7)
