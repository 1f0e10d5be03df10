// DEFLATE and CRC-32 as ZIP archives use them, over whole buffers.
#ifndef NNZ_SHIM_H
#define NNZ_SHIM_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

// zlib counts in 32 bits: buffers go through it in pieces.
static inline uInt nnz_piece(size_t size) { return size > UINT_MAX ? UINT_MAX : (uInt)size; }

static inline uint32_t nnz_crc32(const uint8_t *_Nonnull bytes, size_t size) {
  uLong state = crc32(0, NULL, 0);
  while (size > 0) {
    uInt piece = nnz_piece(size);
    state = crc32(state, bytes, piece);
    bytes += piece;
    size -= piece;
  }
  return (uint32_t)state;
}

// Fills `to` from a raw DEFLATE stream. 0 only if the stream has exactly `from_size` bytes and gives exactly `to_size`.
static inline int nnz_inflate(
    const uint8_t *_Nonnull from, size_t from_size, uint8_t *_Nonnull to, size_t to_size) {
  z_stream stream;
  memset(&stream, 0, sizeof stream);
  if (inflateInit2(&stream, -15) != Z_OK) return 1;
  uint8_t beyond; // A stream that gives more than it said is found out here.
  int status = Z_OK;
  while (status == Z_OK) {
    uInt in = nnz_piece(from_size), out = to_size > 0 ? nnz_piece(to_size) : 1;
    stream.next_in = (Bytef *)from;
    stream.avail_in = in;
    stream.next_out = to_size > 0 ? to : &beyond;
    stream.avail_out = out;
    status = inflate(&stream, Z_NO_FLUSH);
    size_t taken = in - stream.avail_in, given = out - stream.avail_out;
    from += taken;
    from_size -= taken;
    if (to_size == 0 && given > 0) status = Z_DATA_ERROR;
    else if (to_size > 0) to += given, to_size -= given;
    if (status == Z_OK && taken == 0 && given == 0) status = Z_BUF_ERROR;
  }
  inflateEnd(&stream);
  return status == Z_STREAM_END && from_size == 0 && to_size == 0 ? 0 : 1;
}

// The most bytes nnz_deflate can give; 0 if that is too many.
static inline size_t nnz_deflate_bound(size_t size) {
  return size > UINT_MAX ? 0 : (size_t)compressBound((uLong)size) + 64;
}

// Compresses at most 4 GiB into a raw DEFLATE stream; gives its size, or 0 if it went wrong.
static inline size_t nnz_deflate(
    const uint8_t *_Nonnull from, size_t from_size, uint8_t *_Nonnull to, size_t to_size) {
  z_stream stream;
  memset(&stream, 0, sizeof stream);
  if (from_size > UINT_MAX || deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) return 0;
  stream.next_in = (Bytef *)from;
  stream.avail_in = (uInt)from_size;
  stream.next_out = to;
  stream.avail_out = nnz_piece(to_size);
  int status = deflate(&stream, Z_FINISH);
  size_t size = (size_t)stream.total_out;
  deflateEnd(&stream);
  return status == Z_STREAM_END ? size : 0;
}

#endif
