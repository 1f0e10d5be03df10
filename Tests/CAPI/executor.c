// A host's own executor: the same bits however it runs the parts, and an error, with a session that goes on, however it
// breaks its contract. The argument after the folder is the number of runs a thread makes.
#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "on_openmp.h" // the example in nnrt.h

#define THREADS 4
#define BATCH 33

static const char *folder;
static atomic_long calls; // of any executor here

// Executors that keep their contract.

static void in_order(void *context, size_t count, nnrt_part part, void *argument) {
  (void)context;
  atomic_fetch_add(&calls, 1);
  CHECK(count >= 2 && count <= THREADS);
  for (size_t index = 0; index < count; index++) part(argument, index);
}

static void in_reverse(void *context, size_t count, nnrt_part part, void *argument) {
  (void)context;
  atomic_fetch_add(&calls, 1);
  for (size_t index = count; index-- > 0;) part(argument, index);
}

struct job {
  nnrt_part part;
  void *argument;
  size_t index;
};

static void *run_part(void *argument) {
  const struct job *job = argument;
  job->part(job->argument, job->index);
  return NULL;
}

static void on_threads(void *context, size_t count, nnrt_part part, void *argument) {
  (void)context;
  atomic_fetch_add(&calls, 1);
  pthread_t threads[THREADS];
  struct job jobs[THREADS];
  for (size_t index = 0; index < count; index++) {
    jobs[index] = (struct job){part, argument, index};
    CHECK(pthread_create(&threads[index], NULL, run_part, &jobs[index]) == 0);
  }
  for (size_t index = 0; index < count; index++) CHECK(pthread_join(threads[index], NULL) == 0);
}

static void counted_openmp(void *context, size_t count, nnrt_part part, void *argument) {
  atomic_fetch_add(&calls, 1);
  on_openmp(context, count, part, argument);
}

static nnrt_session *make_session(const nnrt_model *model, nnrt_parallel_for parallel_for, void *context,
                                  uint32_t threads) {
  nnrt_session_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.threads = threads;
  options.parallel_for = parallel_for;
  options.parallel_context = context;
  nnrt_session *session = NULL;
  CHECK_STATUS(nnrt_session_create(model, &options, &session), NNRT_OK);
  CHECK_STATUS(set_inputs(model, session, BATCH, 7), NNRT_OK);
  return session;
}

static unsigned char *expected_bytes(const nnrt_model *model, size_t *size) {
  nnrt_session *session = make_session(model, NULL, NULL, 1);
  CHECK_STATUS(nnrt_session_run(session), NNRT_OK);
  unsigned char *bytes = copy_output(session, 0, size);
  nnrt_session_destroy(session);
  return bytes;
}

static void run_and_compare(nnrt_session *session, const unsigned char *expected, size_t size) {
  nnrt_tensor view;
  CHECK_STATUS(nnrt_session_run(session), NNRT_OK);
  CHECK_STATUS(nnrt_session_output(session, 0, &view), NNRT_OK);
  CHECK(view.size == size && memcmp(view.data, expected, size) == 0);
}

static void any_executor_gives_the_same_bits(const nnrt_model *model, long runs) {
  size_t size;
  unsigned char *expected = expected_bytes(model, &size);
  const nnrt_parallel_for executors[] = {in_order, in_reverse, on_threads, counted_openmp};
  for (size_t which = 0; which < sizeof executors / sizeof *executors; which++) {
    nnrt_session *session = make_session(model, executors[which], NULL, THREADS);
    const long before = atomic_load(&calls);
    for (long run = 0; run < runs; run++) run_and_compare(session, expected, size);
    CHECK(atomic_load(&calls) >= before + runs); // the work was worth sharing
    nnrt_session_destroy(session);
  }
  free(expected);
}

static void one_thread_calls_no_executor(const nnrt_model *model) {
  size_t size;
  unsigned char *expected = expected_bytes(model, &size);
  const long before = atomic_load(&calls);
  for (uint32_t threads = 0; threads < 2; threads++) {
    nnrt_session *session = make_session(model, in_order, NULL, threads);
    run_and_compare(session, expected, size);
    nnrt_session_destroy(session);
  }
  // A program compiled before there were executors ends its struct before them; half a pointer is none.
  nnrt_session_options old;
  memset(&old, 0xA5, sizeof old);
  old.threads = THREADS;
  old.instruction_set = NNRT_ISA_AUTOMATIC;
  old.memory_limit = old.iteration_limit = 0;
  for (size_t more = 0; more < sizeof(void *); more++) {
    old.struct_size = offsetof(nnrt_session_options, parallel_for) + more;
    nnrt_session *session = NULL;
    CHECK_STATUS(nnrt_session_create(model, &old, &session), NNRT_OK);
    CHECK_STATUS(set_inputs(model, session, BATCH, 7), NNRT_OK);
    run_and_compare(session, expected, size);
    nnrt_session_destroy(session);
  }
  CHECK(atomic_load(&calls) == before);
  free(expected);
}

// Several sessions, each on its own thread, share one executor.

static const nnrt_model *shared_model;
static const unsigned char *shared_bytes;
static size_t shared_size;
static long shared_runs;

static void *run_many(void *argument) {
  const nnrt_parallel_for executors[] = {in_reverse, on_threads};
  nnrt_session *session = make_session(shared_model, executors[(uintptr_t)argument % 2], NULL, THREADS);
  for (long run = 0; run < shared_runs; run++) run_and_compare(session, shared_bytes, shared_size);
  nnrt_session_destroy(session);
  return NULL;
}

static void sessions_share_an_executor(const nnrt_model *model, long runs) {
  unsigned char *expected = expected_bytes(model, &shared_size);
  shared_model = model;
  shared_bytes = expected;
  shared_runs = runs;
  pthread_t threads[THREADS];
  for (size_t i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, run_many, (void *)(uintptr_t)i) == 0);
  for (size_t i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  free(expected);
}

// An executor that breaks its contract in one way, once, and keeps it from then on.

enum way { NOTHING_RUN, ONE_LEFT_OUT, ONE_ONLY, ONE_TWICE, ONE_INSTEAD_OF_ANOTHER, TOO_LARGE, NO_ARGUMENT, TOO_EARLY, WAYS };

struct breaker {
  enum way way;
  bool is_broken;
  struct job late;
  pthread_t thread;
  atomic_bool has_returned;
};

static void *run_part_too_late(void *argument) {
  struct breaker *breaker = argument;
  while (!atomic_load(&breaker->has_returned)) sched_yield();
  return run_part(&breaker->late);
}

static void broken(void *context, size_t count, nnrt_part part, void *argument) {
  struct breaker *breaker = context;
  enum way way = breaker->is_broken ? breaker->way : WAYS;
  breaker->is_broken = false;
  breaker->late = (struct job){part, argument, count - 1};
  size_t end = count;
  if (way == NOTHING_RUN) end = 0;
  if (way == ONE_LEFT_OUT || way == ONE_INSTEAD_OF_ANOTHER || way == TOO_EARLY) end = count - 1;
  if (way == ONE_ONLY) end = 1;
  for (size_t index = 0; index < end; index++) part(argument, index);
  if (way == ONE_TWICE || way == ONE_INSTEAD_OF_ANOTHER) part(argument, 0);
  if (way == NO_ARGUMENT) part(NULL, 0);
  if (way == TOO_LARGE) {
    const size_t wrong[] = {count, 64, 255, 256, SIZE_MAX, SIZE_MAX / 2 + 1, SIZE_MAX / 2};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) part(argument, wrong[i]);
  }
  if (way == TOO_EARLY) CHECK(pthread_create(&breaker->thread, NULL, run_part_too_late, breaker) == 0);
}

static void broken_executors_are_reported(const nnrt_model *model) {
  size_t size;
  unsigned char *expected = expected_bytes(model, &size);
  nnrt_tensor view;
  for (int way = 0; way < WAYS; way++) {
    struct breaker breaker = {.way = (enum way)way};
    nnrt_session *session = make_session(model, broken, &breaker, THREADS);
    for (int round = 0; round < 3; round++) {
      run_and_compare(session, expected, size);
      breaker.is_broken = true;
      // A part of nothing is nobody's: it cannot be counted, and does nothing.
      if (way == NO_ARGUMENT) {
        run_and_compare(session, expected, size);
        continue;
      }
      CHECK_STATUS(nnrt_session_run(session), NNRT_EXECUTOR_FAILED);
      CHECK(strstr(nnrt_error_message(), "executor") != NULL);
      CHECK_STATUS(nnrt_session_output(session, 0, &view), NNRT_INVALID_STATE);
      if (way == TOO_EARLY) {
        // The call that comes now does nothing, and is told by the next run.
        atomic_store(&breaker.has_returned, true);
        CHECK(pthread_join(breaker.thread, NULL) == 0);
        atomic_store(&breaker.has_returned, false);
        CHECK_STATUS(nnrt_session_run(session), NNRT_EXECUTOR_FAILED);
      }
      run_and_compare(session, expected, size);
      run_and_compare(session, expected, size);
    }
    nnrt_session_destroy(session);
  }
  free(expected);
}

// What comes after the executor has returned does nothing; the next run tells.
static void calls_between_runs_are_reported(const nnrt_model *model) {
  size_t size;
  unsigned char *expected = expected_bytes(model, &size);
  struct breaker breaker = {.way = WAYS};
  nnrt_session *session = make_session(model, broken, &breaker, THREADS);
  run_and_compare(session, expected, size);
  run_part(&breaker.late);
  nnrt_tensor view;
  CHECK_STATUS(nnrt_session_output(session, 0, &view), NNRT_OK);
  CHECK(memcmp(view.data, expected, size) == 0);
  CHECK_STATUS(nnrt_session_run(session), NNRT_EXECUTOR_FAILED);
  run_and_compare(session, expected, size);
  // Other dimensions are planned anew, while the address that the executor saw stays good.
  for (int64_t batch = 1; batch < 40; batch++) {
    CHECK_STATUS(set_inputs(model, session, batch, 7), NNRT_OK);
    CHECK_STATUS(nnrt_session_run(session), NNRT_OK);
  }
  run_part(&breaker.late);
  nnrt_session_destroy(session);
  free(expected);
}

// A part is at work when the executor returns: the run waits for it, and then fails.

struct racer {
  pthread_t thread;
  struct job job;
  bool is_in_a_hurry;
};

static void in_a_hurry(void *context, size_t count, nnrt_part part, void *argument) {
  struct racer *racer = context;
  for (size_t index = 1; index < count; index++) part(argument, index);
  racer->job = (struct job){part, argument, 0};
  if (!racer->is_in_a_hurry) {
    part(argument, 0);
    return;
  }
  racer->is_in_a_hurry = false;
  CHECK(pthread_create(&racer->thread, NULL, run_part, &racer->job) == 0);
  sched_yield();
}

static void an_early_return_never_tears_a_result(const nnrt_model *model, long runs) {
  size_t size;
  unsigned char *expected = expected_bytes(model, &size);
  struct racer racer = {.is_in_a_hurry = false};
  nnrt_session *session = make_session(model, in_a_hurry, &racer, THREADS);
  for (long run = 0; run < runs; run++) {
    racer.is_in_a_hurry = true;
    nnrt_status status = nnrt_session_run(session);
    CHECK(pthread_join(racer.thread, NULL) == 0);
    // The part may have ended in time.
    CHECK(status == NNRT_OK || status == NNRT_EXECUTOR_FAILED);
    status = nnrt_session_run(session);
    CHECK(status == NNRT_OK || status == NNRT_EXECUTOR_FAILED);
    run_and_compare(session, expected, size);
  }
  nnrt_session_destroy(session);
  free(expected);
}

static void models_open_with_an_executor(void) {
  nnrt_model_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.threads = THREADS;
  size_t size;
  nnrt_model *model = open_model(folder, "wide.nnrt");
  unsigned char *expected = expected_bytes(model, &size);
  nnrt_model_close(model);
  const nnrt_parallel_for executors[] = {in_order, in_reverse, on_threads, counted_openmp};
  for (size_t which = 0; which < sizeof executors / sizeof *executors; which++) {
    options.parallel_for = executors[which];
    const long before = atomic_load(&calls);
    CHECK_STATUS(nnrt_model_open(model_path(folder, "wide.nnrt"), &options, &model), NNRT_OK);
    CHECK(atomic_load(&calls) == before + 1);
    nnrt_session *session = make_session(model, NULL, NULL, 1);
    run_and_compare(session, expected, size);
    nnrt_session_destroy(session);
    nnrt_model_close(model);
  }
  options.parallel_for = broken;
  for (int way = 0; way < TOO_EARLY; way++) {
    struct breaker breaker = {.way = (enum way)way, .is_broken = true};
    options.parallel_context = &breaker;
    nnrt_status status = nnrt_model_open(model_path(folder, "wide.nnrt"), &options, &model);
    CHECK(status == (way == NO_ARGUMENT ? NNRT_OK : NNRT_EXECUTOR_FAILED));
    nnrt_model_close(model);
  }
  free(expected);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  folder = argv[1];
  const long runs = atol(argv[2]);
  CHECK(runs > 0);
  const char *names[] = {"wide.nnrt", "images.nnrt"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    nnrt_model *model = open_model(folder, names[i]);
    any_executor_gives_the_same_bits(model, runs);
    one_thread_calls_no_executor(model);
    sessions_share_an_executor(model, runs);
    broken_executors_are_reported(model);
    calls_between_runs_are_reported(model);
    an_early_return_never_tears_a_result(model, runs);
    nnrt_model_close(model);
  }
  models_open_with_an_executor();
  printf("  %ld calls of executors\n", atomic_load(&calls));
  return 0;
}
