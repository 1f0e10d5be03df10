// After the first run, set_input, run, output and call on one thread allocate nothing, lock nothing and make no system call;
// with a host's executor neither, whatever that does itself.
// Allocations are counted by allocations.c; system calls by the kernel, which a filter tells to signal each of them; locks
// by locks.c, and by stepping.c, which sees those that are no function of the C library's.
#define _GNU_SOURCE
#include "allocations.h"
#include "check.h"
#include "locks.h"
#include "stepping.h"

#include <dlfcn.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUNS 100

static volatile sig_atomic_t system_calls;

static void count_system_call(int signal) {
  (void)signal;
  system_calls++;
}

// From here on every system call of this process raises SIGSYS instead, but for those that end it or return from a signal.
static void trap_system_calls(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = count_system_call;
  CHECK(sigaction(SIGSYS, &action, NULL) == 0);
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
  };
  struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

struct counts {
  long allocations, system_calls, locks;
};

// Runs `work` in a child process, and counts there.
static struct counts count(void (*work)(void *), void *argument) {
  struct counts *shared =
      mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(shared != MAP_FAILED);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    trap_system_calls();
    long before = allocation_calls(), locks_before = lock_calls();
    work(argument);
    shared->locks = lock_calls() - locks_before;
    shared->allocations = allocation_calls() - before;
    shared->system_calls = system_calls;
    syscall(SYS_exit_group, 0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  struct counts result = *shared;
  munmap(shared, sizeof *shared);
  return result;
}

static void nothing(void *argument) { (void)argument; }

static void three_of_each(void *argument) {
  (void)argument;
  for (int i = 0; i < 3; i++) syscall(SYS_getppid);
  void *volatile block = malloc(10);
  block = realloc(block, 20);
  free(block);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void four_locks(void *argument) {
  (void)argument;
  sem_t semaphore;
  sem_init(&semaphore, 0, 1);
  pthread_mutex_lock(&mutex);
  pthread_mutex_unlock(&mutex);
  sem_wait(&semaphore);
  sem_post(&semaphore);
}

static atomic_bool is_taken;
static atomic_long counter;

static void own_lock(void *argument) {
  (void)argument;
  while (atomic_exchange(&is_taken, true)) {
  }
  atomic_fetch_add(&counter, 1);
  bool expected = true;
  atomic_compare_exchange_strong(&is_taken, &expected, false);
}

// The counters count.
static void controls(void) {
  struct counts none = count(nothing, NULL), some = count(three_of_each, NULL), locks = count(four_locks, NULL);
  CHECK(none.allocations == 0 && none.system_calls == 0 && none.locks == 0);
  CHECK(some.allocations == 3 && some.system_calls == 3 && some.locks == 0);
  CHECK(locks.allocations == 0 && locks.system_calls == 0 && locks.locks == 4);
#ifdef __x86_64__
  struct steps steps = step_through(nothing, NULL);
  CHECK(steps.instructions > 0 && steps.exchanges == 0 && steps.additions == 0);
  steps = step_through(own_lock, NULL);
  CHECK(steps.exchanges == 2 && steps.additions == 1);
  steps = step_through(four_locks, NULL);
  CHECK(steps.exchanges >= 2);
#endif
}

struct job {
  nnrt_session *session;
  nnrt_tensor_info info;
  float *data;
  size_t size;
  nnrt_status status;
  int runs;
};

static void run_often(void *argument) {
  struct job *job = argument;
  for (int i = 0; i < job->runs && job->status == NNRT_OK; i++) {
    nnrt_tensor view;
    job->data[0] = (float)i;
    job->status = nnrt_session_set_input(job->session, 0, job->info.dtype, job->info.dims, job->info.rank, job->data,
                                         job->size);
    if (job->status == NNRT_OK) job->status = nnrt_session_run(job->session);
    if (job->status == NNRT_OK) job->status = nnrt_session_output(job->session, 0, &view);
    nnrt_tensor input = {job->info.dtype, job->info.rank, {0}, job->data, job->size};
    for (size_t axis = 0; axis < input.rank; axis++) input.dims[axis] = job->info.dims[axis];
    if (job->status == NNRT_OK) job->status = nnrt_session_call(job->session, &input, 1, &view, 1);
  }
  if (job->status != NNRT_OK) syscall(SYS_exit_group, 1);
}

// An instruction as a place in the library that it belongs to.
static void show(const char *what, const void *instruction) {
  Dl_info info;
  if (!instruction || !dladdr(instruction, &info)) return;
  printf("    the first %s: %s+0x%lx\n", what, info.dli_fname,
         (unsigned long)((const char *)instruction - (const char *)info.dli_fbase));
}

static void in_reverse(void *context, size_t count, nnrt_part part, void *argument) {
  ++*(long *)context;
  while (count-- > 0) part(argument, count);
}

// With `executor_calls`: by parts, which it counts.
static void runs_are_quiet(const char *folder, const char *name, int64_t batch, nnrt_instruction_set instructions,
                           long *executor_calls) {
  nnrt_model *model = open_model(folder, name);
  nnrt_session_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.instruction_set = instructions;
  if (executor_calls) {
    options.threads = 4;
    options.parallel_for = in_reverse;
    options.parallel_context = executor_calls;
  }
  struct job job = {NULL, {0}, NULL, 0, NNRT_OK, RUNS};
  if (nnrt_session_create(model, &options, &job.session) != NNRT_OK) {
    CHECK(strstr(nnrt_error_message(), "processor") != NULL);
    nnrt_model_close(model);
    return;
  }
  CHECK_STATUS(nnrt_model_input_info(model, 0, &job.info), NNRT_OK);
  job.size = 4;
  for (size_t axis = 0; axis < job.info.rank; axis++) {
    if (job.info.dims[axis] < 0) job.info.dims[axis] = batch;
    job.size *= (size_t)job.info.dims[axis];
  }
  job.data = calloc(1, job.size);
  CHECK(job.data != NULL);
  CHECK_STATUS(set_inputs(model, job.session, batch, 1), NNRT_OK);
  CHECK_STATUS(nnrt_session_run(job.session), NNRT_OK);

  struct counts counts = count(run_often, &job);
  // Once: every instruction costs a signal.
  job.runs = 1;
  struct steps steps = step_through(run_often, &job);
  CHECK(job.status == NNRT_OK);
  printf("  %s, batch %d%s, %d runs: %ld allocations, %ld system calls, %ld locks; of %ld instructions %ld exchange with "
         "memory, %ld add to it in one go\n",
         name, (int)batch, executor_calls ? ", by parts" : "", RUNS, counts.allocations, counts.system_calls, counts.locks,
         steps.instructions, steps.exchanges, steps.additions);
  show("exchange", steps.exchange);
  show("addition", steps.addition);
  CHECK(counts.allocations == 0 && counts.system_calls == 0 && counts.locks == 0 && steps.exchanges == 0);
  free(job.data);
  nnrt_session_destroy(job.session);
  nnrt_model_close(model);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  // The first allocation of all asks the system for memory; the control below is about the later ones.
  void *volatile first = malloc(1000);
  free(first);
  controls();

  for (int instructions = NNRT_ISA_AUTOMATIC; instructions <= NNRT_ISA_V4; instructions++) {
    runs_are_quiet(argv[1], "mlp.nnrt", 1, (nnrt_instruction_set)instructions, NULL);
  }
  runs_are_quiet(argv[1], "mlp-raw.nnrt", 7, NNRT_ISA_AUTOMATIC, NULL);
  runs_are_quiet(argv[1], "cnn.nnrt", 3, NNRT_ISA_AUTOMATIC, NULL);
  runs_are_quiet(argv[1], "wide.nnrt", 1, NNRT_ISA_AUTOMATIC, NULL);
  runs_are_quiet(argv[1], "counter.nnrt", 1, NNRT_ISA_AUTOMATIC, NULL);
  long executor_calls = 0;
  runs_are_quiet(argv[1], "wide.nnrt", 1, NNRT_ISA_AUTOMATIC, &executor_calls);
  CHECK(executor_calls >= 2);
  return 0;
}
