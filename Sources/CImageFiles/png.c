#include "nni_images.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What the callbacks of libpng work on. Whoever calls setjmp has it from a caller: what changes between setjmp and longjmp is lost
// in variables of setjmp's own function (C11, 7.13.2.1).
typedef struct {
  int code;
  char *message;
  const uint8_t *from;
  size_t left;
  uint8_t *to;
  size_t size, capacity;
  png_bytep *rows;
  nni_image image;
} state;

static void fail(png_structp png, state *s, int code, const char *text) {
  if (s->code == 0) {
    s->code = code;
    snprintf(s->message, NNI_MESSAGE_SIZE, "%s", text);
  }
  png_longjmp(png, 1);
}

static void on_error(png_structp png, png_const_charp text) { fail(png, png_get_error_ptr(png), NNI_CORRUPT, text); }

static void on_warning(png_structp png, png_const_charp text) { (void)png, (void)text; }

static void read_bytes(png_structp png, png_bytep to, size_t count) {
  state *s = png_get_io_ptr(png);
  if (count > s->left) fail(png, s, NNI_CORRUPT, "the file ends early");
  memcpy(to, s->from, count);
  s->from += count;
  s->left -= count;
}

static void write_bytes(png_structp png, png_bytep from, size_t count) {
  state *s = png_get_io_ptr(png);
  if (count > s->capacity - s->size) {
    size_t capacity = s->size + count + s->capacity / 2 + 4096;
    uint8_t *grown = capacity < count ? NULL : realloc(s->to, capacity);
    if (!grown) fail(png, s, NNI_OUT_OF_MEMORY, "no memory for the file");
    s->to = grown;
    s->capacity = capacity;
  }
  memcpy(s->to + s->size, from, count);
  s->size += count;
}

static void flush_nothing(png_structp png) { (void)png; }

// Eight bits a channel, no palette. Transparency becomes alpha.
static void decode(png_structp png, png_infop info, state *s, size_t limit) {
  png_set_read_fn(png, s, read_bytes);
  png_set_user_limits(png, 1 << 20, 1 << 20);
  png_set_chunk_malloc_max(png, 1 << 24);
  png_set_chunk_cache_max(png, 64);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
  png_read_info(png, info);
  png_set_expand(png);
  png_set_scale_16(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  s->image.width = png_get_image_width(png, info);
  s->image.height = png_get_image_height(png, info);
  s->image.channels = png_get_channels(png, info);
  size_t row = s->image.width * s->image.channels; // at most 2^22
  if (png_get_rowbytes(png, info) != row) fail(png, s, NNI_UNSUPPORTED, "the pixels do not have eight bits a channel");
  if (row == 0 || s->image.height > limit / row) {
    char text[128];
    snprintf(text, sizeof text, "%zu x %zu pixels of %zu channels are more than the limit of %zu bytes", s->image.width,
        s->image.height, s->image.channels, limit);
    fail(png, s, NNI_LIMIT, text);
  }
  s->image.pixels = malloc(row * s->image.height);
  s->rows = malloc(s->image.height * sizeof *s->rows);
  if (!s->image.pixels || !s->rows) fail(png, s, NNI_OUT_OF_MEMORY, "no memory for the pixels");
  for (size_t y = 0; y < s->image.height; y++) s->rows[y] = s->image.pixels + y * row;
  png_read_image(png, s->rows);
  png_read_end(png, NULL);
}

static void try_decode(png_structp png, png_infop info, state *s, size_t limit) {
  if (setjmp(png_jmpbuf(png)) == 0) decode(png, info, s, limit);
}

int nni_png_decode(const uint8_t *bytes, size_t size, size_t limit, nni_image *image, char *message) {
  state s = {.message = message, .from = bytes, .left = size};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &s, on_error, on_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    png_destroy_read_struct(&png, NULL, NULL);
    snprintf(message, NNI_MESSAGE_SIZE, "no memory for the decoder");
    return NNI_OUT_OF_MEMORY;
  }
  try_decode(png, info, &s, limit);
  png_destroy_read_struct(&png, &info, NULL);
  free(s.rows);
  if (s.code != 0) {
    free(s.image.pixels);
    return s.code;
  }
  *image = s.image;
  return 0;
}

static void encode(png_structp png, png_infop info, state *s, const uint8_t *pixels) {
  png_set_write_fn(png, s, write_bytes, flush_nothing);
  png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
  png_set_IHDR(png, info, (png_uint_32)s->image.width, (png_uint_32)s->image.height, 8,
      s->image.channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
      PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  size_t row = s->image.width * s->image.channels;
  for (size_t y = 0; y < s->image.height; y++) png_write_row(png, pixels + y * row);
  png_write_end(png, NULL);
}

static void try_encode(png_structp png, png_infop info, state *s, const uint8_t *pixels) {
  if (setjmp(png_jmpbuf(png)) == 0) encode(png, info, s, pixels);
}

int nni_png_encode(const uint8_t *pixels, size_t width, size_t height, size_t channels, uint8_t **bytes, size_t *size,
    char *message) {
  state s = {.message = message, .image = {NULL, width, height, channels}};
  if (width == 0 || height == 0 || width > 0x7fffffff || height > 0x7fffffff || (channels != 1 && channels != 3)) {
    snprintf(message, NNI_MESSAGE_SIZE, "a PNG file of %zu x %zu pixels with %zu channels cannot be written", width, height,
        channels);
    return NNI_UNSUPPORTED;
  }
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &s, on_error, on_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    png_destroy_write_struct(&png, NULL);
    snprintf(message, NNI_MESSAGE_SIZE, "no memory for the encoder");
    return NNI_OUT_OF_MEMORY;
  }
  try_encode(png, info, &s, pixels);
  png_destroy_write_struct(&png, &info);
  if (s.code != 0) {
    free(s.to);
    return s.code;
  }
  *bytes = s.to;
  *size = s.size;
  return 0;
}

void nni_free(void *memory) { free(memory); }
