// Counts what the whole process locks or waits for, libnnrt.so included, by standing in front of the C library's functions:
// a lock that is free makes no system call.
#ifndef LOCKS_H
#define LOCKS_H

// Calls so far of any function of mutexes, read-write and spin locks, conditions, semaphores, barriers and pthread_once.
long lock_calls(void);

#endif
