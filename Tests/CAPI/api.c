// The whole C API: what it tells about a model, runs, views, options, and every argument that must be refused.
#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

static void everything_about_a_model_is_told(const char *folder) {
  nnrt_model *model = open_model(folder, "mlp.nnrt");
  nnrt_tensor_info info;
  CHECK(nnrt_model_input_count(model) == 1);
  CHECK(nnrt_model_output_count(model) == 1);
  CHECK_STATUS(nnrt_model_input_info(model, 0, &info), NNRT_OK);
  CHECK(strcmp(info.name, "pixels") == 0);
  CHECK(info.dtype == NNRT_DTYPE_F32 && info.rank == 2);
  CHECK(info.dims[0] == -1 && strcmp(info.dim_names[0], "N") == 0);
  CHECK(info.dims[1] == 16 && info.dim_names[1] == NULL);
  CHECK_STATUS(nnrt_model_output_info(model, 0, &info), NNRT_OK);
  CHECK(strcmp(info.name, "probabilities") == 0 && info.rank == 2 && info.dims[1] == 4);

  size_t index = 99;
  CHECK_STATUS(nnrt_model_find_input(model, "pixels", &index), NNRT_OK);
  CHECK(index == 0);
  CHECK_STATUS(nnrt_model_find_output(model, "probabilities", &index), NNRT_OK);
  CHECK_STATUS(nnrt_model_find_input(model, "probabilities", &index), NNRT_INVALID_ARGUMENT);
  CHECK(strstr(nnrt_error_message(), "probabilities") != NULL);

  CHECK(strcmp(nnrt_model_metadata_find(model, "name"), "A small perceptron") == 0);
  CHECK(strcmp(nnrt_model_metadata_find(model, "labels"), "nord\ns\xc3\xbc" "d\nost\nwest") == 0);
  CHECK(nnrt_model_metadata_find(model, "nothing") == NULL);
  size_t entries = nnrt_model_metadata_count(model), found = 0;
  CHECK(entries >= 5);
  for (size_t i = 0; i < entries; i++) {
    const char *key = nnrt_model_metadata_key(model, i), *value = nnrt_model_metadata_value(model, i);
    CHECK(key != NULL && value != NULL);
    CHECK(strcmp(nnrt_model_metadata_find(model, key), value) == 0);
    found += strcmp(key, "test.key") == 0;
  }
  CHECK(found == 1);

  CHECK(nnrt_model_self_test_count(model) == 2);
  CHECK_STATUS(nnrt_model_self_test(model, NULL), NNRT_OK);
  nnrt_model_close(model);

  model = open_model(folder, "casts.nnrt");
  CHECK_STATUS(nnrt_model_input_info(model, 0, &info), NNRT_OK);
  CHECK(info.dtype == NNRT_DTYPE_U8 && info.rank == 1 && info.dims[0] == 4);
  CHECK(nnrt_model_self_test_count(model) == 0);
  CHECK_STATUS(nnrt_model_self_test(model, NULL), NNRT_INVALID_STATE);
  nnrt_model_close(model);
}

static void names_and_numbers(void) {
  CHECK(strcmp(nnrt_status_name(NNRT_OK), "NNRT_OK") == 0);
  CHECK(strcmp(nnrt_status_name(NNRT_NOT_A_NNRT_FILE), "NNRT_NOT_A_NNRT_FILE") == 0);
  CHECK(strcmp(nnrt_status_name((nnrt_status)12345), "NNRT_UNKNOWN_STATUS") == 0);
  CHECK(strcmp(nnrt_status_name((nnrt_status)-1), "NNRT_UNKNOWN_STATUS") == 0);
  CHECK(strcmp(nnrt_dtype_name(NNRT_DTYPE_BF16), "bf16") == 0 && nnrt_dtype_size(NNRT_DTYPE_BF16) == 2);
  CHECK(nnrt_dtype_size(NNRT_DTYPE_I64) == 8 && nnrt_dtype_size(NNRT_DTYPE_BOOL) == 1);
  CHECK(strcmp(nnrt_dtype_name((nnrt_dtype)0), "unknown") == 0 && nnrt_dtype_size((nnrt_dtype)0) == 0);
  CHECK(nnrt_dtype_size((nnrt_dtype)257) == 0 && nnrt_dtype_size((nnrt_dtype)-1) == 0);
  char text[32];
  snprintf(text, sizeof text, "%d.%d.%d", NNRT_VERSION_MAJOR, NNRT_VERSION_MINOR, NNRT_VERSION_PATCH);
  CHECK(strcmp(nnrt_version(), text) == 0);
  CHECK(nnrt_version_number() == NNRT_VERSION_MAJOR * 10000u + NNRT_VERSION_MINOR * 100u + NNRT_VERSION_PATCH);
}

static void a_model_runs(const char *folder) {
  nnrt_model *model = open_model(folder, "mlp.nnrt");
  nnrt_session *session = NULL;
  CHECK_STATUS(nnrt_session_create(model, NULL, &session), NNRT_OK);
  // The session keeps what it needs.
  nnrt_model_close(model);

  float pixels[3][16] = {{0}};
  for (int i = 0; i < 48; i++) pixels[i / 16][i % 16] = (float)i / 48;
  const int64_t dims[2] = {3, 16}, one[2] = {1, 16};
  nnrt_tensor view;
  float together[3][4];
  CHECK_STATUS(nnrt_session_set_input(session, 0, NNRT_DTYPE_F32, dims, 2, pixels, sizeof pixels), NNRT_OK);
  CHECK_STATUS(nnrt_session_run(session), NNRT_OK);
  CHECK_STATUS(nnrt_session_output(session, 0, &view), NNRT_OK);
  CHECK(view.dtype == NNRT_DTYPE_F32 && view.rank == 2 && view.dims[0] == 3 && view.dims[1] == 4);
  CHECK(view.size == sizeof together);
  memcpy(together, view.data, view.size);
  for (int row = 0; row < 3; row++) {
    float sum = together[row][0] + together[row][1] + together[row][2] + together[row][3];
    CHECK(sum > 0.999f && sum < 1.001f);
    // One row alone gives the same bits; the data may lie anywhere.
    unsigned char shifted[sizeof pixels[0] + 1];
    memcpy(shifted + 1, pixels[row], sizeof pixels[row]);
    CHECK_STATUS(nnrt_session_set_input(session, 0, NNRT_DTYPE_F32, one, 2, shifted + 1, 64), NNRT_OK);
    CHECK_STATUS(nnrt_session_run(session), NNRT_OK);
    CHECK_STATUS(nnrt_session_output(session, 0, &view), NNRT_OK);
    CHECK(view.dims[0] == 1 && memcmp(view.data, together[row], sizeof together[row]) == 0);
  }

  // A result ends when an input is set, of whatever size.
  CHECK_STATUS(nnrt_session_set_input(session, 0, NNRT_DTYPE_F32, one, 2, pixels, 64), NNRT_OK);
  CHECK_STATUS(nnrt_session_output(session, 0, &view), NNRT_INVALID_STATE);
  CHECK(strstr(nnrt_error_message(), "until the next input is set") != NULL);

  // No rows at all.
  const int64_t none[2] = {0, 16};
  CHECK_STATUS(nnrt_session_set_input(session, 0, NNRT_DTYPE_F32, none, 2, NULL, 0), NNRT_OK);
  CHECK_STATUS(nnrt_session_run(session), NNRT_OK);
  CHECK_STATUS(nnrt_session_output(session, 0, &view), NNRT_OK);
  CHECK(view.size == 0 && view.data != NULL && view.dims[0] == 0 && view.dims[1] == 4);
  nnrt_session_destroy(session);
}

static void one_call_is_all_three(const char *folder) {
  nnrt_model *model = open_model(folder, "lookup.nnrt");
  nnrt_session *session = NULL;
  CHECK_STATUS(nnrt_session_create(model, NULL, &session), NNRT_OK);
  const float table[4][3] = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}, {10, 11, 12}};
  const int64_t rows[2] = {3, 0}, wrong[2] = {3, 4};
  nnrt_tensor inputs[2] = {{NNRT_DTYPE_F32, 2, {4, 3}, table, sizeof table}, {NNRT_DTYPE_I64, 1, {2}, rows, sizeof rows}};
  nnrt_tensor outputs[2], again;
  CHECK_STATUS(nnrt_session_call(session, NULL, 0, NULL, 0), NNRT_INVALID_STATE);
  CHECK_STATUS(nnrt_session_call(session, inputs, 2, outputs, 2), NNRT_OK);
  CHECK(outputs[0].rank == 2 && outputs[0].dims[0] == 2 && outputs[0].dims[1] == 3);
  CHECK(memcmp(outputs[0].data, table[3], 12) == 0 && memcmp((const char *)outputs[0].data + 12, table[0], 12) == 0);
  CHECK(outputs[1].rank == 1 && ((const float *)outputs[1].data)[0] == 33 && ((const float *)outputs[1].data)[1] == 6);
  CHECK_STATUS(nnrt_session_output(session, 1, &again), NNRT_OK);
  CHECK(again.data == outputs[1].data && again.size == outputs[1].size && again.dtype == outputs[1].dtype);

  // Inputs that are not given stay; outputs need not be asked for.
  const float other[1][3] = {{5, 5, 5}};
  const nnrt_tensor small = {NNRT_DTYPE_F32, 2, {1, 3}, other, sizeof other};
  CHECK_STATUS(nnrt_session_call(session, &small, 1, NULL, 0), NNRT_INDEX_OUT_OF_RANGE);
  CHECK_STATUS(nnrt_session_call(session, inputs, 1, NULL, 0), NNRT_OK);
  CHECK_STATUS(nnrt_session_call(session, NULL, 0, outputs, 1), NNRT_OK);
  CHECK(memcmp(outputs[0].data, table[3], 12) == 0);

  // Nothing is written where something is wrong.
  const size_t wild[] = {3, SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX};
  memset(outputs, 0x55, sizeof outputs);
  again = outputs[0];
  for (size_t i = 0; i < sizeof wild / sizeof *wild; i++) {
    CHECK_STATUS(nnrt_session_call(session, inputs, wild[i], outputs, 2), NNRT_INVALID_ARGUMENT);
    CHECK_STATUS(nnrt_session_call(session, inputs, 2, outputs, wild[i]), NNRT_INVALID_ARGUMENT);
    nnrt_tensor bad = inputs[0];
    bad.rank = wild[i] == 3 ? 9 : wild[i];
    CHECK_STATUS(nnrt_session_call(session, &bad, 1, outputs, 2), NNRT_SHAPE_MISMATCH);
    bad = inputs[0];
    bad.size = wild[i];
    CHECK_STATUS(nnrt_session_call(session, &bad, 1, outputs, 2), NNRT_INVALID_ARGUMENT);
  }
  CHECK_STATUS(nnrt_session_call(session, NULL, 1, outputs, 2), NNRT_INVALID_ARGUMENT);
  CHECK_STATUS(nnrt_session_call(session, inputs, 2, NULL, 1), NNRT_INVALID_ARGUMENT);
  CHECK_STATUS(nnrt_session_call(NULL, inputs, 2, outputs, 2), NNRT_INVALID_ARGUMENT);
  inputs[1].data = wrong;
  CHECK_STATUS(nnrt_session_call(session, inputs, 2, outputs, 2), NNRT_INDEX_OUT_OF_RANGE);
  CHECK(memcmp(&outputs[0], &again, sizeof again) == 0);
  inputs[1].data = rows;
  CHECK_STATUS(nnrt_session_call(session, inputs, 2, outputs, 2), NNRT_OK);
  nnrt_session_destroy(session);
  nnrt_model_close(model);
}

static void states_are_carried(const char *folder) {
  nnrt_model *model = open_model(folder, "counter.nnrt");
  nnrt_session *session = NULL;
  CHECK_STATUS(nnrt_session_create(model, NULL, &session), NNRT_OK);
  const int64_t dims[1] = {1};
  const float step = 2;
  CHECK_STATUS(nnrt_session_set_input(session, 0, NNRT_DTYPE_F32, dims, 1, &step, 4), NNRT_OK);
  for (int run = 1; run <= 5; run++) {
    nnrt_tensor view;
    CHECK_STATUS(nnrt_session_run(session), NNRT_OK);
    CHECK_STATUS(nnrt_session_output(session, 0, &view), NNRT_OK);
    CHECK(((const float *)view.data)[0] == 2.0f * run);
  }
  size_t state = 9;
  CHECK_STATUS(nnrt_model_find_input(model, "count", &state), NNRT_OK);
  CHECK(nnrt_model_input_is_state(model, state) == 1 && nnrt_model_input_is_state(model, 0) == 0);
  CHECK(nnrt_model_input_is_state(model, 2) == 0 && strstr(nnrt_error_message(), "there is no input 2"));
  CHECK(nnrt_model_input_is_state(NULL, 0) == 0 && strstr(nnrt_error_message(), "model is NULL"));
  // A new sequence; then one that begins at 10.
  CHECK_STATUS(nnrt_session_reset(NULL), NNRT_INVALID_ARGUMENT);
  CHECK_STATUS(nnrt_session_reset(session), NNRT_OK);
  nnrt_tensor view, inputs[2];
  CHECK_STATUS(nnrt_session_output(session, 0, &view), NNRT_INVALID_STATE);
  memset(inputs, 0, sizeof inputs);
  const float first = 10;
  for (int run = 1; run <= 4; run++) {
    // A tensor of zero bytes leaves its input as it is.
    CHECK_STATUS(nnrt_session_call(session, inputs, 2, &view, 1), NNRT_OK);
    CHECK(((const float *)view.data)[0] == 2.0f * run);
  }
  inputs[state].dtype = NNRT_DTYPE_F32;
  inputs[state].rank = 1;
  inputs[state].dims[0] = 1;
  inputs[state].data = &first;
  inputs[state].size = sizeof first;
  CHECK_STATUS(nnrt_session_call(session, inputs, 2, &view, 1), NNRT_OK);
  CHECK(((const float *)view.data)[0] == 12.0f);
  nnrt_session_destroy(session);
  nnrt_model_close(model);
}

static void bad_arguments_for_models(const char *folder) {
  nnrt_model *model = (nnrt_model *)&model;
  nnrt_tensor_info info;
  size_t index;
  CHECK_STATUS(nnrt_model_open(NULL, NULL, &model), NNRT_INVALID_ARGUMENT);
  CHECK(model == NULL);
  CHECK_STATUS(nnrt_model_open("x", NULL, NULL), NNRT_INVALID_ARGUMENT);
  CHECK_STATUS(nnrt_model_open("/nowhere/at/all.nnrt", NULL, &model), NNRT_FILE_ACCESS);
  CHECK(strstr(nnrt_error_message(), "/nowhere/at/all.nnrt") != NULL);
  CHECK_STATUS(nnrt_model_open(folder, NULL, &model), NNRT_FILE_ACCESS);
  CHECK_STATUS(nnrt_model_open("", NULL, &model), NNRT_FILE_ACCESS);
  CHECK_STATUS(nnrt_model_open("/dev/null", NULL, &model), NNRT_FILE_ACCESS);
  CHECK(strstr(nnrt_error_message(), "no regular file") != NULL);
  // A pipe that nobody writes into is not waited for.
  char fifo[1024];
  snprintf(fifo, sizeof fifo, "%s/pipe", folder);
  unlink(fifo);
  CHECK(mkfifo(fifo, 0600) == 0);
  CHECK_STATUS(nnrt_model_open(fifo, NULL, &model), NNRT_FILE_ACCESS);
  CHECK(unlink(fifo) == 0);
  CHECK_STATUS(nnrt_model_open_memory(NULL, 0, NULL, &model), NNRT_NOT_A_NNRT_FILE);
  CHECK_STATUS(nnrt_model_open_memory(NULL, 10, NULL, &model), NNRT_INVALID_ARGUMENT);
  CHECK_STATUS(nnrt_model_open_memory("NNRT", (size_t)-1, NULL, &model), NNRT_INVALID_ARGUMENT);
  CHECK_STATUS(nnrt_model_open_memory("NNRT", SIZE_MAX / 2 + 1, NULL, &model), NNRT_INVALID_ARGUMENT);
  CHECK_STATUS(nnrt_model_open_memory("NNRT", SIZE_MAX / 2, NULL, &model), NNRT_LIMIT_EXCEEDED);
  CHECK_STATUS(nnrt_model_open_memory("NNRT", 4, NULL, NULL), NNRT_INVALID_ARGUMENT);
  CHECK(nnrt_model_open_memory("NNRT", 4, NULL, &model) != NNRT_OK && model == NULL);
  CHECK_STATUS(nnrt_model_open_memory("GIF89a, and more than any header has bytes, padded to be long enough: "
                                      "................................................................",
                                      134, NULL, &model),
               NNRT_NOT_A_NNRT_FILE);

  nnrt_model_close(NULL);
  CHECK(nnrt_model_input_count(NULL) == 0 && nnrt_model_output_count(NULL) == 0);
  CHECK(nnrt_model_metadata_count(NULL) == 0 && nnrt_model_self_test_count(NULL) == 0);
  CHECK(nnrt_model_metadata_key(NULL, 0) == NULL && nnrt_model_metadata_value(NULL, 0) == NULL);
  CHECK(nnrt_model_metadata_find(NULL, "name") == NULL);
  CHECK_STATUS(nnrt_model_input_info(NULL, 0, &info), NNRT_INVALID_ARGUMENT);
  CHECK_STATUS(nnrt_model_output_info(NULL, 0, &info), NNRT_INVALID_ARGUMENT);
  CHECK_STATUS(nnrt_model_find_input(NULL, "a", &index), NNRT_INVALID_ARGUMENT);
  CHECK_STATUS(nnrt_model_find_output(NULL, "a", &index), NNRT_INVALID_ARGUMENT);
  CHECK_STATUS(nnrt_model_self_test(NULL, NULL), NNRT_INVALID_ARGUMENT);

  model = open_model(folder, "mlp.nnrt");
  const size_t wild[] = {1, 2, 1000, SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX};
  for (size_t i = 0; i < sizeof wild / sizeof *wild; i++) {
    CHECK_STATUS(nnrt_model_input_info(model, wild[i], &info), NNRT_INVALID_ARGUMENT);
    CHECK_STATUS(nnrt_model_output_info(model, wild[i], &info), NNRT_INVALID_ARGUMENT);
    if (wild[i] < 1000) continue;
    CHECK(nnrt_model_metadata_key(model, wild[i]) == NULL);
    CHECK(nnrt_model_metadata_value(model, wild[i]) == NULL);
  }
  CHECK_STATUS(nnrt_model_input_info(model, 0, NULL), NNRT_INVALID_ARGUMENT);
  CHECK_STATUS(nnrt_model_output_info(model, 0, NULL), NNRT_INVALID_ARGUMENT);
  CHECK_STATUS(nnrt_model_find_input(model, NULL, &index), NNRT_INVALID_ARGUMENT);
  CHECK_STATUS(nnrt_model_find_input(model, "pixels", NULL), NNRT_INVALID_ARGUMENT);
  CHECK(nnrt_model_metadata_find(model, NULL) == NULL);
  nnrt_model_close(model);
}

static void bad_options(const char *folder) {
  const char *path = model_path(folder, "wide.nnrt");
  nnrt_model *model = NULL;
  nnrt_model_options options = {0};
  CHECK_STATUS(nnrt_model_open(path, &options, &model), NNRT_INVALID_ARGUMENT);
  CHECK(strstr(nnrt_error_message(), "struct_size") != NULL);
  options.struct_size = SIZE_MAX;
  CHECK_STATUS(nnrt_model_open(path, &options, &model), NNRT_INVALID_ARGUMENT);
  options.struct_size = sizeof options.struct_size;
  options.memory_limit = 1;
  CHECK_STATUS(nnrt_model_open(path, &options, &model), NNRT_OK); // the limit lies beyond the size
  nnrt_model_close(model);
  options.struct_size = sizeof options;
  CHECK_STATUS(nnrt_model_open(path, &options, &model), NNRT_LIMIT_EXCEEDED);
  options.memory_limit = UINT64_MAX;
  options.threads = 257;
  CHECK_STATUS(nnrt_model_open(path, &options, &model), NNRT_INVALID_ARGUMENT);
  options.threads = 3;
  options.reserved = 1;
  CHECK_STATUS(nnrt_model_open(path, &options, &model), NNRT_INVALID_ARGUMENT);
  options.reserved = 0;
  CHECK_STATUS(nnrt_model_open(path, &options, &model), NNRT_OK);

  struct {
    nnrt_session_options known;
    uint64_t later;
  } larger;
  memset(&larger, 0, sizeof larger);
  larger.known.struct_size = sizeof larger;
  nnrt_session *session = NULL;
  CHECK_STATUS(nnrt_session_create(model, &larger.known, &session), NNRT_OK);
  nnrt_session_destroy(session);
  larger.later = 1;
  CHECK_STATUS(nnrt_session_create(model, &larger.known, &session), NNRT_INVALID_ARGUMENT);
  CHECK(session == NULL);
  larger.known.struct_size = sizeof larger.known;
  larger.known.threads = 257;
  CHECK_STATUS(nnrt_session_create(model, &larger.known, &session), NNRT_INVALID_ARGUMENT);
  larger.known.threads = UINT32_MAX;
  CHECK_STATUS(nnrt_session_create(model, &larger.known, &session), NNRT_INVALID_ARGUMENT);
  larger.known.threads = 0;
  larger.known.instruction_set = (nnrt_instruction_set)4;
  CHECK_STATUS(nnrt_session_create(model, &larger.known, &session), NNRT_INVALID_ARGUMENT);
  larger.known.instruction_set = (nnrt_instruction_set)-1;
  CHECK_STATUS(nnrt_session_create(model, &larger.known, &session), NNRT_INVALID_ARGUMENT);
  larger.known.instruction_set = NNRT_ISA_BASELINE;
  larger.known.memory_limit = 1000;
  CHECK_STATUS(nnrt_session_create(model, &larger.known, &session), NNRT_OK);
  CHECK_STATUS(set_inputs(model, session, 50, 1), NNRT_OK);
  CHECK_STATUS(nnrt_session_run(session), NNRT_LIMIT_EXCEEDED);
  nnrt_session_destroy(session);
  nnrt_model_close(model);
}

static void bad_arguments_for_sessions(const char *folder) {
  nnrt_model *model = open_model(folder, "mlp.nnrt");
  nnrt_session *session = (nnrt_session *)&session;
  nnrt_tensor view;
  float pixels[16] = {0};
  const int64_t dims[2] = {1, 16};
  CHECK_STATUS(nnrt_session_create(NULL, NULL, &session), NNRT_INVALID_ARGUMENT);
  CHECK(session == NULL);
  CHECK_STATUS(nnrt_session_create(model, NULL, NULL), NNRT_INVALID_ARGUMENT);
  nnrt_session_destroy(NULL);
  CHECK_STATUS(nnrt_session_set_input(NULL, 0, NNRT_DTYPE_F32, dims, 2, pixels, 64), NNRT_INVALID_ARGUMENT);
  CHECK_STATUS(nnrt_session_run(NULL), NNRT_INVALID_ARGUMENT);
  CHECK_STATUS(nnrt_session_output(NULL, 0, &view), NNRT_INVALID_ARGUMENT);

  CHECK_STATUS(nnrt_session_create(model, NULL, &session), NNRT_OK);
  CHECK_STATUS(nnrt_session_output(session, 0, &view), NNRT_INVALID_STATE);
  CHECK_STATUS(nnrt_session_run(session), NNRT_INVALID_STATE);
  CHECK(strstr(nnrt_error_message(), "pixels") != NULL);

  const size_t wild[] = {1, 9, SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX};
  for (size_t i = 0; i < sizeof wild / sizeof *wild; i++) {
    const size_t bad = wild[i];
    CHECK_STATUS(nnrt_session_set_input(session, bad, NNRT_DTYPE_F32, dims, 2, pixels, 64), NNRT_INVALID_ARGUMENT);
    CHECK_STATUS(nnrt_session_output(session, bad, &view), NNRT_INVALID_ARGUMENT);
    CHECK_STATUS(nnrt_session_set_input(session, 0, NNRT_DTYPE_F32, dims, bad, pixels, 64), NNRT_SHAPE_MISMATCH);
    CHECK_STATUS(nnrt_session_set_input(session, 0, NNRT_DTYPE_F32, dims, 2, pixels, bad), NNRT_INVALID_ARGUMENT);
  }
  CHECK_STATUS(nnrt_session_set_input(session, 0, NNRT_DTYPE_F32, NULL, 2, pixels, 64), NNRT_INVALID_ARGUMENT);
  CHECK_STATUS(nnrt_session_set_input(session, 0, NNRT_DTYPE_F32, NULL, 0, pixels, 4), NNRT_SHAPE_MISMATCH);
  CHECK_STATUS(nnrt_session_set_input(session, 0, NNRT_DTYPE_F32, dims, 2, NULL, 64), NNRT_INVALID_ARGUMENT);
  CHECK_STATUS(nnrt_session_set_input(session, 0, NNRT_DTYPE_F64, dims, 2, pixels, 64), NNRT_DTYPE_MISMATCH);
  const int dtypes[] = {0, -1, 5, 33, 257, INT32_MAX, INT32_MIN};
  for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
    CHECK_STATUS(nnrt_session_set_input(session, 0, (nnrt_dtype)dtypes[i], dims, 2, pixels, 64),
                 NNRT_INVALID_ARGUMENT);
  }
  const int64_t shapes[][2] = {{1, 15},        {16, 1},         {-1, 16},       {INT64_MAX, 16},
                               {INT64_MIN, 1}, {1, INT64_MAX}, {1LL << 60, 16}, {0, 15}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    CHECK_STATUS(nnrt_session_set_input(session, 0, NNRT_DTYPE_F32, shapes[i], 2, pixels, 64), NNRT_SHAPE_MISMATCH);
  }
  CHECK_STATUS(nnrt_session_set_input(session, 0, NNRT_DTYPE_F32, dims, 2, pixels, 63), NNRT_INVALID_ARGUMENT);
  CHECK_STATUS(nnrt_session_output(session, 0, NULL), NNRT_INVALID_ARGUMENT);

  // After all this the session is as good as new.
  CHECK_STATUS(nnrt_session_set_input(session, 0, NNRT_DTYPE_F32, dims, 2, pixels, 64), NNRT_OK);
  CHECK_STATUS(nnrt_session_run(session), NNRT_OK);
  CHECK_STATUS(nnrt_session_output(session, 0, &view), NNRT_OK);
  nnrt_session_destroy(session);
  nnrt_model_close(model);
}

static void bad_values_among_inputs(const char *folder) {
  nnrt_model *model = open_model(folder, "lookup.nnrt");
  nnrt_session *session = NULL;
  CHECK_STATUS(nnrt_session_create(model, NULL, &session), NNRT_OK);
  float table[4][3] = {{0}};
  const int64_t table_dims[2] = {4, 3}, row_dims[1] = {2};
  const int64_t rows[][2] = {{0, 4}, {-5, 0}, {INT64_MAX, 0}, {INT64_MIN, 0}};
  CHECK_STATUS(nnrt_session_set_input(session, 0, NNRT_DTYPE_F32, table_dims, 2, table, sizeof table), NNRT_OK);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    nnrt_tensor view;
    CHECK_STATUS(nnrt_session_set_input(session, 1, NNRT_DTYPE_I64, row_dims, 1, rows[i], 16), NNRT_OK);
    CHECK_STATUS(nnrt_session_run(session), NNRT_INDEX_OUT_OF_RANGE);
    CHECK_STATUS(nnrt_session_output(session, 0, &view), NNRT_INVALID_STATE);
  }
  const int64_t good[2] = {3, -4};
  CHECK_STATUS(nnrt_session_set_input(session, 1, NNRT_DTYPE_I64, row_dims, 1, good, 16), NNRT_OK);
  CHECK_STATUS(nnrt_session_run(session), NNRT_OK);
  nnrt_session_destroy(session);
  nnrt_model_close(model);
}

static void long_messages_are_cut_between_characters(void) {
  char path[4000];
  for (size_t shift = 0; shift < 3; shift++) {
    memset(path, 'a', shift);
    size_t length = shift;
    // U+20AC, three bytes each
    while (length + 4 < sizeof path) {
      memcpy(path + length, "\xe2\x82\xac", 3);
      length += 3;
    }
    path[length] = 0;
    nnrt_model *model = NULL;
    CHECK_STATUS(nnrt_model_open(path, NULL, &model), NNRT_FILE_ACCESS);
    const char *message = nnrt_error_message();
    size_t end = strlen(message);
    CHECK(end <= 1023 && end > 1000);
    size_t continued = 0;
    while (((unsigned char)message[end - 1 - continued] & 0xc0) == 0x80) continued++;
    CHECK(continued == 2 && (unsigned char)message[end - 3] == 0xe2);
  }
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  CHECK(nnrt_error_message()[0] == 0);
  names_and_numbers();
  everything_about_a_model_is_told(argv[1]);
  a_model_runs(argv[1]);
  one_call_is_all_three(argv[1]);
  states_are_carried(argv[1]);
  bad_arguments_for_models(argv[1]);
  bad_options(argv[1]);
  bad_arguments_for_sessions(argv[1]);
  bad_values_among_inputs(argv[1]);
  long_messages_are_cut_between_characters();
  return 0;
}
