#define _GNU_SOURCE
#include "locks.h"

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

static atomic_long calls;

long lock_calls(void) { return atomic_load(&calls); }

// A function of the C library's with its parameters, and its arguments to hand on. The C library itself calls others.
#define COUNTED(name, parameters, arguments)                      \
  int name parameters {                                           \
    static int(*_Atomic real) parameters;                         \
    atomic_fetch_add(&calls, 1);                                  \
    if (!real) real = (int(*) parameters)dlsym(RTLD_NEXT, #name); \
    return real arguments;                                        \
  }

COUNTED(pthread_mutex_lock, (pthread_mutex_t * lock), (lock))
COUNTED(pthread_mutex_trylock, (pthread_mutex_t * lock), (lock))
COUNTED(pthread_mutex_unlock, (pthread_mutex_t * lock), (lock))
COUNTED(pthread_mutex_timedlock, (pthread_mutex_t * lock, const struct timespec *time), (lock, time))
COUNTED(pthread_rwlock_rdlock, (pthread_rwlock_t * lock), (lock))
COUNTED(pthread_rwlock_wrlock, (pthread_rwlock_t * lock), (lock))
COUNTED(pthread_rwlock_tryrdlock, (pthread_rwlock_t * lock), (lock))
COUNTED(pthread_rwlock_trywrlock, (pthread_rwlock_t * lock), (lock))
COUNTED(pthread_rwlock_unlock, (pthread_rwlock_t * lock), (lock))
COUNTED(pthread_spin_lock, (pthread_spinlock_t * lock), (lock))
COUNTED(pthread_spin_trylock, (pthread_spinlock_t * lock), (lock))
COUNTED(pthread_spin_unlock, (pthread_spinlock_t * lock), (lock))
COUNTED(pthread_cond_wait, (pthread_cond_t * condition, pthread_mutex_t *lock), (condition, lock))
COUNTED(pthread_cond_timedwait, (pthread_cond_t * condition, pthread_mutex_t *lock, const struct timespec *time),
        (condition, lock, time))
COUNTED(pthread_cond_signal, (pthread_cond_t * condition), (condition))
COUNTED(pthread_cond_broadcast, (pthread_cond_t * condition), (condition))
COUNTED(pthread_barrier_wait, (pthread_barrier_t * barrier), (barrier))
COUNTED(pthread_once, (pthread_once_t * once, void (*body)(void)), (once, body))
COUNTED(sem_wait, (sem_t * semaphore), (semaphore))
COUNTED(sem_trywait, (sem_t * semaphore), (semaphore))
COUNTED(sem_timedwait, (sem_t * semaphore, const struct timespec *time), (semaphore, time))
COUNTED(sem_post, (sem_t * semaphore), (semaphore))
