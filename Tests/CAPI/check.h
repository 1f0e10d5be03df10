// What the C tests share: checks that say where and why, model paths, and small inputs of the right type.
#ifndef CHECK_H
#define CHECK_H

#include <nnrt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                  \
  do {                                                                                                    \
    if (!(condition)) {                                                                                   \
      fprintf(stderr, "%s:%d: failed: %s (last error: %s)\n", __FILE__, __LINE__, #condition,             \
              nnrt_error_message());                                                                      \
      exit(1);                                                                                            \
    }                                                                                                     \
  } while (0)

// The call gives this status, and for a failure a message.
#define CHECK_STATUS(call, expected)                                                                      \
  do {                                                                                                    \
    nnrt_status status_ = (call);                                                                         \
    if (status_ != (expected)) {                                                                          \
      fprintf(stderr, "%s:%d: %s gave %s, not %s: %s\n", __FILE__, __LINE__, #call,                       \
              nnrt_status_name(status_), nnrt_status_name(expected), nnrt_error_message());               \
      exit(1);                                                                                            \
    }                                                                                                     \
    if (status_ != NNRT_OK) CHECK(nnrt_error_message()[0] != 0);                                          \
  } while (0)

// Valid until the same thread asks for another.
static inline const char *model_path(const char *folder, const char *name) {
  static _Thread_local char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static inline nnrt_model *open_model(const char *folder, const char *name) {
  nnrt_model *model = NULL;
  CHECK_STATUS(nnrt_model_open(model_path(folder, name), NULL, &model), NNRT_OK);
  CHECK(model != NULL);
  return model;
}

static inline unsigned char *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  CHECK(file != NULL);
  CHECK(fseek(file, 0, SEEK_END) == 0);
  long length = ftell(file);
  CHECK(length > 0);
  rewind(file);
  unsigned char *bytes = malloc((size_t)length);
  CHECK(bytes != NULL);
  CHECK(fread(bytes, 1, (size_t)length, file) == (size_t)length);
  fclose(file);
  *size = (size_t)length;
  return bytes;
}

// Sets every input to small numbers, free extents to `extent`. For floats: fractions that depend on `seed`.
static inline nnrt_status set_inputs(const nnrt_model *model, nnrt_session *session, int64_t extent, unsigned seed) {
  for (size_t index = 0; index < nnrt_model_input_count(model); index++) {
    nnrt_tensor_info info;
    nnrt_status status = nnrt_model_input_info(model, index, &info);
    if (status != NNRT_OK) return status;
    size_t count = 1;
    for (size_t axis = 0; axis < info.rank; axis++) {
      if (info.dims[axis] < 0) info.dims[axis] = extent;
      count *= (size_t)info.dims[axis];
      if (count > ((size_t)1 << 24)) return NNRT_LIMIT_EXCEEDED;
    }
    size_t size = count * nnrt_dtype_size(info.dtype);
    unsigned char *bytes = calloc(size ? size : 1, 1);
    if (!bytes) return NNRT_OUT_OF_MEMORY;
    if (info.dtype == NNRT_DTYPE_F32) {
      for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        float value = (float)(seed >> 8) / 16777216.0f - 0.5f;
        memcpy(bytes + 4 * i, &value, 4);
      }
    }
    status = nnrt_session_set_input(session, index, info.dtype, info.dims, info.rank, bytes, size);
    free(bytes);
    if (status != NNRT_OK) return status;
  }
  return NNRT_OK;
}

// A copy of an output's bytes.
static inline unsigned char *copy_output(const nnrt_session *session, size_t index, size_t *size) {
  nnrt_tensor view;
  CHECK_STATUS(nnrt_session_output(session, index, &view), NNRT_OK);
  unsigned char *bytes = malloc(view.size ? view.size : 1);
  CHECK(bytes != NULL);
  memcpy(bytes, view.data, view.size);
  *size = view.size;
  return bytes;
}

#endif
