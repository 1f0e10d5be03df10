// Reading, mapping and atomically writing whole files. Results are 0 or an errno value.
#ifndef NNP_FILES_H
#define NNP_FILES_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nnp_memory.h"

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
  if (mapping.bytes) nnp_will_keep_mapped(mapping.bytes, mapping.size);
}

static inline void nnp_file_unmap(nnp_mapping mapping) {
  if (mapping.bytes) munmap(mapping.bytes, mapping.size);
}

// A file under construction: a temporary one beside its place, or what is no regular file and is written to as it is.
typedef struct {
  int file;
  // NULL for what is written to as it is.
  char *_Nullable temporary;
  // Where the file will stand: the path, symbolic links followed.
  char *_Nullable place;
} nnp_new_file;

// Closes and removes a file under construction.
static inline void nnp_new_file_abandon(nnp_new_file *_Nonnull new_file) {
  if (new_file->file >= 0) close(new_file->file);
  if (new_file->temporary) unlink(new_file->temporary);
  free(new_file->temporary);
  free(new_file->place);
  new_file->file = -1;
  new_file->temporary = NULL;
  new_file->place = NULL;
}

// Where a path leads when the symbolic links that it ends in are followed, also to what is not there yet. To be freed; NULL with errno.
static inline char *_Nullable nnp_follow_links(const char *_Nonnull path) {
  char *place = strdup(path);
  char *target = (char *)malloc(PATH_MAX + 1);
  for (int links = 0; place && target; links++) {
    ssize_t length = readlink(place, target, PATH_MAX);
    if (length < 0) {
      free(target);
      return place;
    }
    if (links == 40) {
      errno = ELOOP;
      break;
    }
    target[length] = 0;
    char *slash = target[0] == '/' ? NULL : strrchr(place, '/');
    size_t folder = slash ? (size_t)(slash - place) + 1 : 0;
    char *next = (char *)malloc(folder + (size_t)length + 1);
    if (next) {
      memcpy(next, place, folder);
      memcpy(next + folder, target, (size_t)length + 1);
    }
    free(place);
    place = next;
  }
  free(place);
  free(target);
  return NULL;
}

// What stands at a path: 0, with st_mode 0 for nothing, or an errno value for a path that no file can have.
static inline int nnp_file_status(const char *_Nonnull path, struct stat *_Nonnull status) {
  memset(status, 0, sizeof *status);
  if (path[0] == 0) return ENOENT;
  if (stat(path, status) != 0) return errno == ENOENT ? 0 : errno;
  return S_ISDIR(status->st_mode) ? EISDIR : 0;
}

// The program's own descriptor for what it has open as standard output or error, whose place in the file is theirs; else -1.
static inline int nnp_standard_stream(const struct stat *_Nonnull status) {
  for (int stream = STDOUT_FILENO; stream <= STDERR_FILENO; stream++) {
    struct stat own;
    if (fstat(stream, &own) == 0 && own.st_dev == status->st_dev && own.st_ino == status->st_ino) {
      return fcntl(stream, F_DUPFD_CLOEXEC, 0);
    }
  }
  return -1;
}

// Makes the temporary file: named after its place, as far as a name may be long.
static inline int nnp_new_file_make_temporary(nnp_new_file *_Nonnull new_file) {
  static const char ending[] = ".tmp-XXXXXX";
  const char *slash = strrchr(new_file->place, '/');
  size_t folder = slash ? (size_t)(slash - new_file->place) + 1 : 0;
  size_t name = strlen(new_file->place) - folder;
  if (name > NAME_MAX - (sizeof ending - 1)) {
    name = NAME_MAX - (sizeof ending - 1);
    while (name > 0 && (new_file->place[folder + name] & 0xC0) == 0x80) name--;  // whole characters of UTF-8
  }
  new_file->temporary = (char *)malloc(folder + name + sizeof ending);
  if (!new_file->temporary) return ENOMEM;
  memcpy(new_file->temporary, new_file->place, folder + name);
  memcpy(new_file->temporary + folder + name, ending, sizeof ending);
  new_file->file = mkstemp(new_file->temporary);
  if (new_file->file >= 0) return 0;
  int error = errno;
  free(new_file->temporary);
  new_file->temporary = NULL;
  return error;
}

// Gives a file the owner of an old one, as far as that is allowed, and says which mode it is to have then: another group gets no more
// than everybody.
static inline mode_t nnp_take_owner(int file, const struct stat *_Nonnull old) {
  mode_t mode = old->st_mode & 07777;
  if (fchown(file, old->st_uid, old->st_gid) == 0) return mode;
  mode &= 0777;
  if (fchown(file, (uid_t)-1, old->st_gid) != 0) mode &= 0707 | (mode & 07) << 3;
  return mode;
}

// A regular file keeps its mode and, as far as that is allowed, its owner; a new one is what open(2) would make. One that may not be
// written to is refused, as open(2) would. Devices, pipes and what standard output and error go to are written to as they are.
static inline int nnp_new_file_begin(const char *_Nonnull path, nnp_new_file *_Nonnull new_file) {
  new_file->file = -1;
  new_file->temporary = NULL;
  new_file->place = NULL;
  struct stat old;
  int error = nnp_file_status(path, &old);
  if (error != 0) return error;
  if (old.st_mode != 0) {
    new_file->file = nnp_standard_stream(&old);
    if (new_file->file >= 0) return 0;
    if (!S_ISREG(old.st_mode)) {
      new_file->file = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
      return new_file->file >= 0 ? 0 : errno;
    }
    if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0) return errno;
  }
  new_file->place = nnp_follow_links(path);
  error = new_file->place ? nnp_new_file_make_temporary(new_file) : errno;
  if (error == 0) {
    // mkstemp makes files private.
    mode_t mask = umask(0);
    umask(mask);
    mode_t mode = old.st_mode != 0 ? nnp_take_owner(new_file->file, &old) : 0666 & ~mask;
    if (fchmod(new_file->file, mode) != 0) error = errno;
  }
  if (error != 0) nnp_new_file_abandon(new_file);
  return error;
}

// Whether a file could be written now: 0, or what nnp_new_file_begin would give. Nothing is opened that others would notice.
static inline int nnp_file_check_writable(const char *_Nonnull path) {
  struct stat old;
  int error = nnp_file_status(path, &old);
  if (error != 0) return error;
  if (old.st_mode != 0 && !S_ISREG(old.st_mode)) {
    return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0 ? 0 : errno;
  }
  nnp_new_file new_file;
  error = nnp_new_file_begin(path, &new_file);
  if (error == 0) nnp_new_file_abandon(&new_file);
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

// Puts the file in its place in one step: fsync, rename, fsync of the folder. On failure what was there is untouched, and the
// temporary file is gone. What is written to as it is is closed.
static inline int nnp_new_file_commit(nnp_new_file *_Nonnull new_file) {
  int error = 0;
  if (new_file->temporary && fsync(new_file->file) != 0) error = errno;
  if (close(new_file->file) != 0 && error == 0) error = errno;
  new_file->file = -1;
  if (error == 0 && new_file->temporary) {
    if (rename(new_file->temporary, new_file->place) != 0) {
      error = errno;
    } else {
      free(new_file->temporary);
      new_file->temporary = NULL;
      char *slash = strrchr(new_file->place, '/');
      if (slash == new_file->place) slash[1] = 0;
      else if (slash) *slash = 0;
      int directory = open(slash ? new_file->place : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      if (directory >= 0) {
        fsync(directory);
        close(directory);
      }
    }
  }
  nnp_new_file_abandon(new_file);
  return error;
}

// Replaces `path` by `size` bytes, as nnp_new_file_begin and nnp_new_file_commit do.
static inline int nnp_file_write_atomically(const char *_Nonnull path, const void *_Nullable bytes, size_t size) {
  nnp_new_file new_file;
  int error = nnp_new_file_begin(path, &new_file);
  if (error != 0) return error;
  error = nnp_new_file_append(&new_file, bytes, size);
  if (error != 0) {
    nnp_new_file_abandon(&new_file);
    return error;
  }
  return nnp_new_file_commit(&new_file);
}

// The words for an errno value.
static inline const char *_Nonnull nnp_error_text(int error) { return strerror(error); }

#endif
