// Numbers in words, for messages.
#ifndef NNP_TEXT_H
#define NNP_TEXT_H

#include <stddef.h>
#include <stdio.h>

// The nine significant digits that tell any two floats apart.
static inline void nnp_format_float(float value, char *_Nonnull text, size_t size) {
  snprintf(text, size, "%.9g", (double)value);
}

#endif
