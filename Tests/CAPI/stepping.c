#define _GNU_SOURCE
#include "stepping.h"

#if defined(__x86_64__) && defined(__linux__)

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <ucontext.h>

static struct steps steps;

enum kind { OTHER, ADDITION, EXCHANGE };

// The kind of the instruction at `code`: prefixes, operation, operand (Intel's manual, volume 2, chapter 2).
static enum kind kind_of(const unsigned char *code) {
  bool is_locked = false;
  for (;; code++) {
    if (*code == 0xF0) is_locked = true;
    else if (!memchr("\x66\x67\xF2\xF3\x2E\x36\x3E\x26\x64\x65", *code, 10)) break;
  }
  if ((*code & 0xF0) == 0x40) code++; // REX
  const bool is_memory = (code[1] & 0xC0) != 0xC0;
  if ((code[0] == 0x86 || code[0] == 0x87) && is_memory) return EXCHANGE; // locked with and without the prefix
  if (!is_locked) return OTHER;
  if (code[0] != 0x0F) return ADDITION;
  return code[1] == 0xC0 || code[1] == 0xC1 ? ADDITION : EXCHANGE; // xadd, or cmpxchg and bit operations
}

static void before_each_instruction(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info;
  const unsigned char *code = (const unsigned char *)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
  steps.instructions++;
  const enum kind kind = kind_of(code);
  if (kind == EXCHANGE && steps.exchanges++ == 0) steps.exchange = code;
  if (kind == ADDITION && steps.additions++ == 0) steps.addition = code;
}

// The processor's trap flag is bit 8. What lies below the stack pointer may be in use.
#define CHANGE_FLAGS(operation) \
  __asm__ volatile("lea -128(%%rsp), %%rsp\n pushfq\n " operation ", (%%rsp)\n popfq\n lea 128(%%rsp), %%rsp" ::: "memory", "cc")

struct steps step_through(void (*work)(void *), void *argument) {
  struct sigaction action, before;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = before_each_instruction;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGTRAP, &action, &before);
  memset(&steps, 0, sizeof steps);
  CHANGE_FLAGS("orq $0x100");
  work(argument);
  CHANGE_FLAGS("andq $-0x101");
  sigaction(SIGTRAP, &before, NULL);
  return steps;
}

#else

struct steps step_through(void (*work)(void *), void *argument) {
  work(argument);
  return (struct steps){0, 0, 0, 0, 0};
}

#endif
