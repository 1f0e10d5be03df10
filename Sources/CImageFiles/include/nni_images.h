// PNG and JPEG through libpng and libjpeg. Both report errors with longjmp; here it never leaves the C function that was
// called, so that no frame of Swift is jumped over. Every function gives 0 or one of the codes below with a sentence.
#ifndef NNI_IMAGES_H
#define NNI_IMAGES_H

#include <stddef.h>
#include <stdint.h>

enum { NNI_CORRUPT = 1, NNI_OUT_OF_MEMORY = 2, NNI_LIMIT = 3, NNI_UNSUPPORTED = 4 };

#define NNI_MESSAGE_SIZE 256

// Row by row, the channels of a pixel side by side; 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha.
typedef struct {
  uint8_t *_Nullable pixels; // the caller frees them with nni_free
  size_t width, height, channels;
} nni_image;

// `limit` is the largest width · height · channels that is accepted.
int nni_png_decode(const uint8_t *_Nonnull bytes, size_t size, size_t limit, nni_image *_Nonnull image,
    char *_Nonnull message);
int nni_jpeg_decode(const uint8_t *_Nonnull bytes, size_t size, size_t limit, nni_image *_Nonnull image,
    char *_Nonnull message);

// Eight bits a channel; 1 gray, 3 RGB. The caller frees the file's bytes with nni_free.
int nni_png_encode(const uint8_t *_Nonnull pixels, size_t width, size_t height, size_t channels,
    uint8_t *_Nullable *_Nonnull bytes, size_t *_Nonnull size, char *_Nonnull message);

void nni_free(void *_Nullable memory);

#endif
