// The one SIMD operation that Swift's own types lack: the lanes of a comparison as the bits of a number. The compiler
// makes one instruction of it where the processor has one (pmovmskb), and a few elsewhere.
#ifndef KATA_CLANES_H
#define KATA_CLANES_H
#include <stdint.h>

typedef uint8_t kata_lanes __attribute__((ext_vector_type(16)));
typedef _Bool kata_lane_flags __attribute__((ext_vector_type(16)));

/// Bit n tells whether lane n is not zero.
static inline __attribute__((always_inline)) uint16_t kata_lane_bits(kata_lanes lanes) {
  kata_lane_flags flags = __builtin_convertvector(lanes, kata_lane_flags);
  uint16_t bits;
  __builtin_memcpy(&bits, &flags, sizeof bits);
  return bits;
}

#endif
