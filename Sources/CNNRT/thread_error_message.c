#include "nnrt_types.h"

// In a C file because a thread-local of a header would exist once in every object file that looks at it.
static _Thread_local char message[NNRT_ERROR_MESSAGE_SIZE];

char *nnp_thread_error_message(void) { return message; }
