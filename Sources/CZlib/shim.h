// What is called of zlib, whose numbers and types are part of its stable ABI (https://zlib.net/manual.html). The library is
// loaded when the first body is compressed, so that hosts and builds without it lack nothing else.
#ifndef KATA_CZLIB_H
#define KATA_CZLIB_H

enum { KATA_Z_FINISH = 4, KATA_Z_OK = 0, KATA_Z_STREAM_END = 1, KATA_Z_DEFLATED = 8, KATA_Z_BEST_SPEED = 1 };

typedef struct {
  const unsigned char *next_in;
  unsigned int avail_in;
  unsigned long total_in;
  unsigned char *next_out;
  unsigned int avail_out;
  unsigned long total_out;
  const char *msg;
  void *state;
  void *(*zalloc)(void *, unsigned int, unsigned int);
  void (*zfree)(void *, void *);
  void *opaque;
  int data_type;
  unsigned long adler;
  unsigned long reserved;
} kata_z_stream;

typedef int (*kata_z_init)(kata_z_stream *stream, int level, int method, int window_bits, int memory_level, int strategy,
                           const char *version, int size);
typedef int (*kata_z_deflate)(kata_z_stream *stream, int flush);
typedef int (*kata_z_call)(kata_z_stream *stream);
typedef unsigned long (*kata_z_bound)(kata_z_stream *stream, unsigned long length);
typedef const char *(*kata_z_version)(void);

#endif
