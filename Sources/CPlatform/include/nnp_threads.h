// Threads, sleeping and waking, and each thread's last error text.
#ifndef NNP_THREADS_H
#define NNP_THREADS_H

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#endif
