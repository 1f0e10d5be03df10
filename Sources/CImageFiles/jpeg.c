#include "nni_images.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

// A progressive file repeats the whole image in every scan; no real one has many. The number that libjpeg-turbo's own
// fuzzing stops at is 500.
enum { SCAN_LIMIT = 500 };

typedef struct {
  struct jpeg_error_mgr base; // first, so that a pointer to it is one to the state
  struct jpeg_progress_mgr progress;
  jmp_buf jump;
  int code;
  char *message;
  nni_image image;
} state;

static void fail(state *s, int code, const char *text) {
  if (s->code == 0) {
    s->code = code;
    snprintf(s->message, NNI_MESSAGE_SIZE, "%s", text);
  }
  longjmp(s->jump, 1);
}

static void on_error(j_common_ptr jpeg) {
  state *s = (state *)jpeg->err;
  char text[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, text);
  fail(s, jpeg->err->msg_code == JERR_OUT_OF_MEMORY ? NNI_OUT_OF_MEMORY : NNI_CORRUPT, text);
}

// libjpeg only warns of data that are missing or damaged, and fills in gray. What does no harm to the pixels is let pass.
static void on_message(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  int code = jpeg->err->msg_code;
  if (code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR) return;
  on_error(jpeg);
}

static void print_nothing(j_common_ptr jpeg) { (void)jpeg; }

static void on_progress(j_common_ptr jpeg) {
  if (jpeg->is_decompressor && ((j_decompress_ptr)jpeg)->input_scan_number > SCAN_LIMIT)
    fail((state *)jpeg->err, NNI_LIMIT, "more than 500 scans");
}

static void decode(j_decompress_ptr jpeg, state *s, const uint8_t *bytes, size_t size, size_t limit) {
  jpeg_mem_src(jpeg, bytes, size);
  jpeg->mem->max_memory_to_use = 1L << 30;
  jpeg_read_header(jpeg, TRUE);
  if (jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK)
    fail(s, NNI_UNSUPPORTED, "the colours are CMYK; save the image as RGB or gray");
  jpeg->out_color_space = jpeg->jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
  // The slow transform is the exact one, and the same on every processor.
  jpeg->dct_method = JDCT_ISLOW;
  jpeg_calc_output_dimensions(jpeg);
  s->image.width = jpeg->output_width;
  s->image.height = jpeg->output_height;
  s->image.channels = (size_t)jpeg->output_components;
  size_t row = s->image.width * s->image.channels; // at most 3 · 65535
  if (row == 0 || s->image.height > limit / row) {
    char text[128];
    snprintf(text, sizeof text, "%zu x %zu pixels of %zu channels are more than the limit of %zu bytes", s->image.width,
        s->image.height, s->image.channels, limit);
    fail(s, NNI_LIMIT, text);
  }
  jpeg_start_decompress(jpeg);
  s->image.pixels = malloc(row * s->image.height);
  if (!s->image.pixels) fail(s, NNI_OUT_OF_MEMORY, "no memory for the pixels");
  while (jpeg->output_scanline < jpeg->output_height) {
    JSAMPROW line = s->image.pixels + jpeg->output_scanline * row;
    jpeg_read_scanlines(jpeg, &line, 1);
  }
  jpeg_finish_decompress(jpeg);
}

// What changes between setjmp and longjmp is the caller's: in variables of this function it would be lost (C11, 7.13.2.1).
static void try_decode(j_decompress_ptr jpeg, state *s, const uint8_t *bytes, size_t size, size_t limit) {
  if (setjmp(s->jump) != 0) return;
  jpeg_create_decompress(jpeg);
  s->progress.progress_monitor = on_progress;
  jpeg->progress = &s->progress;
  decode(jpeg, s, bytes, size, limit);
}

int nni_jpeg_decode(const uint8_t *bytes, size_t size, size_t limit, nni_image *image, char *message) {
  state s = {.message = message};
  struct jpeg_decompress_struct jpeg;
  memset(&jpeg, 0, sizeof jpeg);
  jpeg.err = jpeg_std_error(&s.base);
  s.base.error_exit = on_error;
  s.base.emit_message = on_message;
  s.base.output_message = print_nothing;
  try_decode(&jpeg, &s, bytes, size, limit);
  jpeg_destroy_decompress(&jpeg);
  if (s.code != 0) {
    free(s.image.pixels);
    return s.code;
  }
  *image = s.image;
  return 0;
}
