// Tells the thread sanitizer of the synchronization in Swift's counts of references, which it cannot see, for Swift's runtime
// is built without it: who gives a reference back does so before another one finds its own to be the only one left, and
// then writes in place. Without this it reports each array and dictionary that one thread reads from a copy while another
// changes the original. Loaded by LD_PRELOAD before the tools and tests that are built with the thread sanitizer.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

void __tsan_acquire(void *) __attribute__((weak));
void __tsan_release(void *) __attribute__((weak));

static void gaveBack(void *object) {
  if ((intptr_t)object > 0 && __tsan_release) {
    __tsan_acquire(object);
    __tsan_release(object);
  }
}

static bool found(bool isUnique, const void *object) {
  if (isUnique && (intptr_t)object > 0 && __tsan_acquire) __tsan_acquire((void *)object);
  return isUnique;
}

// The runtime's own function, looked up once: two threads that do find the same one.
#define REAL(name, type) \
  static _Atomic(void *) known; \
  void *address = known; \
  if (!address) known = address = dlsym(RTLD_NEXT, #name); \
  __typeof__(type) real = (__typeof__(type))address

#define RELEASE(name) \
  void name(void *object) { \
    REAL(name, void (*)(void *)); \
    gaveBack(object); \
    real(object); \
  }

#define UNIQUE(name) \
  bool name(const void *object) { \
    REAL(name, bool (*)(const void *)); \
    return found(real(object), object); \
  }

RELEASE(swift_release)
RELEASE(swift_bridgeObjectRelease)
UNIQUE(swift_isUniquelyReferenced_native)
UNIQUE(swift_isUniquelyReferenced_nonNull_native)

void swift_bridgeObjectRelease_n(void *object, uint32_t count) {
  REAL(swift_bridgeObjectRelease_n, void (*)(void *, uint32_t));
  gaveBack(object);
  real(object, count);
}

void swift_release_n(void *object, uint32_t count) {
  REAL(swift_release_n, void (*)(void *, uint32_t));
  gaveBack(object);
  real(object, count);
}
