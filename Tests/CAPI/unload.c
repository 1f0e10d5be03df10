// A host that loads the library, runs on several threads, and unloads it, lives on.
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <nnrt.h>

#define FIND(name) __typeof__(name) *name##_ = (__typeof__(name) *)dlsym(library, #name)

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  for (int round = 0; round < 3; round++) {
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      fprintf(stderr, "%s\n", dlerror());
      return 1;
    }
    FIND(nnrt_model_open);
    FIND(nnrt_model_close);
    FIND(nnrt_session_create);
    FIND(nnrt_session_set_input);
    FIND(nnrt_session_run);
    FIND(nnrt_session_destroy);
    static float x[32][512];
    const int64_t dims[2] = {32, 512};
    nnrt_model *model = NULL;
    nnrt_session *session = NULL;
    nnrt_session_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.threads = 4;
    if (nnrt_model_open_(argv[2], NULL, &model) != NNRT_OK) return 1;
    if (nnrt_session_create_(model, &options, &session) != NNRT_OK) return 1;
    if (nnrt_session_set_input_(session, 0, NNRT_DTYPE_F32, dims, 2, x, sizeof x) != NNRT_OK) return 1;
    if (nnrt_session_run_(session) != NNRT_OK) return 1;
    nnrt_session_destroy_(session);
    nnrt_model_close_(model);
    dlclose(library);
    usleep(20000);
  }
  return 0;
}
