// Reading, mapping and atomically writing whole files. Results are 0 or an errno value.
#ifndef NNP_FILES_H
#define NNP_FILES_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  void *_Nullable bytes;
  size_t size;
} nnp_mapping;

// Maps a regular file for reading. An empty file gives bytes == NULL and size == 0.
static inline int nnp_file_map(const char *_Nonnull path, nnp_mapping *_Nonnull mapping) {
  mapping->bytes = NULL;
  mapping->size = 0;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return errno;
  struct stat status;
  if (fstat(file, &status) != 0) {
    int error = errno;
    close(file);
    return error;
  }
  if (!S_ISREG(status.st_mode)) {
    close(file);
    return S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
  }
  if (status.st_size > 0) {
    void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes == MAP_FAILED) {
      int error = errno;
      close(file);
      return error;
    }
    mapping->bytes = bytes;
    mapping->size = (size_t)status.st_size;
  }
  close(file);
  return 0;
}

static inline void nnp_file_unmap(nnp_mapping mapping) {
  if (mapping.bytes) munmap(mapping.bytes, mapping.size);
}

// Replaces `path` by `size` bytes in one step: a temporary file beside it, fsync, rename, fsync of the folder.
// On failure the old file is untouched and the temporary file is gone.
static inline int nnp_file_write_atomically(const char *_Nonnull path, const void *_Nullable bytes, size_t size) {
  size_t length = strlen(path);
  char *temporary = (char *)malloc(length + 12);
  if (!temporary) return ENOMEM;
  memcpy(temporary, path, length);
  memcpy(temporary + length, ".tmp-XXXXXX", 12);
  int file = mkstemp(temporary);
  if (file < 0) {
    int error = errno;
    free(temporary);
    return error;
  }
  // mkstemp makes files private; give what open(2) would have given.
  mode_t mask = umask(0);
  umask(mask);
  int error = fchmod(file, 0666 & ~mask) == 0 ? 0 : errno;
  const char *next = (const char *)bytes;
  while (error == 0 && size > 0) {
    ssize_t written = write(file, next, size);
    if (written < 0) {
      if (errno != EINTR) error = errno;
      continue;
    }
    next += written;
    size -= (size_t)written;
  }
  if (error == 0 && fsync(file) != 0) error = errno;
  if (close(file) != 0 && error == 0) error = errno;
  if (error == 0 && rename(temporary, path) != 0) error = errno;
  if (error != 0) unlink(temporary);
  free(temporary);
  if (error != 0) return error;
  char *folder = strdup(path);
  if (folder) {
    char *slash = strrchr(folder, '/');
    if (slash == folder) slash[1] = 0;
    else if (slash) *slash = 0;
    int directory = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0) {
      fsync(directory);
      close(directory);
    }
    free(folder);
  }
  return 0;
}

// The words for an errno value.
static inline const char *_Nonnull nnp_error_text(int error) { return strerror(error); }

#endif
