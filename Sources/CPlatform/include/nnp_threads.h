// Threads, and sleeping until another thread says something.
#ifndef NNP_THREADS_H
#define NNP_THREADS_H

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A mutex with two conditions: one that workers sleep on, one that the thread that gave them work sleeps on.
typedef struct {
  pthread_mutex_t mutex;
  pthread_cond_t work;
  pthread_cond_t done;
} nnp_monitor;

static inline void nnp_monitor_init(nnp_monitor *_Nonnull monitor) {
  pthread_mutex_init(&monitor->mutex, NULL);
  pthread_cond_init(&monitor->work, NULL);
  pthread_cond_init(&monitor->done, NULL);
}

static inline void nnp_monitor_lock(nnp_monitor *_Nonnull monitor) { pthread_mutex_lock(&monitor->mutex); }
static inline void nnp_monitor_unlock(nnp_monitor *_Nonnull monitor) { pthread_mutex_unlock(&monitor->mutex); }
static inline void nnp_monitor_wait_work(nnp_monitor *_Nonnull monitor) {
  pthread_cond_wait(&monitor->work, &monitor->mutex);
}
static inline void nnp_monitor_wait_done(nnp_monitor *_Nonnull monitor) {
  pthread_cond_wait(&monitor->done, &monitor->mutex);
}
static inline void nnp_monitor_wake_workers(nnp_monitor *_Nonnull monitor) { pthread_cond_broadcast(&monitor->work); }
static inline void nnp_monitor_wake_giver(nnp_monitor *_Nonnull monitor) { pthread_cond_signal(&monitor->done); }

// Only when no thread waits any more.
static inline void nnp_monitor_destroy(nnp_monitor *_Nonnull monitor) {
  pthread_cond_destroy(&monitor->done);
  pthread_cond_destroy(&monitor->work);
  pthread_mutex_destroy(&monitor->mutex);
}

typedef struct {
  pthread_t thread;
} nnp_thread;

// Starts a thread that takes no signals (they belong to the host) and must be joined. 0 or an errno value.
static inline int nnp_thread_start_joinable(
    nnp_thread *_Nonnull thread, void *_Nullable (*_Nonnull body)(void *_Nullable), void *_Nullable argument) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&thread->thread, NULL, body, argument);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return error;
}

static inline void nnp_thread_join(nnp_thread thread) { pthread_join(thread.thread, NULL); }

// As above, but detached: it is never joined.
static inline int nnp_thread_start(void *_Nullable (*_Nonnull body)(void *_Nullable), void *_Nullable argument) {
  nnp_thread thread;
  int error = nnp_thread_start_joinable(&thread, body, argument);
  if (error == 0) pthread_detach(thread.thread);
  return error;
}

// Tells the processor that this thread is waiting for another one's store.
static inline void nnp_spin_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

// Lets other threads run.
static inline void nnp_thread_yield(void) { sched_yield(); }

// Calls `prepare` before a fork, `parent` and `child` after it in the two processes.
static inline int nnp_at_fork(
    void (*_Nullable prepare)(void), void (*_Nullable parent)(void), void (*_Nullable child)(void)) {
  return pthread_atfork(prepare, parent, child);
}

#endif
