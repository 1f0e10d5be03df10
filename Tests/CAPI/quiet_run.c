// After the first run, set_input, run and output on one thread allocate nothing and make no system call.
// Allocations are counted by allocations.c; system calls by the kernel, which a filter tells to signal each of them.
#define _GNU_SOURCE
#include "allocations.h"
#include "check.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
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
  long allocations, system_calls;
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
    long before = allocation_calls();
    work(argument);
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

struct job {
  nnrt_session *session;
  nnrt_tensor_info info;
  float *data;
  size_t size;
  nnrt_status status;
};

static void run_often(void *argument) {
  struct job *job = argument;
  for (int i = 0; i < RUNS && job->status == NNRT_OK; i++) {
    nnrt_tensor view;
    job->data[0] = (float)i;
    job->status = nnrt_session_set_input(job->session, 0, job->info.dtype, job->info.dims, job->info.rank, job->data,
                                         job->size);
    if (job->status == NNRT_OK) job->status = nnrt_session_run(job->session);
    if (job->status == NNRT_OK) job->status = nnrt_session_output(job->session, 0, &view);
  }
  if (job->status != NNRT_OK) syscall(SYS_exit_group, 1);
}

static void runs_are_quiet(const char *folder, const char *name, int64_t batch, nnrt_instruction_set instructions) {
  nnrt_model *model = open_model(folder, name);
  nnrt_session_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.instruction_set = instructions;
  struct job job = {NULL, {0}, NULL, 0, NNRT_OK};
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
  printf("  %s, batch %d, %d runs: %ld allocations, %ld system calls\n", name, (int)batch, RUNS, counts.allocations,
         counts.system_calls);
  CHECK(counts.allocations == 0 && counts.system_calls == 0);
  free(job.data);
  nnrt_session_destroy(job.session);
  nnrt_model_close(model);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  // The first allocation of all asks the system for memory; the control below is about the later ones.
  void *volatile first = malloc(1000);
  free(first);
  // The counters count.
  struct counts none = count(nothing, NULL), some = count(three_of_each, NULL);
  CHECK(none.allocations == 0 && none.system_calls == 0);
  CHECK(some.allocations == 3 && some.system_calls == 3);

  for (int instructions = NNRT_ISA_AUTOMATIC; instructions <= NNRT_ISA_V4; instructions++) {
    runs_are_quiet(argv[1], "mlp.nnrt", 1, (nnrt_instruction_set)instructions);
  }
  runs_are_quiet(argv[1], "mlp-raw.nnrt", 7, NNRT_ISA_AUTOMATIC);
  runs_are_quiet(argv[1], "cnn.nnrt", 3, NNRT_ISA_AUTOMATIC);
  runs_are_quiet(argv[1], "wide.nnrt", 5, NNRT_ISA_AUTOMATIC);
  runs_are_quiet(argv[1], "counter.nnrt", 1, NNRT_ISA_AUTOMATIC);
  return 0;
}
