#include "version.h"

#include "archive.h"

// Written by `make build` in a git checkout; not committed.
#if __has_include("commit.h")
#include "commit.h"
#endif

const char *kata_commit(void) {
#ifdef KATA_COMMIT
  return KATA_COMMIT;
#else
  // In a source archive made by git the placeholder has become the commit.
  static const char commit[] = KATA_ARCHIVE_COMMIT;
  return commit[0] == '$' ? "unknown" : commit;
#endif
}
