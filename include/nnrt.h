/*
 * nnrt.h - run neural networks from .nnrt files.
 *
 * This file is made by tools/generate-header from the library's source: edit the comments there.
 *
 * A model is opened once and is immutable; a session is a place where it runs. A whole program:
 *
 *     #include <nnrt.h>
 *     #include <stdio.h>
 *
 *     int main(int argc, char **argv) {
 *       nnrt_model *model = NULL;
 *       nnrt_session *session = NULL;
 *       static float pixels[64];
 *       const int64_t dims[2] = {1, 64};
 *       nnrt_tensor scores;
 *       nnrt_status status;
 *
 *       status = nnrt_model_open(argc > 1 ? argv[1] : "digits.nnrt", NULL, &model);
 *       if (status == NNRT_OK) status = nnrt_session_create(model, NULL, &session);
 *       if (status == NNRT_OK)
 *         status = nnrt_session_set_input(session, 0, NNRT_DTYPE_F32, dims, 2, pixels, sizeof pixels);
 *       if (status == NNRT_OK) status = nnrt_session_run(session);
 *       if (status == NNRT_OK) status = nnrt_session_output(session, 0, &scores);
 *       if (status == NNRT_OK) printf("%g\n", ((const float *)scores.data)[0]);
 *       else fprintf(stderr, "%s: %s\n", nnrt_status_name(status), nnrt_error_message());
 *       nnrt_session_destroy(session);
 *       nnrt_model_close(model);
 *       return status == NNRT_OK ? 0 : 1;
 *     }
 *
 * Ownership. What a function puts into a place you name is yours to give back with the function its comment names. What
 * you pass in stays yours and, but for an executor, is never kept. Texts and views belong to the model or session they
 * come from.
 *
 * Errors. Functions that can fail return a status, and leave the reason in words in nnrt_error_message. No argument,
 * file or input ends the process: NULL, wild lengths and indices out of range give a status. Only a handle that was
 * already given back, or never made, must not be passed. After a failure every object can still be used.
 *
 * Threads. A model may be used by any number of threads at once. A session is for one thread at a time; sessions over
 * one model run side by side. After fork, the child may go on with the models and sessions it inherits. A session that is
 * allowed several threads takes the library's own, which sleep while there is nothing to do, or the host's. With OpenMP:
 *
 *     static void on_openmp(void *context, size_t count, nnrt_part part, void *argument) {
 *       long index;
 *       (void)context;
 *     #pragma omp parallel for
 *       for (index = 0; index < (long)count; index++) part(argument, (size_t)index);
 *     }
 *
 * and, in the options of nnrt_session_create, threads = 4 and parallel_for = on_openmp.
 *
 * Numbers. The same file and the same input give the same bits, whatever the number of threads, the batch it is part of
 * and the instructions the processor has.
 */
#ifndef NNRT_H
#define NNRT_H

#include <stddef.h>
#include <stdint.h>

#ifndef NNRT_API
#if defined(__GNUC__)
#define NNRT_API __attribute__((visibility("default")))
#else
#define NNRT_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------------------------------------- */
/* Version                                                                                        */
/* ---------------------------------------------------------------------------------------------- */

/** Version of this header. The library's own is `nnrt_version_number`. */
#define NNRT_VERSION_MAJOR 0
#define NNRT_VERSION_MINOR 1
#define NNRT_VERSION_PATCH 0

/**
 * The library's version as text, such as "0.1.0".
 *
 * @return A text that lives as long as the program. Never NULL.
 * @note Threads: Any.
 */
NNRT_API const char *nnrt_version(void);

/**
 * The library's version as a number that grows with it: major times 10000, plus minor times 100,
 * plus patch.
 *
 * @return What the library is, where NNRT_VERSION_MAJOR and its fellows are what the program was
 *   compiled with.
 * @note Threads: Any.
 */
NNRT_API uint32_t nnrt_version_number(void);

/* ---------------------------------------------------------------------------------------------- */
/* Status and errors                                                                              */
/* ---------------------------------------------------------------------------------------------- */

/**
 * What came of a call. Numbers never change; new ones take free places in their group, so treat a
 * number you do not know as a failure. The words are in `nnrt_error_message`.
 */
typedef enum nnrt_status {
  /** It worked. */
  NNRT_OK = 0,
  /** An argument is not acceptable: NULL, out of range, or of the wrong size. */
  NNRT_INVALID_ARGUMENT = 1,
  /** The call does not fit the state of the session, as reading an output before the first run. */
  NNRT_INVALID_STATE = 2,
  /** The dimensions are not those the model takes. */
  NNRT_SHAPE_MISMATCH = 3,
  /** The element type is not the one the model takes. */
  NNRT_DTYPE_MISMATCH = 4,
  /** An index held in a tensor lies outside the axis it selects from. */
  NNRT_INDEX_OUT_OF_RANGE = 5,
  /** The host's executor did not run every part of the work once. */
  NNRT_EXECUTOR_FAILED = 6,
  /** The file cannot be opened or read. */
  NNRT_FILE_ACCESS = 20,
  /** The bytes are not a .nnrt file. */
  NNRT_NOT_A_NNRT_FILE = 21,
  /** The file needs a newer library. */
  NNRT_UNSUPPORTED_VERSION = 22,
  /** The file contradicts the format's specification. */
  NNRT_CORRUPT_FILE = 23,
  /** Stored bytes do not have their recorded checksum. */
  NNRT_CHECKSUM_MISMATCH = 24,
  /**
   * Memory for a file, a tensor or a run could not be had. A system without even the kilobytes that
   * the library's own lists take ends the program instead.
   */
  NNRT_OUT_OF_MEMORY = 40,
  /** A limit set by the caller or by the library would be exceeded. */
  NNRT_LIMIT_EXCEEDED = 41,
  /** The graph in the file is not well formed. */
  NNRT_INVALID_GRAPH = 60,
  /** An operator is not available for these types or attributes. */
  NNRT_UNSUPPORTED_OPERATOR = 61,
  /** A self-test vector gave other values than the file records. */
  NNRT_SELF_TEST_FAILED = 80
} nnrt_status;

/**
 * The name of a status as it stands in this header, such as "NNRT_CORRUPT_FILE".
 *
 * @param status  Any number.
 * @return A text that lives as long as the program; "NNRT_UNKNOWN_STATUS" for a number this library
 *   does not know. Never NULL.
 * @note Threads: Any.
 */
NNRT_API const char *nnrt_status_name(nnrt_status status);

/**
 * The words for the last failure on the calling thread, in UTF-8. Set by every function that fails,
 * and left alone by those that succeed: look at it after a status other than `NNRT_OK`. Reading it
 * allocates nothing.
 *
 * @return A text that ends with NUL and is cut after 1023 bytes; an empty one if nothing failed
 *   yet. Never NULL. It belongs to the library and holds until the next failure on this thread.
 * @note Threads: Any. Each thread sees its own.
 */
NNRT_API const char *nnrt_error_message(void);

/* ---------------------------------------------------------------------------------------------- */
/* Tensors                                                                                        */
/* ---------------------------------------------------------------------------------------------- */

/** The type of a tensor's elements. Numbers never change. */
typedef enum nnrt_dtype {
  /** IEEE 754 binary32, `float`. */
  NNRT_DTYPE_F32 = 1,
  /** IEEE 754 binary64, `double`. */
  NNRT_DTYPE_F64 = 2,
  /** IEEE 754 binary16. */
  NNRT_DTYPE_F16 = 3,
  /** bfloat16: the upper half of a binary32. */
  NNRT_DTYPE_BF16 = 4,
  /** 8 bits: sign, 4 of exponent with bias 7, 3 of mantissa; no infinities. */
  NNRT_DTYPE_F8E4M3FN = 8,
  /** 8 bits: sign, 4 of exponent with bias 8, 3 of mantissa; no infinities and no negative zero. */
  NNRT_DTYPE_F8E4M3FNUZ = 9,
  /** 8 bits: the upper half of a binary16. */
  NNRT_DTYPE_F8E5M2 = 10,
  /**
   * 8 bits: sign, 5 of exponent with bias 16, 2 of mantissa; no infinities and no negative zero.
   */
  NNRT_DTYPE_F8E5M2FNUZ = 11,
  /** 8 bits of exponent with bias 127: powers of two and NaN. */
  NNRT_DTYPE_F8E8M0 = 12,
  /** 4 bits, in the low half of a byte: sign, 2 of exponent with bias 1, 1 of mantissa. */
  NNRT_DTYPE_F4E2M1 = 13,
  /** Signed 8-bit integer. */
  NNRT_DTYPE_I8 = 16,
  /** Signed 16-bit integer. */
  NNRT_DTYPE_I16 = 17,
  /** Signed 32-bit integer. */
  NNRT_DTYPE_I32 = 18,
  /** Signed 64-bit integer. */
  NNRT_DTYPE_I64 = 19,
  /**
   * Signed 4-bit integer, in the low half of a byte whose other bits are ignored when read and 0
   * when written.
   */
  NNRT_DTYPE_I4 = 20,
  /** Signed 2-bit integer, in the low bits of a byte likewise. */
  NNRT_DTYPE_I2 = 21,
  /** Unsigned 8-bit integer. */
  NNRT_DTYPE_U8 = 24,
  /** Unsigned 16-bit integer. */
  NNRT_DTYPE_U16 = 25,
  /** Unsigned 32-bit integer. */
  NNRT_DTYPE_U32 = 26,
  /** Unsigned 64-bit integer. */
  NNRT_DTYPE_U64 = 27,
  /** Unsigned 4-bit integer, in the low half of a byte likewise. */
  NNRT_DTYPE_U4 = 28,
  /** Unsigned 2-bit integer, in the low bits of a byte likewise. */
  NNRT_DTYPE_U2 = 29,
  /** One byte, 0 (false) or 1 (true). */
  NNRT_DTYPE_BOOL = 32
} nnrt_dtype;

/**
 * The name of an element type, such as "f32".
 *
 * @param dtype  Any number.
 * @return A text that lives as long as the program; "unknown" for a number that is no element type.
 *   Never NULL.
 * @note Threads: Any.
 */
NNRT_API const char *nnrt_dtype_name(nnrt_dtype dtype);

/**
 * How many bytes one element takes.
 *
 * @param dtype  Any number.
 * @return 1, 2, 4 or 8; 0 for a number that is no element type.
 * @note Threads: Any.
 */
NNRT_API size_t nnrt_dtype_size(nnrt_dtype dtype);

/** No tensor has more axes than this. */
#define NNRT_MAX_RANK 8

/** What a model takes or gives at one place. */
typedef struct nnrt_tensor_info {
  /** The name, in UTF-8. Lives as long as the model. */
  const char *name;
  /** The type of the elements. */
  nnrt_dtype dtype;
  /** How many axes; at most NNRT_MAX_RANK. */
  size_t rank;
  /**
   * The extents, outermost first, of which `rank` are set; -1 where an extent is free, as a batch
   * often is.
   */
  int64_t dims[NNRT_MAX_RANK];
  /**
   * The name of each free extent (`N`, `T`), in UTF-8, which lives as long as the model; NULL where
   * the extent is known, or free without a name. Free extents of the same name are equal within one
   * run.
   */
  const char *dim_names[NNRT_MAX_RANK];
} nnrt_tensor_info;

/**
 * A view of a result, whose elements stay in the session, or of elements of yours for
 * `nnrt_session_call`.
 */
typedef struct nnrt_tensor {
  /** The type of the elements. */
  nnrt_dtype dtype;
  /** How many axes; at most NNRT_MAX_RANK. */
  size_t rank;
  /** The extents, outermost first, of which `rank` are set. */
  int64_t dims[NNRT_MAX_RANK];
  /**
   * The elements in row-major order, little-endian. Of results never NULL, also when there are
   * none.
   */
  const void *data;
  /** How many bytes `data` has. */
  size_t size;
} nnrt_tensor;

/* ---------------------------------------------------------------------------------------------- */
/* Options                                                                                        */
/* ---------------------------------------------------------------------------------------------- */

/** Which instructions a session may use. All of them give the same bits. */
typedef enum nnrt_instruction_set {
  /**
   * What the environment variable NNRT_ISA says (`baseline`, `v3` or `v4`), else the best this
   * machine can run.
   */
  NNRT_ISA_AUTOMATIC = 0,
  /** What every processor of the architecture can run. */
  NNRT_ISA_BASELINE = 1,
  /** x86-64-v3: AVX2 and FMA. */
  NNRT_ISA_V3 = 2,
  /** x86-64-v4: AVX-512. */
  NNRT_ISA_V4 = 3
} nnrt_instruction_set;

/**
 * Runs one part of a run's work, and returns when it is done. Given to an `nnrt_parallel_for`,
 * which calls it with each index below its `count`, from any threads, in any order. It never waits
 * for another part.
 */
typedef void (*nnrt_part)(void *argument, size_t index);

/**
 * A host's own way of running work on several threads, in place of the library's: it calls
 * `part(argument, index)` exactly once for each index from 0 to `count` - 1, on any threads and in
 * any order, also all on the calling one, and returns when every call has returned. `count` is at
 * least 2 and at most the option `threads`. No bit of a result depends on how the parts are run. It
 * is called by the thread that runs a session, so by several at once if they share it; it must not
 * throw or jump out, nor use the session that runs. If it leaves a part out, calls one twice,
 * passes an index that is too large, or returns early, the run waits for the parts that have begun
 * and fails with `NNRT_EXECUTOR_FAILED`; a call after it has returned does nothing, and fails the
 * session's next shared run. `argument` ends with the session, or with the opening of a model.
 */
typedef void (*nnrt_parallel_for)(void *context, size_t count, nnrt_part part, void *argument);

/**
 * How to open a model. Zero every byte, set `struct_size`, then change what you need; or pass NULL
 * for the defaults.
 */
typedef struct nnrt_model_options {
  /**
   * sizeof(nnrt_model_options). It tells the library which version of the struct you compiled with:
   * 0 is refused, members beyond it take their defaults, and a larger struct than the library knows
   * is accepted if the rest is zero.
   */
  size_t struct_size;
  /** The most bytes of memory that opening may take; 0 stands for 4 GiB. */
  uint64_t memory_limit;
  /**
   * How many threads may decode the weights, the calling one among them, up to 256; 0 and 1 both
   * mean: the calling one alone.
   */
  uint32_t threads;
  /** 0. */
  uint32_t reserved;
  /**
   * Shares the decoding if `threads` is 2 or more, as in `nnrt_session_options`; NULL for the
   * library's own threads. Not called after the model has been opened.
   */
  nnrt_parallel_for parallel_for;
  /** What `parallel_for` gets as `context`: yours, never looked at. */
  void *parallel_context;
} nnrt_model_options;

/**
 * How to make a session. Zero every byte, set `struct_size`, then change what you need; or pass
 * NULL for the defaults.
 */
typedef struct nnrt_session_options {
  /** sizeof(nnrt_session_options), as in `nnrt_model_options`. */
  size_t struct_size;
  /**
   * How many threads one run may use, the calling one among them, up to 256; 0 and 1 both mean: the
   * calling one alone. More threads change the time a run takes and no bit of its result.
   */
  uint32_t threads;
  /** `NNRT_ISA_AUTOMATIC`, or a lower set to compare with. It changes no bit of the result. */
  nnrt_instruction_set instruction_set;
  /**
   * The most bytes that the intermediate values of one set of dimensions may take; 0 stands for no
   * limit.
   */
  uint64_t memory_limit;
  /**
   * The most iterations of one loop inside the model; a run that would need more fails with
   * `NNRT_LIMIT_EXCEEDED`. 0 stands for no limit.
   */
  uint64_t iteration_limit;
  /**
   * Shares the work of a run if `threads` is 2 or more, so that the library starts no thread for
   * this session; NULL for the library's own threads. It is called in runs alone, and never for
   * work too small to share.
   */
  nnrt_parallel_for parallel_for;
  /**
   * What `parallel_for` gets as `context`: yours, never looked at. It must live as long as the
   * session.
   */
  void *parallel_context;
} nnrt_session_options;

/* ---------------------------------------------------------------------------------------------- */
/* Models                                                                                         */
/* ---------------------------------------------------------------------------------------------- */

/**
 * A model: immutable, and shared by any number of threads and sessions. Made by `nnrt_model_open`
 * or `nnrt_model_open_memory`, given back with `nnrt_model_close`.
 */
typedef struct nnrt_model nnrt_model;

/**
 * Opens the model in a .nnrt file. The file is mapped rather than read, so several processes share
 * what is stored raw in it; do not change it in place while it is open (replacing it by rename is
 * fine).
 *
 * @param path  The file's path, ending with NUL. Not kept.
 * @param options  NULL for the defaults. Not kept.
 * @param model  Receives the model, which is yours to give to `nnrt_model_close`; NULL after a
 *   failure.
 * @return `NNRT_OK`; `NNRT_FILE_ACCESS` if the file cannot be read, another status from 20 to 79 if
 *   it is not a valid model, `NNRT_LIMIT_EXCEEDED` if it asks for more memory than the options
 *   allow, `NNRT_EXECUTOR_FAILED` if the host's executor broke its contract.
 * @note Threads: Any.
 */
NNRT_API nnrt_status nnrt_model_open(const char *path, const nnrt_model_options *options,
                                     nnrt_model **model);

/**
 * Opens a model from the bytes of a .nnrt file in memory.
 *
 * @param bytes  The file's bytes. They are copied: you may free them at once.
 * @param size  How many bytes there are.
 * @param options  NULL for the defaults. Not kept.
 * @param model  Receives the model, which is yours to give to `nnrt_model_close`; NULL after a
 *   failure.
 * @return `NNRT_OK`, or as `nnrt_model_open`.
 * @note Threads: Any.
 */
NNRT_API nnrt_status nnrt_model_open_memory(const void *bytes, size_t size,
                                            const nnrt_model_options *options, nnrt_model **model);

/**
 * Gives a model back. Sessions made from it go on working: what they need lives until the last of
 * them is destroyed. The texts the model gave out (names, metadata) end here.
 *
 * @param model  The model; NULL is allowed and does nothing. Not to be used afterwards.
 * @note Threads: Any, once no other thread uses the model.
 */
NNRT_API void nnrt_model_close(nnrt_model *model);

/**
 * How many inputs the model takes.
 *
 * @param model  The model.
 * @return The number; 0 if `model` is NULL.
 * @note Threads: Any.
 */
NNRT_API size_t nnrt_model_input_count(const nnrt_model *model);

/**
 * How many outputs the model gives.
 *
 * @param model  The model.
 * @return The number; 0 if `model` is NULL.
 * @note Threads: Any.
 */
NNRT_API size_t nnrt_model_output_count(const nnrt_model *model);

/**
 * Tells name, type and dimensions of one input.
 *
 * @param model  The model.
 * @param index  Which input, from 0.
 * @param info  Filled on success; its texts live as long as the model.
 * @return `NNRT_OK`, or `NNRT_INVALID_ARGUMENT` for NULL or an index out of range.
 * @note Threads: Any.
 */
NNRT_API nnrt_status nnrt_model_input_info(const nnrt_model *model, size_t index,
                                           nnrt_tensor_info *info);

/**
 * Tells name, type and dimensions of one output.
 *
 * @param model  The model.
 * @param index  Which output, from 0.
 * @param info  Filled on success; its texts live as long as the model.
 * @return `NNRT_OK`, or `NNRT_INVALID_ARGUMENT` for NULL or an index out of range.
 * @note Threads: Any.
 */
NNRT_API nnrt_status nnrt_model_output_info(const nnrt_model *model, size_t index,
                                            nnrt_tensor_info *info);

/**
 * Whether an input is a carried state. Each session has one of its own: zeros at first, and after
 * each successful run what the run has made of it, so that it need not be set. One with a free
 * dimension has to be set before the first run.
 *
 * @param model  The model.
 * @param index  Which input, from 0.
 * @return 1 if it is, 0 if not; 0 with a message if `model` is NULL or the index is out of range.
 * @note Threads: Any.
 */
NNRT_API int nnrt_model_input_is_state(const nnrt_model *model, size_t index);

/**
 * Finds an input by its name.
 *
 * @param model  The model.
 * @param name  The name, in UTF-8, ending with NUL. Not kept.
 * @param index  Receives the index on success.
 * @return `NNRT_OK`, or `NNRT_INVALID_ARGUMENT` for NULL or a name no input has.
 * @note Threads: Any.
 */
NNRT_API nnrt_status nnrt_model_find_input(const nnrt_model *model, const char *name,
                                           size_t *index);

/**
 * Finds an output by its name.
 *
 * @param model  The model.
 * @param name  The name, in UTF-8, ending with NUL. Not kept.
 * @param index  Receives the index on success.
 * @return `NNRT_OK`, or `NNRT_INVALID_ARGUMENT` for NULL or a name no output has.
 * @note Threads: Any.
 */
NNRT_API nnrt_status nnrt_model_find_output(const nnrt_model *model, const char *name,
                                            size_t *index);

/**
 * How many entries the model's metadata has. Usual keys are in the format's specification: name,
 * description, authors, licence, labels (one a line) and others.
 *
 * @param model  The model.
 * @return The number; 0 if `model` is NULL.
 * @note Threads: Any.
 */
NNRT_API size_t nnrt_model_metadata_count(const nnrt_model *model);

/**
 * The key of one entry of the metadata.
 *
 * @param model  The model.
 * @param index  Which entry, from 0.
 * @return UTF-8 that ends with NUL and lives as long as the model; NULL, with a message, if `model`
 *   is NULL or the index is out of range.
 * @note Threads: Any.
 */
NNRT_API const char *nnrt_model_metadata_key(const nnrt_model *model, size_t index);

/**
 * The value of one entry of the metadata.
 *
 * @param model  The model.
 * @param index  Which entry, from 0.
 * @return UTF-8 that ends with NUL and lives as long as the model; NULL, with a message, if `model`
 *   is NULL or the index is out of range.
 * @note Threads: Any.
 */
NNRT_API const char *nnrt_model_metadata_value(const nnrt_model *model, size_t index);

/**
 * The value the metadata has for a key.
 *
 * @param model  The model.
 * @param key  The key, in UTF-8, ending with NUL. Not kept.
 * @return UTF-8 that ends with NUL and lives as long as the model; NULL, with a message, if there
 *   is no such entry or an argument is NULL.
 * @note Threads: Any.
 */
NNRT_API const char *nnrt_model_metadata_find(const nnrt_model *model, const char *key);

/**
 * How many self-test vectors the model holds: inputs with the outputs they must give, bit for bit.
 *
 * @param model  The model.
 * @return The number; 0 if `model` is NULL, or if the vectors cannot be read, which
 *   `nnrt_model_self_test` explains.
 * @note Threads: Any.
 */
NNRT_API size_t nnrt_model_self_test_count(const nnrt_model *model);

/**
 * Runs the model's self-test vectors, each in a session of its own.
 *
 * @param model  The model.
 * @param options  How to run them; NULL for the defaults. Not kept.
 * @return `NNRT_OK` if all agree; `NNRT_SELF_TEST_FAILED`, with a message that names the first
 *   element that differs; `NNRT_INVALID_STATE` if the model has no vectors; or as
 *   `nnrt_session_create`.
 * @note Threads: Any.
 */
NNRT_API nnrt_status nnrt_model_self_test(const nnrt_model *model,
                                          const nnrt_session_options *options);

/* ---------------------------------------------------------------------------------------------- */
/* Sessions                                                                                       */
/* ---------------------------------------------------------------------------------------------- */

/**
 * One place where a model runs: its inputs, its outputs and the memory in between. Used by one
 * thread at a time. Made by `nnrt_session_create`, given back with `nnrt_session_destroy`.
 */
typedef struct nnrt_session nnrt_session;

/**
 * Makes a session, in which the model can run. Memory for inputs and results is taken when their
 * dimensions are known.
 *
 * @param model  The model. The session keeps what it needs of it: you may close it while the
 *   session lives.
 * @param options  NULL for the defaults: one thread, the best instructions. Not kept.
 * @param session  Receives the session, which is yours to give to `nnrt_session_destroy`; NULL
 *   after a failure.
 * @return `NNRT_OK`; `NNRT_INVALID_ARGUMENT` also for an instruction set this machine cannot run;
 *   `NNRT_OUT_OF_MEMORY`.
 * @note Threads: Any; several may make sessions from one model at once. Each session is for one
 *   thread at a time.
 */
NNRT_API nnrt_status nnrt_session_create(const nnrt_model *model,
                                         const nnrt_session_options *options,
                                         nnrt_session **session);

/**
 * Gives a session back, and with it the memory that its output views point to.
 *
 * @param session  The session; NULL is allowed and does nothing. Not to be used afterwards.
 * @note Threads: Any, once no other thread uses the session.
 */
NNRT_API void nnrt_session_destroy(nnrt_session *session);

/**
 * Sets one input. It stays set until it is set again, but for a carried state, which each
 * successful run changes: see `nnrt_model_input_is_state`. The outputs of the last run end.
 * Dimensions other than those of the last run make the next run plan anew, which takes memory; with
 * the same dimensions nothing is allocated.
 *
 * @param session  The session.
 * @param index  Which input, from 0.
 * @param dtype  The type of the elements, which must be the model's.
 * @param dims  `rank` extents, outermost first. Not kept. NULL is allowed if `rank` is 0.
 * @param rank  How many extents there are.
 * @param data  The elements in row-major order, little-endian, at any alignment. They are copied:
 *   you may change or free them at once. NULL is allowed if `size` is 0.
 * @param size  How many bytes `data` has: exactly the product of the extents times the size of an
 *   element.
 * @return `NNRT_OK`; `NNRT_SHAPE_MISMATCH` or `NNRT_DTYPE_MISMATCH` if the model takes something
 *   else; `NNRT_INVALID_ARGUMENT`; `NNRT_OUT_OF_MEMORY`. After a failure the session can still be
 *   used.
 * @note Threads: One at a time for one session.
 */
NNRT_API nnrt_status nnrt_session_set_input(nnrt_session *session, size_t index, nnrt_dtype dtype,
                                            const int64_t *dims, size_t rank, const void *data,
                                            size_t size);

/**
 * Puts the carried states back to what they were in a new session, so that the next run begins a
 * new sequence: zeros, or not set if a dimension is free. Other inputs stay as they were set; the
 * outputs of the last run end.
 *
 * @param session  The session.
 * @return `NNRT_OK`; `NNRT_INVALID_ARGUMENT` for NULL.
 * @note Threads: One at a time for one session.
 */
NNRT_API nnrt_status nnrt_session_reset(nnrt_session *session);

/**
 * Runs the model on the inputs that are set. On one thread or with an executor, a run with the
 * dimensions of the one before makes no allocation and no system call, and takes no lock.
 *
 * @param session  The session.
 * @return `NNRT_OK`; `NNRT_INVALID_STATE` if an input is missing; `NNRT_SHAPE_MISMATCH` if the
 *   inputs' dimensions do not fit together; `NNRT_INDEX_OUT_OF_RANGE` if an index among the inputs
 *   is; `NNRT_OUT_OF_MEMORY`; `NNRT_EXECUTOR_FAILED` if the host's executor broke its contract.
 *   After a failure the session can still be used, but its outputs cannot be read until a run
 *   succeeds.
 * @note Threads: One at a time for one session; any number of sessions run at once.
 */
NNRT_API nnrt_status nnrt_session_run(nnrt_session *session);

/**
 * Shows one output of the last run.
 *
 * @param session  The session.
 * @param index  Which output, from 0.
 * @param view  Filled on success. Its data stays in the session and holds until the session's next
 *   `set_input`, `reset` or `run`, or its end.
 * @return `NNRT_OK`; `NNRT_INVALID_STATE` unless a run has succeeded since the last input was set;
 *   `NNRT_INVALID_ARGUMENT`.
 * @note Threads: One at a time for one session.
 */
NNRT_API nnrt_status nnrt_session_output(const nnrt_session *session, size_t index,
                                         nnrt_tensor *view);

/**
 * Sets the first inputs, runs, and shows the first outputs, as `nnrt_session_set_input`,
 * `nnrt_session_run` and `nnrt_session_output` do one by one: for callers to whom each call costs
 * something. Inputs beyond `input_count` stay as they were set.
 *
 * @param session  The session.
 * @param inputs  What inputs 0 to `input_count` - 1 get. Not kept. NULL is allowed if `input_count`
 *   is 0. One whose `dtype` is 0 leaves its input as it is: a carried state that comes before what
 *   is set.
 * @param input_count  How many there are; at most as many as the model has inputs.
 * @param outputs  Views of outputs 0 to `output_count` - 1, filled on success; see
 *   `nnrt_session_output` for how long they hold. NULL is allowed if `output_count` is 0.
 * @param output_count  How many there are; at most as many as the model has outputs.
 * @return `NNRT_OK`; what the three functions return for the first thing that fails. Inputs before
 *   that are set then.
 * @note Threads: One at a time for one session; any number of sessions run at once.
 */
NNRT_API nnrt_status nnrt_session_call(nnrt_session *session, const nnrt_tensor *inputs,
                                       size_t input_count, nnrt_tensor *outputs,
                                       size_t output_count);

#ifdef __cplusplus
}
#endif

#endif
