// A process that has run on several threads forks: parent and child go on, with the same bits.
#define _GNU_SOURCE
#include "check.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void run_and_compare(nnrt_session *session, const unsigned char *expected, size_t size) {
  nnrt_tensor view;
  for (int i = 0; i < 20; i++) {
    CHECK_STATUS(nnrt_session_run(session), NNRT_OK);
    CHECK_STATUS(nnrt_session_output(session, 0, &view), NNRT_OK);
    CHECK(view.size == size && memcmp(view.data, expected, size) == 0);
  }
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  alarm(60); // a child that waits for threads it does not have would wait for ever
  nnrt_model *model = open_model(argv[1], "wide.nnrt");
  nnrt_session *single = NULL, *session = NULL;
  nnrt_session_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.threads = 4;
  CHECK_STATUS(nnrt_session_create(model, NULL, &single), NNRT_OK);
  CHECK_STATUS(nnrt_session_create(model, &options, &session), NNRT_OK);
  CHECK_STATUS(set_inputs(model, single, 33, 5), NNRT_OK);
  CHECK_STATUS(set_inputs(model, session, 33, 5), NNRT_OK);
  CHECK_STATUS(nnrt_session_run(single), NNRT_OK);
  size_t size;
  unsigned char *expected = copy_output(single, 0, &size);
  run_and_compare(session, expected, size);

  for (int round = 0; round < 3; round++) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      alarm(60);
      run_and_compare(session, expected, size);
      // New sessions work in the child as well, and so does a child of the child.
      nnrt_session *own = NULL;
      CHECK_STATUS(nnrt_session_create(model, &options, &own), NNRT_OK);
      CHECK_STATUS(set_inputs(model, own, 33, 5), NNRT_OK);
      run_and_compare(own, expected, size);
      pid_t grandchild = fork();
      CHECK(grandchild >= 0);
      if (grandchild == 0) {
        run_and_compare(own, expected, size);
        _exit(0);
      }
      int status;
      CHECK(waitpid(grandchild, &status, 0) == grandchild && WIFEXITED(status) && WEXITSTATUS(status) == 0);
      _exit(0);
    }
    run_and_compare(session, expected, size);
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  free(expected);
  nnrt_session_destroy(session);
  nnrt_session_destroy(single);
  nnrt_model_close(model);
  return 0;
}
