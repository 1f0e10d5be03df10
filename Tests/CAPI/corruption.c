// Every proper prefix of a file, and every byte of it changed in three ways: a status, a message, and nothing kept.
#include "allocations.h"
#include "check.h"

static size_t refused, opened;

static void must_be_refused(const unsigned char *bytes, size_t size, const char *what, size_t place) {
  nnrt_model *model = NULL;
  nnrt_status status = nnrt_model_open_memory(bytes, size, NULL, &model);
  if (status == NNRT_OK) {
    opened++;
    fprintf(stderr, "opened with %s %zu\n", what, place);
    nnrt_model_close(model);
    return;
  }
  CHECK(model == NULL);
  CHECK(nnrt_error_message()[0] != 0);
  CHECK(strcmp(nnrt_status_name(status), "NNRT_UNKNOWN_STATUS") != 0);
  CHECK(status >= NNRT_FILE_ACCESS && status < NNRT_SELF_TEST_FAILED);
  refused++;
}

static void whole_file_works(const unsigned char *bytes, size_t size) {
  nnrt_model *model = NULL;
  nnrt_session *session = NULL;
  CHECK_STATUS(nnrt_model_open_memory(bytes, size, NULL, &model), NNRT_OK);
  CHECK_STATUS(nnrt_session_create(model, NULL, &session), NNRT_OK);
  CHECK_STATUS(set_inputs(model, session, 2, 1), NNRT_OK);
  CHECK_STATUS(nnrt_session_run(session), NNRT_OK);
  nnrt_session_destroy(session);
  nnrt_model_close(model);
}

// What fails later than in the file keeps nothing either.
static void failures_keep_nothing(const unsigned char *bytes, size_t size) {
  nnrt_model *model = NULL, *none = NULL;
  nnrt_session *session = NULL;
  nnrt_session_options many, small;
  memset(&many, 0, sizeof many);
  many.struct_size = sizeof many;
  small = many;
  many.threads = 257;
  small.memory_limit = 1;
  nnrt_model_options tiny = {.struct_size = sizeof tiny, .memory_limit = 1};
  CHECK_STATUS(nnrt_model_open_memory(bytes, size, NULL, &model), NNRT_OK);
  for (int round = 0; round < 3; round++) {
    long before = live_allocations();
    for (int i = 0; i < 10; i++) {
      CHECK_STATUS(nnrt_model_open("/nowhere", NULL, &none), NNRT_FILE_ACCESS);
      CHECK_STATUS(nnrt_model_open_memory(bytes, size, &tiny, &none), NNRT_LIMIT_EXCEEDED);
      CHECK_STATUS(nnrt_session_create(model, &many, &session), NNRT_INVALID_ARGUMENT);
      CHECK_STATUS(nnrt_session_create(model, &small, &session), NNRT_OK);
      CHECK_STATUS(nnrt_session_run(session), NNRT_INVALID_STATE);
      if (set_inputs(model, session, 2, 1) == NNRT_OK) (void)nnrt_session_run(session);
      nnrt_session_destroy(session);
    }
    CHECK(live_allocations() == before);
  }
  nnrt_model_close(model);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  for (int i = 1; i < argc; i++) {
    size_t size;
    unsigned char *original = read_file(argv[i], &size);
    whole_file_works(original, size);
    failures_keep_nothing(original, size);

    long before = live_allocations();
    refused = opened = 0;
    for (size_t length = 0; length < size; length++) {
      // A copy of exactly this length, so that a sanitizer sees a read beyond it.
      unsigned char *prefix = malloc(length ? length : 1);
      CHECK(prefix != NULL);
      memcpy(prefix, original, length);
      must_be_refused(prefix, length, "a prefix of", length);
      free(prefix);
    }
    unsigned char *changed = malloc(size);
    CHECK(changed != NULL);
    memcpy(changed, original, size);
    for (size_t place = 0; place < size; place++) {
      const unsigned char old = original[place];
      const unsigned char ways[3] = {old ^ 0xff, (unsigned char)(old + 1), old ^ 0x01};
      for (int way = 0; way < 3; way++) {
        changed[place] = ways[way];
        must_be_refused(changed, size, "a change of byte", place);
      }
      changed[place] = old;
    }
    free(changed);
    CHECK(opened == 0);
    CHECK(refused == 4 * size);
    CHECK(live_allocations() == before);
    whole_file_works(original, size);
    CHECK(live_allocations() == before);
    free(original);
    const char *name = strrchr(argv[i], '/');
    printf("  %s: %zu damaged files refused\n", name ? name + 1 : argv[i], refused);
  }
  return 0;
}
