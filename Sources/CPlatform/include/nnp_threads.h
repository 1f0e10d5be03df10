// Threads, and sleeping until another thread says something.
#ifndef NNP_THREADS_H
#define NNP_THREADS_H

#include <pthread.h>
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

// Starts a detached thread that takes no signals (they belong to the host). 0 or an errno value.
static inline int nnp_thread_start(void *_Nullable (*_Nonnull body)(void *_Nullable), void *_Nullable argument) {
  pthread_attr_t attributes;
  int error = pthread_attr_init(&attributes);
  if (error != 0) return error;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  error = pthread_create(&thread, &attributes, body, argument);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return error;
}

// Calls `prepare` before a fork, `parent` and `child` after it in the two processes.
static inline int nnp_at_fork(
    void (*_Nullable prepare)(void), void (*_Nullable parent)(void), void (*_Nullable child)(void)) {
  return pthread_atfork(prepare, parent, child);
}

#endif
