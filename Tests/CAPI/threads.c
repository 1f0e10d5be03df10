// Eight threads, each with its own sessions over one model: the bits of a single thread, errors that stay apart, and the
// pool's threads shared by all. The argument after the folder is the number of runs a thread makes.
#include "check.h"

#include <pthread.h>

#define THREADS 8

static const char *folder;
static long runs;
static nnrt_model *model;
static unsigned char *expected[THREADS];
static size_t expected_size[THREADS];

static void compare(nnrt_session *session, size_t index) {
  nnrt_tensor view;
  CHECK_STATUS(nnrt_session_run(session), NNRT_OK);
  CHECK_STATUS(nnrt_session_output(session, 0, &view), NNRT_OK);
  CHECK(view.size == expected_size[index] && memcmp(view.data, expected[index], view.size) == 0);
}

// Thread `index` has its own batch and its own numbers.
static nnrt_session *make_session(size_t index, uint32_t threads) {
  nnrt_session_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.threads = threads;
  nnrt_session *session = NULL;
  CHECK_STATUS(nnrt_session_create(model, &options, &session), NNRT_OK);
  CHECK_STATUS(set_inputs(model, session, (int64_t)index + 1, (unsigned)index + 1), NNRT_OK);
  return session;
}

static void *run_many(void *argument) {
  const size_t index = (size_t)(uintptr_t)argument;
  nnrt_session *session = make_session(index, 1);
  for (long run = 0; run < runs; run++) {
    compare(session, index);
    if (run % 1000 == 999) {
      nnrt_session_destroy(session);
      session = make_session(index, 1);
    }
  }
  nnrt_session_destroy(session);
  return NULL;
}

static void *run_on_the_pool(void *argument) {
  const size_t index = (size_t)(uintptr_t)argument;
  nnrt_session *session = make_session(index, 2 + (uint32_t)(index % 3));
  for (long run = 0; run < runs / 50 + 1; run++) compare(session, index);
  nnrt_session_destroy(session);
  return NULL;
}

static void *fail_and_read_the_message(void *argument) {
  char path[64];
  snprintf(path, sizeof path, "/nowhere/%zu.nnrt", (size_t)(uintptr_t)argument);
  for (int i = 0; i < 200; i++) {
    nnrt_model *none = NULL;
    CHECK_STATUS(nnrt_model_open(path, NULL, &none), NNRT_FILE_ACCESS);
    CHECK(strstr(nnrt_error_message(), path) != NULL);
  }
  return NULL;
}

static void *open_and_close(void *argument) {
  (void)argument;
  for (int i = 0; i < 50; i++) {
    nnrt_model *own = open_model(folder, "mlp-raw.nnrt");
    CHECK_STATUS(nnrt_model_self_test(own, NULL), NNRT_OK);
    nnrt_model_close(own);
  }
  return NULL;
}

static void on_all_threads(void *(*work)(void *)) {
  pthread_t threads[THREADS];
  for (size_t i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i) == 0);
  for (size_t i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

static void with_model(const char *name, void *(*work)(void *)) {
  model = open_model(folder, name);
  for (size_t index = 0; index < THREADS; index++) {
    nnrt_session *session = make_session(index, 1);
    CHECK_STATUS(nnrt_session_run(session), NNRT_OK);
    expected[index] = copy_output(session, 0, &expected_size[index]);
    nnrt_session_destroy(session);
  }
  on_all_threads(work);
  for (size_t index = 0; index < THREADS; index++) free(expected[index]);
  nnrt_model_close(model);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  folder = argv[1];
  runs = atol(argv[2]);
  CHECK(runs > 0);
  with_model("mlp.nnrt", run_many);
  with_model("cnn.nnrt", run_many);
  with_model("wide.nnrt", run_on_the_pool);
  on_all_threads(fail_and_read_the_message);
  on_all_threads(open_and_close);
  printf("  %d threads, %ld runs each\n", THREADS, runs);
  return 0;
}
