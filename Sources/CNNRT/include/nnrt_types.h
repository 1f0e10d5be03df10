// The structs, handles and constants of the C API, which Swift cannot declare itself (SE-0495 has no @c structs).
// tools/generate-header merges them, with their comments, into include/nnrt.h; programs include that file, not this one.
//
// Two things differ here from what programs see. Handles have a member, so that Swift tells one kind of pointer from
// another; programs get them as incomplete types. Enums that come *from* a program have a type ending in `_code`, because
// an enum value no case stands for must reach Swift as the number it is; programs see the enum.
#ifndef NNRT_TYPES_H
#define NNRT_TYPES_H

#include <stddef.h>
#include <stdint.h>

/// Version of this header. The library's own is `nnrt_version_number`.
#define NNRT_VERSION_MAJOR 0
#define NNRT_VERSION_MINOR 1
#define NNRT_VERSION_PATCH 0

#define NNP_STRINGIFY(x) #x
#define NNP_VERSION_TEXT(a, b, c) NNP_STRINGIFY(a) "." NNP_STRINGIFY(b) "." NNP_STRINGIFY(c)
static inline const char *_Nonnull nnp_version_text(void) {
  return NNP_VERSION_TEXT(NNRT_VERSION_MAJOR, NNRT_VERSION_MINOR, NNRT_VERSION_PATCH);
}

/// No tensor has more axes than this.
#define NNRT_MAX_RANK 8

typedef int32_t nnrt_status_code;
typedef int32_t nnrt_dtype_code;
typedef int32_t nnrt_instruction_set_code;

/// A model: immutable, and shared by any number of threads and sessions. Made by `nnrt_model_open` or
/// `nnrt_model_open_memory`, given back with `nnrt_model_close`.
typedef struct nnrt_model {
  void *_Nullable reserved;
} nnrt_model;

/// One place where a model runs: its inputs, its outputs and the memory in between. Used by one thread at a time. Made by
/// `nnrt_session_create`, given back with `nnrt_session_destroy`.
typedef struct nnrt_session {
  void *_Nullable reserved;
} nnrt_session;

/// Runs one part of a run's work, and returns when it is done. Given to an `nnrt_parallel_for`, which calls it with each
/// index below its `count`, from any threads, in any order. It never waits for another part.
typedef void (*nnrt_part)(void *_Nullable argument, size_t index);

/// A host's own way of running work on several threads, in place of the library's: it calls `part(argument, index)` exactly
/// once for each index from 0 to `count` - 1, on any threads and in any order, also all on the calling one, and returns when
/// every call has returned. `count` is at least 2 and at most the option `threads`. No bit of a result depends on how the
/// parts are run. It is called by the thread that runs a session, so by several at once if they share it; it must not throw or
/// jump out, nor use the session that runs. If it leaves a part out, calls one twice, passes an index that is too large, or
/// returns early, the run waits for the parts that have begun and fails with `NNRT_EXECUTOR_FAILED`; a call after it has
/// returned does nothing, and fails the session's next shared run. `argument` ends with the session, or with the opening of a
/// model.
typedef void (*nnrt_parallel_for)(void *_Nullable context, size_t count, nnrt_part _Nonnull part, void *_Nullable argument);

/// How to open a model. Zero every byte, set `struct_size`, then change what you need; or pass NULL for the defaults.
typedef struct nnrt_model_options {
  /// sizeof(nnrt_model_options). It tells the library which version of the struct you compiled with: 0 is refused, members
  /// beyond it take their defaults, and a larger struct than the library knows is accepted if the rest is zero.
  size_t struct_size;
  /// The most bytes of memory that opening may take; 0 stands for 4 GiB.
  uint64_t memory_limit;
  /// How many threads may decode the weights, the calling one among them, up to 256; 0 and 1 both mean: the calling one alone.
  uint32_t threads;
  /// 0.
  uint32_t reserved;
  /// Shares the decoding if `threads` is 2 or more, as in `nnrt_session_options`; NULL for the library's own threads. Not called
  /// after the model has been opened.
  nnrt_parallel_for _Nullable parallel_for;
  /// What `parallel_for` gets as `context`: yours, never looked at.
  void *_Nullable parallel_context;
} nnrt_model_options;

/// How to make a session. Zero every byte, set `struct_size`, then change what you need; or pass NULL for the defaults.
typedef struct nnrt_session_options {
  /// sizeof(nnrt_session_options), as in `nnrt_model_options`.
  size_t struct_size;
  /// How many threads one run may use, the calling one among them, up to 256; 0 and 1 both mean: the calling one alone. More
  /// threads change the time a run takes and no bit of its result.
  uint32_t threads;
  /// `NNRT_ISA_AUTOMATIC`, or a lower set to compare with. It changes no bit of the result.
  nnrt_instruction_set_code instruction_set;
  /// The most bytes that the intermediate values of one set of dimensions may take; 0 stands for no limit.
  uint64_t memory_limit;
  /// The most iterations of one loop inside the model; a run that would need more fails with `NNRT_LIMIT_EXCEEDED`. 0 stands for no
  /// limit.
  uint64_t iteration_limit;
  /// Shares the work of a run if `threads` is 2 or more, so that the library starts no thread for this session; NULL for the
  /// library's own threads. It is called in runs alone, and never for work too small to share.
  nnrt_parallel_for _Nullable parallel_for;
  /// What `parallel_for` gets as `context`: yours, never looked at. It must live as long as the session.
  void *_Nullable parallel_context;
} nnrt_session_options;

/// What a model takes or gives at one place.
typedef struct nnrt_tensor_info {
  /// The name, in UTF-8. Lives as long as the model.
  const char *_Nullable name;
  /// The type of the elements.
  nnrt_dtype_code dtype;
  /// How many axes; at most NNRT_MAX_RANK.
  size_t rank;
  /// The extents, outermost first, of which `rank` are set; -1 where an extent is free, as a batch often is.
  int64_t dims[NNRT_MAX_RANK];
  /// The name of each free extent (`N`, `T`), in UTF-8, which lives as long as the model; NULL where the extent is known,
  /// or free without a name. Free extents of the same name are equal within one run.
  const char *_Nullable dim_names[NNRT_MAX_RANK];
} nnrt_tensor_info;

/// A view of a result, whose elements stay in the session, or of elements of yours for `nnrt_session_call`.
typedef struct nnrt_tensor {
  /// The type of the elements.
  nnrt_dtype_code dtype;
  /// How many axes; at most NNRT_MAX_RANK.
  size_t rank;
  /// The extents, outermost first, of which `rank` are set.
  int64_t dims[NNRT_MAX_RANK];
  /// The elements in row-major order, little-endian. Of results never NULL, also when there are none.
  const void *_Nullable data;
  /// How many bytes `data` has.
  size_t size;
} nnrt_tensor;

/// The calling thread's place for the text that `nnrt_error_message` shows.
char *_Nonnull nnp_thread_error_message(void);
/// The size of that place.
#define NNRT_ERROR_MESSAGE_SIZE 1024

#endif
