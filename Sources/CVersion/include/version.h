#ifndef KATA_CVERSION_H
#define KATA_CVERSION_H

/// The commit that was built, 40 hexadecimal digits, with `-dirty` behind them when files differed from it; `unknown`
/// when neither a checkout nor a source archive told.
const char *kata_commit(void);

#endif
