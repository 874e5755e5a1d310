// What the forwarder calls of libcurl's easy interface, whose numbers and types are part of its stable ABI. The library
// is loaded when the first collector is named, so that hosts and builds without it lack nothing else. Swift cannot call
// functions with a variable number of arguments; these can.
#ifndef KATA_CCURL_H
#define KATA_CCURL_H
#include <stddef.h>
#include <stdint.h>

enum {
  KATA_CURL_WRITEDATA = 10001, KATA_CURL_URL = 10002, KATA_CURL_USERPWD = 10005, KATA_CURL_ERRORBUFFER = 10010,
  KATA_CURL_POSTFIELDS = 10015, KATA_CURL_USERAGENT = 10018, KATA_CURL_HTTPHEADER = 10023, KATA_CURL_POST = 47,
  KATA_CURL_POSTFIELDSIZE = 60, KATA_CURL_CAINFO = 10065, KATA_CURL_NOSIGNAL = 99, KATA_CURL_TIMEOUT_MS = 155,
  KATA_CURL_CONNECTTIMEOUT_MS = 156, KATA_CURL_WRITEFUNCTION = 20011,
  KATA_CURL_HEADERDATA = 10029, KATA_CURL_HEADERFUNCTION = 20079,
  KATA_CURL_ABORTED_BY_CALLBACK = 42, KATA_CURL_NOPROGRESS = 43, KATA_CURL_XFERINFODATA = 10057, KATA_CURL_XFERINFOFUNCTION = 20219,
  KATA_CURL_RESPONSE_CODE = 0x200002, KATA_CURL_RETRY_AFTER = 0x600039,
  KATA_CURL_REDIRECT_URL = 0x10001f
};

static inline int kata_curl_set_pointer(void *setopt, void *handle, int option, const void *value) {
  return ((int (*)(void *, int, ...))setopt)(handle, option, value);
}

static inline int kata_curl_set_long(void *setopt, void *handle, int option, long value) {
  return ((int (*)(void *, int, ...))setopt)(handle, option, value);
}

typedef size_t (*kata_curl_write)(char *bytes, size_t size, size_t count, void *target);

/// For the body, or for the lines of the head, by the option.
static inline int kata_curl_set_write(void *setopt, void *handle, int option, kata_curl_write function) {
  return ((int (*)(void *, int, ...))setopt)(handle, option, function);
}

/// Called at least once a second during a transfer, with its bytes so far; anything but 0 ends the transfer.
typedef int (*kata_curl_progress)(void *target, int64_t, int64_t, int64_t, int64_t);

static inline int kata_curl_set_progress(void *setopt, void *handle, kata_curl_progress function) {
  return ((int (*)(void *, int, ...))setopt)(handle, KATA_CURL_XFERINFOFUNCTION, function);
}

/// A number about the last transfer, or -1.
static inline int64_t kata_curl_number(void *getinfo, void *handle, int what) {
  if ((what & 0xf00000) == 0x600000) {
    int64_t value = -1;
    return ((int (*)(void *, int, ...))getinfo)(handle, what, &value) == 0 ? value : -1;
  }
  long value = -1;
  return ((int (*)(void *, int, ...))getinfo)(handle, what, &value) == 0 ? value : -1;
}

/// A text about the last transfer, which stays until the next one; NULL when there is none.
static inline const char *kata_curl_text(void *getinfo, void *handle, int what) {
  const char *value = NULL;
  return ((int (*)(void *, int, ...))getinfo)(handle, what, &value) == 0 ? value : NULL;
}

#endif
