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

// Has the kernel map a file piece by piece. Where its cache holds a file in huge pages or other large ones, it would map each whole
// with the first byte read, up to 2 MiB of resident memory. It does not map beyond an area of one kind, so every other piece is made an
// area that is read in sequence. All are: nothing else changes. Without that the file is mapped as well. A process may have some ten
// thousand areas: of the largest file there are no more than 256 pieces.
static inline void nnp_map_piece_by_piece(char *_Nonnull bytes, size_t size) {
  size_t piece = (size_t)1 << 18;
  while ((size - 1) / piece >= 256) piece *= 2;
  for (size_t begin = piece; begin < size; begin += 2 * piece) {
    madvise(bytes + begin, size - begin < piece ? size - begin : piece, MADV_SEQUENTIAL);
    if (size - begin <= 2 * piece) break;
  }
}

// Maps a regular file for reading; for another one that is no folder the result is EINVAL. An empty file gives bytes == NULL and size == 0.
// It is in pieces until nnp_file_join_pieces().
static inline int nnp_file_map(const char *_Nonnull path, nnp_mapping *_Nonnull mapping) {
  mapping->bytes = NULL;
  mapping->size = 0;
  // A pipe would be waited for until somebody writes into it.
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
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
    nnp_map_piece_by_piece((char *)bytes, mapping->size);
  }
  close(file);
  return 0;
}

// To be called when the file has been read: it becomes one area again.
static inline void nnp_file_join_pieces(nnp_mapping mapping) {
  if (mapping.bytes) madvise(mapping.bytes, mapping.size, MADV_NORMAL);
}

static inline void nnp_file_unmap(nnp_mapping mapping) {
  if (mapping.bytes) munmap(mapping.bytes, mapping.size);
}

// A file under construction: a temporary one beside its place.
typedef struct {
  int file;
  char *_Nullable temporary;
} nnp_new_file;

// Closes and removes a file under construction.
static inline void nnp_new_file_abandon(nnp_new_file *_Nonnull new_file) {
  if (new_file->file >= 0) close(new_file->file);
  if (new_file->temporary) unlink(new_file->temporary);
  free(new_file->temporary);
  new_file->file = -1;
  new_file->temporary = NULL;
}

static inline int nnp_new_file_begin(const char *_Nonnull path, nnp_new_file *_Nonnull new_file) {
  size_t length = strlen(path);
  new_file->file = -1;
  new_file->temporary = (char *)malloc(length + 12);
  if (!new_file->temporary) return ENOMEM;
  memcpy(new_file->temporary, path, length);
  memcpy(new_file->temporary + length, ".tmp-XXXXXX", 12);
  new_file->file = mkstemp(new_file->temporary);
  if (new_file->file < 0) {
    int error = errno;
    free(new_file->temporary);
    new_file->temporary = NULL;
    return error;
  }
  // mkstemp makes files private; give what open(2) would have given.
  mode_t mask = umask(0);
  umask(mask);
  int error = fchmod(new_file->file, 0666 & ~mask) == 0 ? 0 : errno;
  if (error != 0) nnp_new_file_abandon(new_file);
  return error;
}

static inline int nnp_new_file_append(nnp_new_file *_Nonnull new_file, const void *_Nullable bytes, size_t size) {
  const char *next = (const char *)bytes;
  while (size > 0) {
    ssize_t written = write(new_file->file, next, size);
    if (written < 0) {
      if (errno != EINTR) return errno;
      continue;
    }
    next += written;
    size -= (size_t)written;
  }
  return 0;
}

// Puts the file at `path` in one step: fsync, rename, fsync of the folder. On failure what was there is untouched, and the
// temporary file is gone.
static inline int nnp_new_file_commit(nnp_new_file *_Nonnull new_file, const char *_Nonnull path) {
  int error = fsync(new_file->file) == 0 ? 0 : errno;
  if (close(new_file->file) != 0 && error == 0) error = errno;
  new_file->file = -1;
  if (error == 0 && rename(new_file->temporary, path) != 0) error = errno;
  if (error == 0) {
    free(new_file->temporary);
    new_file->temporary = NULL;
  }
  nnp_new_file_abandon(new_file);
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

// Replaces `path` by `size` bytes in one step. On failure the old file is untouched and the temporary file is gone.
static inline int nnp_file_write_atomically(const char *_Nonnull path, const void *_Nullable bytes, size_t size) {
  nnp_new_file new_file;
  int error = nnp_new_file_begin(path, &new_file);
  if (error != 0) return error;
  error = nnp_new_file_append(&new_file, bytes, size);
  if (error != 0) {
    nnp_new_file_abandon(&new_file);
    return error;
  }
  return nnp_new_file_commit(&new_file, path);
}

// The words for an errno value.
static inline const char *_Nonnull nnp_error_text(int error) { return strerror(error); }

#endif
