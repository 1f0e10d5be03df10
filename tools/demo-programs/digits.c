/*
 * Runs the samples of a .npy file through a .nnrt file, one at a time, writes the probabilities as raw floats, and counts
 * how often the likeliest class is the right one.
 *
 *   digits MODEL.nnrt INPUTS.npy LABELS.npy OUTPUT.f32
 */
#include <nnrt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The elements of a version 1.0 .npy file, in memory the caller frees; the element type is what the caller knows it to be. */
static void *read_npy(const char *path, size_t *size) {
  unsigned char head[10];
  FILE *file = fopen(path, "rb");
  if (file == NULL || fread(head, 1, sizeof head, file) != sizeof head || memcmp(head, "\x93NUMPY\x01", 7) != 0) {
    fprintf(stderr, "%s: not a .npy file of version 1\n", path);
    exit(1);
  }
  const long start = 10 + head[8] + 256 * head[9];
  fseek(file, 0, SEEK_END);
  *size = (size_t)(ftell(file) - start);
  fseek(file, start, SEEK_SET);
  void *elements = malloc(*size);
  if (elements == NULL || fread(elements, 1, *size, file) != *size) {
    fprintf(stderr, "%s: cannot be read\n", path);
    exit(1);
  }
  fclose(file);
  return elements;
}

static void check(nnrt_status status) {
  if (status != NNRT_OK) {
    fprintf(stderr, "%s: %s\n", nnrt_status_name(status), nnrt_error_message());
    exit(1);
  }
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: %s MODEL.nnrt INPUTS.npy LABELS.npy OUTPUT.f32\n", argv[0]);
    return 64;
  }
  nnrt_model *model = NULL;
  nnrt_session *session = NULL;
  check(nnrt_model_open(argv[1], NULL, &model));
  check(nnrt_session_create(model, NULL, &session));

  /* One sample: the batch, which is free, becomes 1. */
  nnrt_tensor_info input;
  check(nnrt_model_input_info(model, 0, &input));
  size_t sample_size = sizeof(float);
  input.dims[0] = 1;
  for (size_t axis = 0; axis < input.rank; axis++) sample_size *= (size_t)input.dims[axis];

  size_t inputs_size, labels_size, right = 0;
  unsigned char *inputs = read_npy(argv[2], &inputs_size);
  int64_t *labels = read_npy(argv[3], &labels_size);
  const size_t count = inputs_size / sample_size;
  if (labels_size != count * sizeof *labels) {
    fprintf(stderr, "%s: not as many labels as samples\n", argv[3]);
    return 1;
  }
  FILE *output = fopen(argv[4], "wb");
  if (output == NULL) {
    perror(argv[4]);
    return 1;
  }
  for (size_t i = 0; i < count; i++) {
    nnrt_tensor result;
    check(nnrt_session_set_input(session, 0, input.dtype, input.dims, input.rank, inputs + i * sample_size, sample_size));
    check(nnrt_session_run(session));
    check(nnrt_session_output(session, 0, &result));
    const float *probabilities = result.data;
    const size_t classes = result.size / sizeof(float);
    size_t best = 0;
    for (size_t k = 1; k < classes; k++) {
      if (probabilities[k] > probabilities[best]) best = k;
    }
    right += (int64_t)best == labels[i];
    if (fwrite(result.data, 1, result.size, output) != result.size) {
      perror(argv[4]);
      return 1;
    }
  }
  if (fclose(output) != 0) {
    perror(argv[4]);
    return 1;
  }
  printf("%zu of %zu right, accuracy %.4f\n", right, count, (double)right / (double)count);
  nnrt_session_destroy(session);
  nnrt_model_close(model);
  free(inputs);
  free(labels);
  return 0;
}
