// Runs code one instruction at a time and looks at each: whatever a lock is made of, taking one is an instruction that reads
// and writes memory in one go. On x86-64 Linux; elsewhere nothing is looked at.
#ifndef STEPPING_H
#define STEPPING_H

struct steps {
  // Instructions that were run.
  long instructions;
  // Those that can take a lock: compare-and-exchange, exchange with memory, test-and-set of a bit.
  long exchanges;
  // Those that add to memory or combine it in one go, as counters and reference counts do.
  long additions;
  // Where the first exchange and the first addition stand.
  const void *exchange, *addition;
};

// What `work` ran on the calling thread. All are 0 where instructions cannot be looked at.
struct steps step_through(void (*work)(void *), void *argument);

#endif
