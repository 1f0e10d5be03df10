// What the lean targets need from the machine and the C library: header-only, libc and libm alone.
#ifndef NNRT_CPLATFORM_H
#define NNRT_CPLATFORM_H

#include "nnp_bytes.h"
#include "nnp_checksum.h"
#include "nnp_cpu.h"
#include "nnp_files.h"
#include "nnp_memory.h"
#include "nnp_nonzeros.h"
#include "nnp_peak.h"
#include "nnp_shuffles.h"
#include "nnp_text.h"
#include "nnp_threads.h"
#include "nnp_vector.h"

#endif
