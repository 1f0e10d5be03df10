/*
 * Opens a .nnrt file and runs it once on zeros, free dimensions being 1: what a small program pays. With `start` it prints the microseconds
 * from opening to the end of the run; with `memory`, in bytes, its peak resident memory before and after, and what the session keeps for
 * inputs and the run needs for values in between.
 *
 *   first_run MODEL.nnrt [start | memory]
 */
#include <nnrt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void check(nnrt_status status) {
  if (status != NNRT_OK) {
    fprintf(stderr, "%s: %s\n", nnrt_status_name(status), nnrt_error_message());
    exit(1);
  }
}

static double microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static long long peak(void) {
  FILE *file = fopen("/proc/self/status", "r");
  char line[256];
  long long kilobytes = -1;
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, "VmHWM:", 6) == 0) kilobytes = atoll(line + 6);
  }
  if (file != NULL) fclose(file);
  return kilobytes * 1024;
}

/* Adds the sizes of the inputs to `inputs`. */
static nnrt_status run(const nnrt_model *model, uint64_t limit, size_t *inputs) {
  nnrt_session_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.memory_limit = limit;
  nnrt_session *session = NULL;
  nnrt_status status = nnrt_session_create(model, &options, &session);
  for (size_t index = 0; status == NNRT_OK && index < nnrt_model_input_count(model); index++) {
    nnrt_tensor_info info;
    check(nnrt_model_input_info(model, index, &info));
    size_t size = info.dtype == NNRT_DTYPE_I64 ? 8 : 4;
    for (size_t axis = 0; axis < info.rank; axis++) {
      if (info.dims[axis] < 0) info.dims[axis] = 1;
      size *= (size_t)info.dims[axis];
    }
    void *zeros = calloc(1, size);
    status = nnrt_session_set_input(session, index, info.dtype, info.dims, info.rank, zeros, size);
    free(zeros);
    *inputs += size;
  }
  if (status == NNRT_OK) status = nnrt_session_run(session);
  nnrt_session_destroy(session);
  return status;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: first_run MODEL.nnrt [start | memory]\n");
    return 64;
  }
  const int tells_memory = argc > 2 && strcmp(argv[2], "memory") == 0;
  const long long before = tells_memory ? peak() : 0;
  const double start = microseconds();
  nnrt_model *model = NULL;
  check(nnrt_model_open(argv[1], NULL, &model));
  const long long opened = tells_memory ? peak() : 0;
  size_t inputs = 0, again = 0;
  check(run(model, 0, &inputs));
  if (argc > 2 && !tells_memory) printf("%.1f\n", microseconds() - start);
  if (tells_memory) {
    const long long after = peak();
    /* A run that is refused says what it would have needed. */
    const char *needs = run(model, 1, &again) == NNRT_OK ? NULL : strstr(nnrt_error_message(), "needs ");
    printf("%lld %lld %lld %zu %lld\n", before, opened, after, inputs, needs == NULL ? 0 : atoll(needs + 6));
  }
  nnrt_model_close(model);
  return 0;
}
