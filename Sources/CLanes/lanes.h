// What Swift's own SIMD types lack: the lanes of a comparison as the bits of a number, in one instruction where the
// processor has one (pmovmskb), and functions that use the wide instructions of processors that have them.
//
// Every function reads and writes only where its comment says, whatever the bytes are; LogfmtIndex and SortedFilePlan see
// to the room.
#ifndef KATA_CLANES_H
#define KATA_CLANES_H
#include <stdbool.h>
#include <stddef.h>
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

// The functions below are written once and compiled twice: `KATA_WIDE` for processors with AVX2 and what came with it,
// which is called where `kata_is_wide()`, and for all.
#if defined(__x86_64__)
#define KATA_WIDE __attribute__((target("avx2,bmi,bmi2,popcnt")))
static inline __attribute__((always_inline)) bool kata_is_wide(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("popcnt");
}
#else
#define KATA_WIDE
static inline __attribute__((always_inline)) bool kata_is_wide(void) { return false; }
#endif

typedef uint8_t kata_block __attribute__((ext_vector_type(64)));
typedef int8_t kata_signed_block __attribute__((ext_vector_type(64)));
typedef _Bool kata_block_flags __attribute__((ext_vector_type(64)));

// Bit n tells whether lane n of a comparison is set: a macro, since blocks as arguments are passed in different ways.
#define KATA_BITS(comparison)                                                                      \
  ({                                                                                               \
    kata_block_flags flags_ = __builtin_convertvector((comparison), kata_block_flags);             \
    uint64_t bits_;                                                                                \
    __builtin_memcpy(&bits_, &flags_, sizeof bits_);                                               \
    bits_;                                                                                         \
  })

// Stores the offset of the lowest bit of `found` as the nth from `target`, and clears it. The compiler must not take it for
// one of eight like numbers: it would compute them with vectors, which takes far longer.
#define KATA_STORE_PLACE(n)                                                                        \
  do {                                                                                             \
    uint32_t place_ = (uint32_t)offset + (found == 0 ? 64 : (uint32_t)__builtin_ctzll(found));     \
    __asm__("" : "+r"(place_));                                                                    \
    target[n] = place_;                                                                            \
    found &= found - 1;                                                                            \
  } while (0)

/// What was found in a line; see `kata_index_line`.
typedef struct {
  /// How many places were stored.
  size_t count;
  /// How many bytes were looked at, or the line's length where `is_whole`.
  size_t length;
  /// Whether the line's end was found before the places were too many.
  bool is_whole;
} kata_line_index;

static inline __attribute__((always_inline)) kata_line_index kata_index_line_inlined(
    const uint8_t *text, size_t size, uint32_t *places, size_t capacity, bool ends_at_line_feed) {
  kata_line_index result = {0, 0, false};
  uint64_t was_in_quotes = 0;
  uint64_t was_equals = 0;
  size_t offset = 0;
  while (true) {
    kata_block v;
    __builtin_memcpy(&v, text + offset, sizeof v);
    uint64_t quotes = KATA_BITS(v == 0x22);
    uint64_t equals = KATA_BITS(v == 0x3d);
    uint64_t spaces = KATA_BITS(v == 0x20);
    // As signed bytes plus one, controls, space, everything from 0x80 up and 0x7f are below 0x22. < and > differ in bit 1
    // alone, " and & in bit 2.
    kata_signed_block next = __builtin_convertvector(v + 1, kata_signed_block);
    uint64_t marks = KATA_BITS((next < 0x22) | ((v | 2) == 0x3e) | ((v | 4) == 0x26) | (v == 0x25) |
                               (v == 0x5c));
    uint64_t ends = ends_at_line_feed ? KATA_BITS(v == 0x0a) : 0;
    if (size - offset < 64) ends |= (uint64_t)1 << (size - offset);
    uint64_t of_line = (ends - 1) & ~ends;
    quotes &= of_line;
    uint64_t in_quotes = quotes;
    in_quotes ^= in_quotes << 1;
    in_quotes ^= in_quotes << 2;
    in_quotes ^= in_quotes << 4;
    in_quotes ^= in_quotes << 8;
    in_quotes ^= in_quotes << 16;
    in_quotes ^= in_quotes << 32;
    in_quotes ^= was_in_quotes;
    was_in_quotes = 0 - (in_quotes >> 63);
    // The bit of a quote that opens is set in `in_quotes`, that of one that closes is not.
    equals &= ~in_quotes;
    uint64_t ordinary = (quotes & ~in_quotes) | (quotes & (equals << 1 | was_equals)) | (spaces & in_quotes);
    was_equals = equals >> 63;
    uint64_t found = (marks | equals) & of_line & ~ordinary;
    size_t number = (size_t)__builtin_popcountll(found);
    uint32_t *target = places + result.count;
    // Eight at a time without a look at how many there are: most blocks have no more.
    do {
      KATA_STORE_PLACE(0);
      KATA_STORE_PLACE(1);
      KATA_STORE_PLACE(2);
      KATA_STORE_PLACE(3);
      KATA_STORE_PLACE(4);
      KATA_STORE_PLACE(5);
      KATA_STORE_PLACE(6);
      KATA_STORE_PLACE(7);
      target += 8;
    } while (found != 0);
    result.count += number;
    if (ends != 0) {
      result.length = offset + (size_t)__builtin_ctzll(ends);
      result.is_whole = true;
      return result;
    }
    offset += 64;
    if (result.count > capacity) {
      result.length = offset;
      return result;
    }
  }
}

KATA_WIDE static kata_line_index kata_index_line_wide(
    const uint8_t *text, size_t size, uint32_t *places, size_t capacity, bool ends_at_line_feed) {
  return kata_index_line_inlined(text, size, places, capacity, ends_at_line_feed);
}

static kata_line_index kata_index_line_narrow(
    const uint8_t *text, size_t size, uint32_t *places, size_t capacity, bool ends_at_line_feed) {
  return kata_index_line_inlined(text, size, places, capacity, ends_at_line_feed);
}

/// Finds in a line the `=` and spaces outside quotes, the quotes that open anywhere but behind a `=`, and the bytes that
/// plain text may not have, and stores their offsets in order.
///
/// Reads the `size` bytes of `text` and up to 64 behind them. Stores up to `capacity` + 72 numbers, of which those behind
/// the count mean nothing; stops after the 64 bytes in which the count rises above the capacity.
static inline kata_line_index kata_index_line(
    const uint8_t *text, size_t size, uint32_t *places, size_t capacity, bool ends_at_line_feed) {
  return kata_is_wide() ? kata_index_line_wide(text, size, places, capacity, ends_at_line_feed)
                        : kata_index_line_narrow(text, size, places, capacity, ends_at_line_feed);
}

/// Where a line ends; see `kata_find_line_end`.
typedef struct {
  /// The first line feed, or the end of the text.
  const uint8_t *end;
  /// Whether `time=` stands before it.
  bool has_time;
} kata_line_end;

static inline __attribute__((always_inline)) kata_line_end kata_find_line_end_inlined(
    const uint8_t *start, const uint8_t *end) {
  kata_line_end result = {end, false};
  for (const uint8_t *p = start; p < end; p += 64) {
    kata_block v, third, fifth;
    __builtin_memcpy(&v, p, sizeof v);
    __builtin_memcpy(&third, p + 2, sizeof third);
    __builtin_memcpy(&fifth, p + 4, sizeof fifth);
    uint64_t feeds = KATA_BITS(v == 0x0a);
    uint64_t times = KATA_BITS((v == 't') & (third == 'm') & (fifth == '='));
    if ((feeds | times) == 0) continue;
    if (feeds != 0) {
      const uint8_t *feed = p + __builtin_ctzll(feeds);
      if (feed < end) result.end = feed;
    }
    for (; times != 0; times &= times - 1) {
      const uint8_t *time = p + __builtin_ctzll(times);
      if (result.end - time >= 5 && time[1] == 'i' && time[3] == 'e') result.has_time = true;
    }
    if (feeds != 0) return result;
  }
  return result;
}

KATA_WIDE static kata_line_end kata_find_line_end_wide(const uint8_t *start, const uint8_t *end) {
  return kata_find_line_end_inlined(start, end);
}

static kata_line_end kata_find_line_end_narrow(const uint8_t *start, const uint8_t *end) {
  return kata_find_line_end_inlined(start, end);
}

/// The end of the line that begins at `start`. Reads up to 68 bytes behind `end`.
static inline kata_line_end kata_find_line_end(const uint8_t *start, const uint8_t *end) {
  return kata_is_wide() ? kata_find_line_end_wide(start, end) : kata_find_line_end_narrow(start, end);
}

#endif
